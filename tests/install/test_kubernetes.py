"""The manifests fit Kubernetes' own schemas, and speak of ports, probes, variables and metrics that there are."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bento.journals.journal import LAST_SECONDS
from bento.settings import ServiceSettings
from search.serving_code import WORKER
from tests.bento.telling.promql import faults
from tests.install import reading
from tests.install.reading import KUBERNETES, container, manifests, pod

KINDS = sorted(manifests())
LABELS = {"app.kubernetes.io/name": "etalage"}
CONFIGURATION: dict[str, str] = manifests()["ConfigMap"]["data"]


def loaded(name: str) -> Any:
    return yaml.safe_load((KUBERNETES / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1.32", kubernetes_validate.latest_version()])
def test_an_object_is_what_the_schema_says_and_nothing_that_it_does_not_know(kind: str, version: str):
    kubernetes_validate.validate(manifests()[kind], version, strict=True)


def test_the_schemas_find_a_misspelt_field_and_a_wrong_type():
    wrong = yaml.safe_load((KUBERNETES / "deployment.yaml").read_text(encoding="utf-8"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_every_manifest_is_applied():
    beside = {"kustomization.yaml", "adapter.yaml", "scrape.yaml"}  # for kustomize, prometheus-adapter and Prometheus
    assert {path.name for path in KUBERNETES.iterdir()} == beside | set(loaded("kustomization.yaml")["resources"])
    for one in manifests().values():
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == manifests()["Namespace"]["metadata"]["name"]


def test_the_port_is_the_services_own_everywhere():
    (port,) = container()["ports"]
    assert port["containerPort"] == reading.serve_port()
    assert container()["args"][-1].endswith(f"python -m {WORKER} 0.0.0.0:{reading.serve_port()}")
    (served,) = manifests()["Service"]["spec"]["ports"]
    assert served["targetPort"] == port["name"]
    assert manifests()["NetworkPolicy"]["spec"]["ingress"][0]["ports"][0]["port"] == port["name"]


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_a_probe_asks_a_path_that_needs_no_key_and_waits_for_its_answer(probe: str):
    asked = container()[probe]["httpGet"]
    assert asked["path"] in reading.open_paths() and asked["port"] == container()["ports"][0]["name"]


def test_a_store_that_is_away_takes_the_pod_out_of_traffic_and_restarts_nothing():
    assert container()["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container()["readinessProbe"]["timeoutSeconds"] > ServiceSettings().probe_timeout
    for probe in ("startupProbe", "livenessProbe"):
        assert container()[probe]["httpGet"]["path"] == "/livez"
    startup = container()["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= ServiceSettings().ready_timeout


def test_every_variable_is_one_that_the_code_reads():
    names = {*CONFIGURATION, *(variable["name"] for variable in container()["env"])}
    ours = {name for name in names if name.startswith(("ETALAGE_", "OTEL_"))}
    assert ours <= reading.variables_of_the_code() and len(ours) > 5
    assert {"BENTOML_HOME", "BENTOML_DO_NOT_TRACK", "PYTHONDONTWRITEBYTECODE"} == names - ours


def test_the_settings_are_ones_that_the_service_takes(monkeypatch: pytest.MonkeyPatch):
    for name, value in CONFIGURATION.items():
        monkeypatch.setenv(name, value)
    settings = ServiceSettings()
    stop = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod()["terminationGracePeriodSeconds"] >= stop + settings.drain_timeout + LAST_SECONDS
    (metric,) = (
        one["pods"] for one in manifests()["HorizontalPodAutoscaler"]["spec"]["metrics"] if one["type"] == "Pods"
    )
    busy = int(metric["target"]["averageValue"].removesuffix("m")) / 1000
    assert 0.5 * settings.threads <= busy < settings.threads
    assert int(container()["resources"]["limits"]["cpu"]) >= settings.threads * settings.encoder_threads


def test_the_key_file_is_where_the_service_looks_for_it_and_where_it_writes_it_may():
    mounts = {mount["name"]: mount for mount in container()["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    assert set(mounts) == set(volumes)
    keys = Path(CONFIGURATION["ETALAGE_SERVICE_KEYS"])
    assert str(keys.parent) == mounts["keys"]["mountPath"] and mounts["keys"]["readOnly"]
    assert CONFIGURATION["ETALAGE_HOME"] == mounts["home"]["mountPath"]
    assert CONFIGURATION["BENTOML_HOME"].startswith(mounts["tmp"]["mountPath"] + "/")
    claim = volumes["home"]["persistentVolumeClaim"]["claimName"]
    assert claim == manifests()["PersistentVolumeClaim"]["metadata"]["name"]
    assert manifests()["PersistentVolumeClaim"]["spec"]["accessModes"] == ["ReadWriteMany"]


def test_no_secret_is_in_a_manifest_and_each_is_read_from_one():
    assert "Secret" not in manifests()
    for variable in container()["env"]:
        assert set(variable["valueFrom"]) == {"secretKeyRef"}
    assert not {name for name in CONFIGURATION if name.endswith(("TOKEN", "PASSWORD", "LOG_KEY"))}


def test_the_pod_may_do_what_the_restricted_standard_lets_it_and_no_more():
    assert manifests()["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod()["securityContext"]["runAsNonRoot"] and pod()["securityContext"]["runAsUser"] > 0
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod()["automountServiceAccountToken"] is False
    assert pod()["serviceAccountName"] == manifests()["ServiceAccount"]["metadata"]["name"]
    assert set(container()["resources"]) == {"requests", "limits"}


def test_a_new_release_comes_up_beside_the_old_one_and_a_drained_node_leaves_somebody():
    deployment = manifests()["Deployment"]["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "replicas" not in deployment
    assert manifests()["HorizontalPodAutoscaler"]["spec"]["minReplicas"] > 1
    assert manifests()["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


def test_whatever_selects_the_pods_finds_them():
    deployment = manifests()["Deployment"]
    assert pod()["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == LABELS
    assert deployment["spec"]["template"]["metadata"]["labels"] == LABELS
    assert deployment["spec"]["selector"]["matchLabels"] == LABELS
    assert manifests()["Service"]["spec"]["selector"] == LABELS
    assert manifests()["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == LABELS
    assert manifests()["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == LABELS
    target = manifests()["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (deployment["kind"], deployment["metadata"]["name"])


def test_the_autoscaler_asks_for_a_metric_that_the_service_exports_and_the_adapter_passes_on():
    (metric,) = (
        one["pods"] for one in manifests()["HorizontalPodAutoscaler"]["spec"]["metrics"] if one["type"] == "Pods"
    )
    (rule,) = loaded("adapter.yaml")["rules"]
    assert rule["name"]["as"] == metric["metric"]["name"]
    series = rule["seriesQuery"].partition("{")[0]
    asked = rule["metricsQuery"]
    for mark, filled in (("<<.Series>>", series), ("{<<.LabelMatchers>>}", ""), ("<<.GroupBy>>", "instance")):
        assert mark in asked
        asked = asked.replace(mark, filled)
    now = re.sub(r"avg_over_time\((\w+)\[2m\]\)", r"\1", asked)
    assert now == f"avg by (instance) ({series})"
    assert faults(now, reading.metrics_page(), set()) == []
    labels = {line["target_label"] for line in loaded("scrape.yaml")["scrape_configs"][0]["relabel_configs"][2:]}
    assert labels == set(rule["resources"]["overrides"])


def test_prometheus_in_the_cluster_asks_every_pod_under_the_name_that_the_alerts_know():
    (job,) = loaded("scrape.yaml")["scrape_configs"]
    alerts = (reading.ROOT / "docs" / "operations" / "alerts.yaml").read_text(encoding="utf-8")
    assert f'job="{job["job_name"]}"' in alerts
    assert job["kubernetes_sd_configs"][0]["namespaces"]["names"] == [manifests()["Namespace"]["metadata"]["name"]]
    keep = {line["regex"] for line in job["relabel_configs"] if line.get("action") == "keep"}
    assert keep == {LABELS["app.kubernetes.io/name"], container()["ports"][0]["name"]}


def test_the_image_is_one_release_and_never_latest():
    (image,) = loaded("kustomization.yaml")["images"]
    assert container()["image"] == f"{image['name']}:{image['newTag']}" == "etalage:RELEASE"
