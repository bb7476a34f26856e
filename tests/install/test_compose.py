"""The compose file is one to Docker Compose itself, and speaks of ports, paths, variables and files that there are."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import prefect.settings
import pytest
import typer
import yaml

from bento.settings import ServiceSettings
from flows.cli import app
from tests.install import reading
from tests.install.reading import COMPOSE, INSTALL, ROOT, compose

PROMETHEUS = yaml.safe_load((COMPOSE.parent / "prometheus.yml").read_text(encoding="utf-8"))
DASHBOARDS = yaml.safe_load((COMPOSE.parent / "grafana" / "dashboards.yaml").read_text(encoding="utf-8"))
DATASOURCES = yaml.safe_load((COMPOSE.parent / "grafana" / "datasources.yaml").read_text(encoding="utf-8"))
SERVICES = sorted(yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"])
OURS = ("search", "worker")


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


def seconds(duration: str) -> float:
    """Of Go's notation: 1m30s."""
    parts = re.findall(r"(\d+)([hms])", duration)
    return float(sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in parts))


def mounted(name: str) -> dict[str, str]:
    """Path in the container -> where it comes from."""
    return {volume["target"]: volume.get("source", "") for volume in service(name).get("volumes", [])}


def test_docker_compose_takes_it_and_names_everything_that_has_to_be_filled_in():
    assert set(compose()["services"]) == set(SERVICES)
    example = (COMPOSE.parent / "env.example").read_text(encoding="utf-8")
    names = set(re.findall(r"^([A-Z_]+)=", example, flags=re.MULTILINE))
    assert set(reading.FILLED) <= names
    for name in reading.FILLED:
        less = {key: value for key, value in reading.FILLED.items() if key != name}
        done = reading.run(["docker-compose", "-f", str(COMPOSE), "config", "-q"], **less)
        assert done.returncode != 0 and name in done.stderr


def test_yamllint_has_nothing_to_say():
    done = reading.run(["yamllint", "--strict", "-c", str(INSTALL / "yamllint.yaml"), str(INSTALL)])
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_by_its_tag_limited_and_reached_from_this_machine_alone(name: str):
    image = service(name)["image"]
    assert re.search(r":v?\d[\w.\-]*$|:RELEASE\.\d{4}-", image) and "latest" not in image, image
    assert name == "buckets" or int(service(name)["mem_limit"]) > 0
    for port in service(name).get("ports", []):
        assert port["host_ip"] == "127.0.0.1"


@pytest.mark.parametrize("name", OURS)
def test_our_own_containers_run_as_nobody_in_particular_and_write_into_the_workspace_alone(name: str):
    ours = service(name)
    assert ours["read_only"] is True and ours["cap_drop"] == ["ALL"]
    assert ours["security_opt"] == ["no-new-privileges:true"] and ours["user"].split(":")[0] not in ("0", "root")
    assert set(mounted(name)) == {"/workspace"} and ours["tmpfs"] == ["/tmp"]
    assert ours["environment"]["ETALAGE_HOME"].startswith("/workspace/")
    assert ours["environment"]["PREFECT_HOME"].startswith("/workspace/")


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_is_one_that_the_code_reads(name: str):
    variables = set(service(name).get("environment") or {})
    ours = {variable for variable in variables if variable.startswith(("ETALAGE_", "OTEL_"))}
    assert ours <= reading.variables_of_the_code()
    for variable in variables:
        if variable.startswith("PREFECT_"):
            assert hasattr(prefect.settings, variable), variable


def test_what_is_filled_in_and_no_variable_of_the_code_is_read_by_the_file_itself():
    text = COMPOSE.read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{(ETALAGE_\w+)", text))
    assert asked <= reading.variables_of_the_code() | reading.BY_WHO_INSTALLS
    assert asked >= reading.BY_WHO_INSTALLS


@pytest.mark.parametrize("name", SERVICES)
def test_what_one_container_asks_of_another_is_there(name: str):
    """Hosts in URLs are services of this file, and who needs one to be healthy can know it."""
    environment = service(name).get("environment") or {}
    for value in environment.values():
        for host in re.findall(r"(?:http://|^)([a-z]+):\d+", str(value)):
            assert host in compose()["services"], (name, value)
    for other, how in (service(name).get("depends_on") or {}).items():
        if how["condition"] == "service_healthy":
            assert "healthcheck" in service(other), other


def test_the_search_is_started_by_our_own_command_on_its_port_and_asked_at_a_path_it_has():
    search = service("search")
    assert search["command"][:3] == ["python", "-m", "flows.cli"]
    command = typer.main.get_command(app)
    serve = command.get_command(typer.Context(command), search["command"][3])  # type: ignore[attr-defined]
    given = serve.make_context("serve", search["command"][4:]).params
    assert given["port"] == reading.serve_port() == search["ports"][0]["target"]
    assert given["host"] == "0.0.0.0" and given["workers"] == 2
    (asked,) = re.findall(r"urlopen\('([^']+)', timeout=(\d+)\)", search["healthcheck"]["test"][-1])
    assert urlsplit(asked[0]).port == given["port"]
    assert urlsplit(asked[0]).path in reading.open_paths()
    assert ServiceSettings().probe_timeout < int(asked[1]) < seconds(search["healthcheck"]["timeout"])
    assert seconds(search["stop_grace_period"]) > ServiceSettings().drain_timeout
    assert seconds(search["healthcheck"]["start_period"]) > ServiceSettings().ready_timeout


def test_the_worker_takes_from_the_pool_that_deploy_makes_and_asks_the_server_that_is_there():
    assert service("worker")["command"] == ["prefect", "worker", "start", "--pool", pool_of_deploy()]
    url = urlsplit(service("worker")["environment"]["PREFECT_API_URL"])
    assert url.hostname == "prefect" and url.port == service("prefect")["ports"][0]["target"]
    assert service("prefect")["image"].split(":")[1].startswith(f"{reading.lock()['prefect']}-python3.11")
    assert service("worker")["image"] == service("search")["image"]


def pool_of_deploy() -> str:
    command = typer.main.get_command(app)
    deploy = command.get_command(typer.Context(command), "deploy")  # type: ignore[attr-defined]
    (pool,) = (option.default for option in deploy.params if option.name == "pool")
    return str(pool)


def test_milvus_is_of_the_clients_line_and_has_its_store():
    client, server = reading.lock()["pymilvus"], service("milvus")["image"].partition(":v")[2]
    assert server.split(".")[0] == client.split(".")[0]
    assert service("worker")["environment"]["ETALAGE_MILVUS_TOKEN"] == "root:of-milvus"
    milvus = service("milvus")["environment"]
    assert milvus["COMMON_SECURITY_DEFAULTROOTPASSWORD"] == "of-milvus"
    made = " ".join(service("buckets")["command"])
    assert f"here/{milvus['MINIO_BUCKET_NAME']} " in made and "here/dvc" in made


def test_prometheus_asks_the_service_with_a_key_and_knows_the_rules_that_are_ours():
    files = mounted("prometheus")
    (rules,) = PROMETHEUS["rule_files"]
    assert Path(files[rules]) == ROOT / "docs" / "operations" / "alerts.yaml"
    config = next(word for word in service("prometheus")["command"] if word.startswith("--config.file="))
    assert Path(files[config.partition("=")[2]]) == COMPOSE.parent / "prometheus.yml"
    jobs = {job["job_name"]: job for job in PROMETHEUS["scrape_configs"]}
    (target,) = jobs["etalage"]["static_configs"][0]["targets"]
    assert target == f"search:{reading.serve_port()}"
    (secret,) = service("prometheus")["secrets"]
    assert jobs["etalage"]["authorization"]["credentials_file"] == f"/run/secrets/{secret['source']}"
    alerts = (ROOT / "docs" / "operations" / "alerts.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r'job="(\w+)"', alerts)) <= set(jobs)
    for job in jobs.values():
        assert job["static_configs"][0]["targets"][0].split(":")[0] in compose()["services"]


def test_grafana_shows_our_dashboard_out_of_our_prometheus():
    (provider,) = DASHBOARDS["providers"]
    files = mounted("grafana")
    shown = {Path(source) for target, source in files.items() if target.startswith(provider["options"]["path"] + "/")}
    assert shown == {ROOT / "docs" / "operations" / "dashboard.json"}
    (source,) = DATASOURCES["datasources"]
    url = urlsplit(source["url"])
    assert (url.hostname, url.port) == ("prometheus", service("prometheus")["ports"][0]["target"])
    assert source["type"] == "prometheus" and source["isDefault"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_is_mounted_is_there(name: str):
    for source in mounted(name).values():
        if source.startswith(str(ROOT)):
            assert Path(source).is_file(), source


def test_no_password_is_written_down():
    for path in INSTALL.rglob("*"):
        if path.is_file():
            for name, value in re.findall(r"(\w*(?:PASSWORD|SECRET\w*|TOKEN)\w*)[:=] *(\S*)", path.read_text()):
                assert not value or value.startswith(("${", "root:${")), (path, name)
