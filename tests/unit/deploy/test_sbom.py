"""The list of what an installation consists of."""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from actors.weights import manifest
from deploy import sbom


@pytest.fixture(scope="module")
def listed() -> dict[str, Any]:
    """The list of this environment."""
    return sbom.document()


@pytest.fixture(scope="module")
def components(listed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its components by name."""
    return {component["name"]: component for component in listed["components"]}


def test_it_is_valid_cyclonedx(listed: dict[str, Any]) -> None:
    """By the schema of CycloneDX, unknown properties refused."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(listed)) is None


def test_packages_are_listed_as_they_are_installed(components: dict[str, dict[str, Any]]) -> None:
    """With version and licence."""
    litestar = components["litestar"]

    assert litestar["version"] == version("litestar")
    assert litestar["purl"] == f"pkg:pypi/litestar@{version('litestar')}"
    assert litestar["licenses"][0]["license"]["id"] == "MIT"


def test_every_package_has_a_licence(components: dict[str, dict[str, Any]]) -> None:
    """In its own words where it names no identifier."""
    assert [name for name, component in components.items() if not component.get("licenses")] == []
    assert components["supervisor"]["licenses"][0]["license"]["name"].startswith("BSD-derived")
    assert "unknown" not in json.dumps([component["licenses"] for component in components.values()])


def test_models_are_listed_with_the_hashes_of_their_files(components: dict[str, dict[str, Any]]) -> None:
    """The hashes that are checked before a model is loaded."""
    for model in manifest.read().values():
        listed = components[model.name]

        assert listed["type"] == "machine-learning-model"
        assert {file["name"]: file["hashes"] for file in listed["components"]} == {
            file.path: [{"alg": "SHA-256", "content": file.sha256}] for file in model.files
        }


def test_the_service_depends_on_packages_and_models(listed: dict[str, Any]) -> None:
    """What a scanner walks along."""
    root = listed["metadata"]["component"]["bom-ref"]
    (needed,) = [entry["dependsOn"] for entry in listed["dependencies"] if entry["ref"] == root]

    assert "model:whisper-base" in needed
    assert any(ref.startswith("litestar==") for ref in needed)


def test_a_model_with_a_licence_of_its_own_is_optional(components: dict[str, dict[str, Any]]) -> None:
    """SenseVoiceSmall is fetched when named, and its licence has no identifier."""
    sensevoice = components["sensevoice-small"]

    assert sensevoice["scope"] == "optional"
    assert sensevoice["licenses"] == [{"license": {"name": "FunASR Model License 1.1"}}]


def test_it_is_written_beside_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name counts from where the recipe was called."""
    monkeypatch.setattr(sbom, "document", dict)

    assert sbom.main(["--from", str(tmp_path), "quintet.cdx.json"]) == 0
    assert (tmp_path / "quintet.cdx.json").read_text(encoding="utf-8") == "{}\n"
