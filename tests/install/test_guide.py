"""docs/guides/installing.md names commands, files, variables and numbers that there are. It needs engines to be run."""

import re
import shlex

import typer

from flows.cli import app
from tests.install import reading
from tests.install.reading import INSTALL, ROOT, container, manifests, pod

GUIDE = (ROOT / "docs" / "guides" / "installing.md").read_text(encoding="utf-8")


def test_every_etalage_command_is_one_with_options_that_it_has():
    command = typer.main.get_command(app)
    lines = [line.partition("  #")[0] for line in GUIDE.splitlines() if " -m flows.cli " in line]
    assert len(lines) > 5
    for line in lines:
        words = shlex.split(line.partition(" -m flows.cli ")[2].strip())
        known, context = command, typer.Context(command)
        while hasattr(known, "get_command") and words:
            known = known.get_command(context, words.pop(0))
            assert known is not None, line
        known.make_context("etalage", words)


def test_every_path_of_the_tree_is_there():
    named = re.findall(r"(?<![\w./])((?:install|bento|tests|docs)/[\w/.-]*\w)", GUIDE)
    assert len(named) > 8
    for path in named:
        assert (ROOT / path).exists() or path == "install/compose/.env", path


def test_every_variable_is_one_that_something_reads():
    text = (INSTALL / "compose" / "compose.yaml").read_text(encoding="utf-8")
    for name in re.findall(r"\bETALAGE_\w+", GUIDE):
        assert name in reading.variables_of_the_code() or (name in reading.BY_WHO_INSTALLS and name in text), name


def test_every_service_that_is_started_by_name_is_one_of_the_file():
    services = set(reading.compose()["services"])
    for line in re.findall(r"^shop (?:build|up -d --wait|run --rm) (.*)$", GUIDE, flags=re.M):
        first = line.split(" python ")[0].split(" dvc ")[0].split("#")[0].split()
        assert set(first) <= services, line


def test_the_image_is_run_as_the_manifest_runs_it():
    (given,) = re.findall(r"bash -c '(.*)'\n", GUIDE)
    assert given == container()["args"][2]
    for name in re.findall(r"-e (\w+)=?", GUIDE):
        assert name in {*manifests()["ConfigMap"]["data"], *(variable["name"] for variable in container()["env"])}


def test_secrets_are_made_under_the_names_and_keys_that_the_manifest_reads():
    made = dict(re.findall(r"create secret generic ([\w-]+) --from-(?:file|literal)=([\w.]+)=", GUIDE))
    read = {of["secretKeyRef"]["name"]: of["secretKeyRef"]["key"] for of in secrets()}
    keys = manifests()["ConfigMap"]["data"]["ETALAGE_SERVICE_KEYS"].rpartition("/")[2]
    read |= {volume["secret"]["secretName"]: keys for volume in pod()["volumes"] if "secret" in volume}
    assert made == read


def secrets() -> list[dict[str, dict[str, str]]]:
    return [variable["valueFrom"] for variable in container()["env"]]


def test_the_numbers_are_those_of_the_files():
    stop = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = manifests()["ConfigMap"]["data"]["ETALAGE_SERVICE_DRAIN_TIMEOUT"]
    most = pod()["terminationGracePeriodSeconds"]
    assert f"(preStop {stop} s, draining {drain} s, {most} s at most)" in GUIDE
    scaler = manifests()["HorizontalPodAutoscaler"]["spec"]
    busy = int(reading.metric_of_the_autoscaler()["target"]["averageValue"].removesuffix("m")) / 1000
    assert f"{scaler['minReplicas']} to {scaler['maxReplicas']}, so that {busy:g} queries are in flight" in GUIDE
    services = reading.compose()["services"]
    told = {"search": "the service", "prefect": "Prefect", "prometheus": "Prometheus", "grafana": "Grafana"}
    for name, words in told.items():
        assert f"{words} {services[name]['ports'][0]['published']}" in GUIDE
    assert f"a user of its own ({pod()['securityContext']['runAsUser']})" in GUIDE
