"""The manifests as they are applied: what kustomize makes of an overlay, and the containers in it."""

import copy
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from tests.checkouts import ROOT
from tests.containers.container import Container, image_env

OVERLAYS: Final = ROOT / "deploy" / "kubernetes" / "overlays"

Manifest = dict[str, Any]


def kustomize() -> list[str]:
    """The command that builds an overlay, where there is one."""
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]):
            return command
    return []


def built(overlay: str) -> list[Manifest]:
    """All manifests of an overlay."""
    return _by_kustomize(overlay) if kustomize() else by_hand(overlay)


def _by_kustomize(overlay: str) -> list[Manifest]:
    done = subprocess.run(
        [*kustomize(), str(OVERLAYS / overlay)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def by_hand(overlay: str) -> list[Manifest]:
    """The same without kustomize, as far as it does what these files ask of it."""
    (top,) = _read(OVERLAYS / overlay / "kustomization.yaml")
    base = OVERLAYS / overlay / top["resources"][0]
    (below,) = _read(base / "kustomization.yaml")
    found = [manifest for name in below["resources"] for manifest in _read(base / name)]
    (patch,) = (_read(base / one["path"])[0] for one in below["patches"])
    deployments = of_kind(found, "Deployment")
    for deployment in deployments.values():
        _merge(deployment["spec"], patch["spec"])
        for container in deployment["spec"]["template"]["spec"]["containers"]:
            (image,) = (one for one in top["images"] if one["name"] == container["image"])
            container["image"] = f"{image['newName']}:{image['newTag']}"
    for one in top["patches"]:
        for change in yaml.safe_load(one["patch"]):
            _put(deployments[one["target"]["name"]], change["path"].split("/")[1:], change["value"])
    for one in below["configMapGenerator"]:
        data = dict(line.split("=", 1) for line in one["literals"])
        found.append(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": one["name"]}, "data": data}
        )
    for manifest in found:
        if manifest["kind"] != "Namespace":
            manifest["metadata"]["namespace"] = below["namespace"]
    return found


def _merge(into: Any, patch: Any) -> None:
    """As Kubernetes merges: maps by key, the lists in them by the name or the path of what is in them."""
    for key, value in patch.items():
        match into.get(key), value:
            case dict() as there, dict():
                _merge(there, value)
            case [*there], [*others]:
                known = {_name(one): one for one in there}
                for other in others:
                    if _name(other) in known:
                        _merge(known[_name(other)], other)
                    else:
                        into[key].append(other)
            case _:
                into[key] = copy.deepcopy(value)


def _name(item: Any) -> object:
    return item.get("mountPath") or item.get("name") or str(item)


def _put(into: Any, path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        into = into[int(step)] if isinstance(into, list) else into[step]
    into[path[-1]] = value


def _read(path: Path) -> list[Manifest]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def of_kind(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    """The manifests of a kind, by name."""
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def containers(manifests: list[Manifest], secret: Mapping[str, str]) -> dict[str, Container]:
    """One container of each Deployment; `secret`: what stands in the Secret that all of them read."""
    maps = of_kind(manifests, "ConfigMap")
    return {
        name: _container(name, deployment["spec"]["template"]["spec"], maps, secret)
        for name, deployment in of_kind(manifests, "Deployment").items()
    }


def _container(
    name: str, pod: Manifest, maps: Mapping[str, Manifest], secret: Mapping[str, str]
) -> Container:
    (container,) = pod["containers"]
    env = image_env()
    for source in container["envFrom"]:
        env |= maps[source["configMapRef"]["name"]]["data"] if "configMapRef" in source else secret
    env |= {one["name"]: one["value"] for one in container.get("env", [])}
    probe = container["readinessProbe"]
    return Container(
        name=name,
        command=container["command"],
        env=env,
        health=probe["exec"]["command"] if "exec" in probe else [],
        health_url=probe["httpGet"]["path"] if "httpGet" in probe else "",
        grace_s=pod["terminationGracePeriodSeconds"] - pause_s(container),
        writable=frozenset(mount["mountPath"] for mount in container["volumeMounts"]),
    )


def pause_s(container: Manifest) -> float:
    """How long it goes on after its end was decided, before it is told."""
    hook = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    return float(hook[1])
