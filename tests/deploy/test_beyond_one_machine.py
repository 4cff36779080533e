"""deploy/kubernetes and deploy/swarm: valid, consistent, and with settings that load."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settings.fields import Service
from settings.stream_fields import EnvironmentStream
from settings.version import VERSION
from tests.support.builders import stream_of
from tests.support.configuring import CONFIG, loaded
from tests.support.deployments import DEPLOY, complaints, document, schema_complaints
from tests.support.domain import app_of

KUBERNETES = DEPLOY / "kubernetes"
MANIFESTS = {path.stem: path for path in KUBERNETES.glob("*.yaml")}
# kubernetes-validate has no schemas of other projects: kustomize, and the operator of Prometheus.
OF_KUBERNETES = sorted(set(MANIFESTS) - {"kustomization", "servicemonitor"})
OLDEST = ("-k", "1.28.0")  # the first with the pod's index as a label
NEWEST = ()  # the newest that kubernetes-validate knows
SWARM = DEPLOY / "swarm"
STACK = document(SWARM / "docker-stack.yml")
IMAGE = f"lblod/delta-producer-background-jobs-initiator:{VERSION}"


def manifest(name: str) -> Any:
    return document(MANIFESTS[name])


POD = manifest("statefulset")["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]


def validation(version: tuple[str, ...], path: Path) -> str:
    return complaints("kubernetes_validate", "--strict", *version, path)


@pytest.mark.parametrize("version", [OLDEST, NEWEST], ids=["oldest", "newest"])
@pytest.mark.parametrize("name", OF_KUBERNETES)
def test_a_manifest_follows_the_schema_of_kubernetes(name: str, version: tuple[str, ...]) -> None:
    assert validation(version, MANIFESTS[name]) == ""


def test_a_manifest_that_does_not_follow_it_is_refused(tmp_path: Path) -> None:
    """Otherwise the test above could not fail."""
    text = MANIFESTS["statefulset"].read_text().replace("runAsNonRoot", "runAsNotRoot")
    (tmp_path / "statefulset.yaml").write_text(text)
    assert "runAsNotRoot" in validation(NEWEST, tmp_path / "statefulset.yaml")


def test_kustomize_takes_every_manifest_and_the_config_file() -> None:
    kustomization = manifest("kustomization")
    assert sorted(kustomization["resources"]) == sorted(
        path.name for name, path in MANIFESTS.items() if name != "kustomization"
    )
    (generator,) = kustomization["configMapGenerator"]
    (volume,) = (v for v in POD["spec"]["volumes"] if "configMap" in v)
    assert volume["configMap"]["name"] == generator["name"]
    assert all((KUBERNETES / name).is_file() for name in generator["files"])


def selectors() -> Iterator[tuple[str, Any]]:
    for name, path in [
        ("statefulset", ("selector", "matchLabels")),
        ("service", ("selector",)),
        ("poddisruptionbudget", ("selector", "matchLabels")),
        ("networkpolicy", ("podSelector", "matchLabels")),
        ("servicemonitor", ("selector", "matchLabels")),
    ]:
        found = manifest(name)["spec"]
        for key in path:
            found = found[key]
        yield name, found


def test_every_selector_finds_the_pods() -> None:
    labels = POD["metadata"]["labels"]
    assert dict(selectors()) == dict.fromkeys(dict(selectors()), labels)
    assert manifest("service")["metadata"]["labels"] == labels, "the ServiceMonitor looks for it"


def test_every_port_is_the_one_that_the_service_listens_on() -> None:
    (port,) = CONTAINER["ports"]
    assert str(port["containerPort"]) == environment("0")["PORT"]
    named = [
        CONTAINER["livenessProbe"]["httpGet"]["port"],
        CONTAINER["readinessProbe"]["httpGet"]["port"],
        manifest("service")["spec"]["ports"][0]["targetPort"],
        manifest("service")["spec"]["ports"][0]["name"],
        manifest("servicemonitor")["spec"]["endpoints"][0]["port"],
        manifest("networkpolicy")["spec"]["ingress"][0]["ports"][0]["port"],
    ]
    assert named == [port["name"]] * 6


@pytest.mark.parametrize(
    "path",
    [
        CONTAINER["livenessProbe"]["httpGet"]["path"],
        CONTAINER["readinessProbe"]["httpGet"]["path"],
        manifest("servicemonitor")["spec"]["endpoints"][0]["path"],
    ],
)
def test_every_path_that_is_asked_exists(path: str) -> None:
    assert app_of(stream_of()).test_client().get(path).status_code in (200, 503)


def environment(index: str) -> dict[str, str]:
    """Return the variables of the pod with this index."""
    path = "metadata.labels['apps.kubernetes.io/pod-index']"
    labels = {"valueFrom": {"fieldRef": {"fieldPath": path}}}
    return {
        variable.pop("name"): index if variable == labels else variable["value"]
        for variable in map(dict, CONTAINER["env"])
    }


def test_the_container_may_do_as_little_as_possible() -> None:
    limits, pod = CONTAINER["securityContext"], POD["spec"]["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"]) == (True, 1000)
    assert limits["readOnlyRootFilesystem"]
    assert limits["capabilities"] == {"drop": ["ALL"]}
    assert not limits["allowPrivilegeEscalation"]


# Replicas


def replicas_of_kubernetes() -> Iterator[tuple[dict[str, str], Any]]:
    streams = (KUBERNETES / "config/config.json").read_text()
    for index in range(manifest("statefulset")["spec"]["replicas"]):
        yield environment(str(index)), streams


def replicas_of_swarm() -> Iterator[tuple[dict[str, str], Any]]:
    for service in STACK["services"].values():
        (mounted,) = service["configs"]
        assert mounted["target"] == CONFIG
        path = SWARM / STACK["configs"][mounted["source"]]["file"]
        yield service["environment"], path.read_text()


@pytest.mark.parametrize("replicas", [replicas_of_kubernetes, replicas_of_swarm])
def test_each_replica_has_a_number_of_its_own_from_0_and_the_same_streams(replicas: Any) -> None:
    numbers, streams = [], set()
    for variables, text in replicas():
        assert set(variables) <= {f.alias for f in Service.model_fields.values()} | {
            f.alias for f in EnvironmentStream.model_fields.values()
        }
        settings = loaded(variables, {CONFIG: json.loads(text)})
        assert settings.warnings == ()
        numbers.append(settings.service.replica)
        streams.add(text)
    assert numbers == [0, 1]
    assert len(streams) == 1


def test_the_stack_of_swarm_follows_the_compose_specification() -> None:
    assert schema_complaints("compose-spec", SWARM / "docker-stack.yml") == ""


def test_the_image_is_that_of_this_version() -> None:
    images = {service["image"] for service in STACK["services"].values()}
    assert images | {CONTAINER["image"]} == {IMAGE}


def test_a_replica_of_swarm_ends_before_the_next_one_starts() -> None:
    """Two processes with one number could run a task twice."""
    for service in STACK["services"].values():
        assert service["deploy"]["replicas"] == 1
        assert service["deploy"]["update_config"]["order"] == "stop-first"
