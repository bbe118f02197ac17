"""The manifests for Kubernetes."""

from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import msgspec
import pytest

from actors import settings
from actors.settings import Settings
from actors.worker import STOP_GRACE_S
from tests.containers import kubernetes
from tests.containers.container import settings_in
from tests.containers.keda import ScaledObject
from tests.containers.kubernetes import Manifest, of_kind

#: Those whose fields are looked at; a cluster of the oldest and one of the newest kind.
VERSIONS = ("1.30", "1.37")

OVERLAYS = ("cpu", "gpu")
BUILT = {overlay: kubernetes.built(overlay) for overlay in OVERLAYS}
DEPLOYMENTS = [(overlay, name) for overlay in OVERLAYS for name in of_kind(BUILT[overlay], "Deployment")]


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_manifest_has_no_field_that_kubernetes_does_not_know(overlay: str, version: str) -> None:
    """Nor one of another type."""
    for manifest in BUILT[overlay]:
        if manifest["kind"] not in {"ScaledObject", "ConfigMap"}:
            kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.skipif(not kubernetes.kustomize(), reason="no kustomize here")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_these_tests_make_of_the_files_is_what_kustomize_makes(overlay: str) -> None:
    """So that they are worth something where there is none: the same pods, and no manifest more or less."""
    by_hand = kubernetes.by_hand(overlay)

    assert sorted(one["kind"] for one in by_hand) == sorted(one["kind"] for one in BUILT[overlay])
    assert kubernetes.containers(by_hand, {}) == kubernetes.containers(BUILT[overlay], {})


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_keda_is_asked(overlay: str) -> None:
    """Its own fields; its targets are deployments, and its source is the API's Service."""
    scaled = of_kind(BUILT[overlay], "ScaledObject")
    (service,) = of_kind(BUILT[overlay], "Service").values()
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"

    assert scaled.keys() == {"instance", "segmenter"}
    for manifest in scaled.values():
        spec = msgspec.convert(manifest["spec"], ScaledObject)
        assert spec.scaleTargetRef.name in of_kind(BUILT[overlay], "Deployment")
        assert spec.fallback.replicas >= spec.minReplicaCount
        for trigger in spec.triggers:
            url = urlsplit(trigger.metadata.url)
            assert (url.hostname, url.port or 80, url.path) == (
                host,
                service["spec"]["ports"][0]["port"],
                "/metrics",
            )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_keda_alone_says_how_many_there_are(overlay: str) -> None:
    """A number in the manifest would be set again with each `kubectl apply`."""
    deployments = of_kind(BUILT[overlay], "Deployment")

    for scaled in of_kind(BUILT[overlay], "ScaledObject"):
        assert "replicas" not in deployments[scaled]["spec"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_setting_is_one(overlay: str) -> None:
    """And what the API listens on is what the Service leads to."""
    (configured,) = of_kind(BUILT[overlay], "ConfigMap").values()
    loaded = settings.load(configured["data"] | {"ASR_REDIS_URL": "redis://redis"})
    api = pod_of(overlay, "api")["containers"][0]

    assert loaded == Settings(
        port=5002,
        instances=1,
        segmenters=1,
        parts="api,monitor,courier",
        redis_url="redis://redis",
        public="metrics",
    )
    assert api["ports"] == [{"name": "http", "containerPort": loaded.port}]
    for overlay_name, name in DEPLOYMENTS:
        container = pod_of(overlay_name, name)["containers"][0]
        assert settings_in({one["name"]: "" for one in container.get("env", [])}) <= set(settings.names())


@pytest.mark.parametrize(("overlay", "name"), DEPLOYMENTS)
def test_a_pod_has_more_time_to_end_than_it_takes(overlay: str, name: str) -> None:
    """Before it is told, what is in hand, and then its threads."""
    pod = pod_of(overlay, name)

    assert pod["terminationGracePeriodSeconds"] >= STOP_GRACE_S + 5 + kubernetes.pause_s(pod["containers"][0])


@pytest.mark.parametrize(("overlay", "name"), DEPLOYMENTS)
def test_a_pod_can_do_little(overlay: str, name: str) -> None:
    """What the namespace asks for, and a root that nothing can be written to."""
    pod = pod_of(overlay, name)
    (container,) = pod["containers"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize(("overlay", "name"), DEPLOYMENTS)
def test_a_pod_is_asked_how_it_is(overlay: str, name: str) -> None:
    """By all three probes; a model may take as long to load as the settings say."""
    (container,) = pod_of(overlay, name)["containers"]
    startup = container["startupProbe"]

    assert container.keys() >= {"startupProbe", "readinessProbe", "livenessProbe"}
    assert (
        name != "instance"
        or startup["failureThreshold"] * startup["periodSeconds"] > Settings().load_timeout_s
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_selects_pods_finds_some(overlay: str) -> None:
    """Budgets, the Service, policies, and the constraints of the pods themselves."""
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in _deployments(overlay).values()]
    selectors = [one["spec"]["selector"]["matchLabels"] for one in _budgets(overlay).values()]
    selectors += [one["spec"]["selector"] for one in of_kind(BUILT[overlay], "Service").values()]
    selectors += [one["spec"]["podSelector"].get("matchLabels", {}) for one in _policies(overlay).values()]
    for name in _deployments(overlay):
        spread = pod_of(overlay, name).get("topologySpreadConstraints", [])
        selectors += [one["labelSelector"]["matchLabels"] for one in spread]

    for selector in selectors:
        assert any(selector.items() <= known.items() for known in labels), selector
    assert _budgets(overlay).keys() == {"api", "segmenter", "instance"}


def test_an_instance_has_its_own_gpu() -> None:
    """One, its number 0; on cores it has as many as its limit says, whole ones."""
    gpu, cpu = (pod_of(overlay, "instance")["containers"][0] for overlay in ("gpu", "cpu"))

    assert gpu["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert gpu["env"] == [{"name": "ASR_DEVICES", "value": "0"}]
    assert gpu["image"] == "registry.example/quintet:cuda"
    assert cpu["env"] == [{"name": "ASR_DEVICES", "value": "cpu"}]
    assert cpu["resources"]["limits"]["cpu"] == cpu["resources"]["requests"]["cpu"] == "4"
    for overlay, name in DEPLOYMENTS:
        image = pod_of(overlay, name)["containers"][0]["image"]
        assert (overlay, name) == ("gpu", "instance") or image == "registry.example/quintet:cpu"


def _deployments(overlay: str) -> dict[str, Manifest]:
    return of_kind(BUILT[overlay], "Deployment")


def _budgets(overlay: str) -> dict[str, Manifest]:
    return of_kind(BUILT[overlay], "PodDisruptionBudget")


def _policies(overlay: str) -> dict[str, Manifest]:
    return of_kind(BUILT[overlay], "NetworkPolicy")


def pod_of(overlay: str, name: str) -> dict[str, Any]:
    """The pods of a deployment."""
    spec: dict[str, Any] = _deployments(overlay)[name]["spec"]["template"]["spec"]
    return spec
