"""What the OpenAPI document says is what the service does, whatever schemathesis sends."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tests.e2e.conftest import Service, checkout, started
from tests.media import wav

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
)


SETTINGS: Final = {"ASR_MODEL": "tests.doubles.engines:InstantEngine", "ASR_INSTANCES": "2"}
KEY: Final = "a-secret-key"


@pytest.fixture(scope="module")
def instant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances that answer at once."""
    yield from started(checkout(tmp_path_factory.mktemp("openapi"), **SETTINGS))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same with a key, of which an upload a second is taken in."""
    limits = {"ASR_API_KEYS": KEY, "ASR_KEY_UPLOADS_PER_MINUTE": "60", "ASR_KEY_JOBS": "10"}
    yield from started(checkout(tmp_path_factory.mktemp("guarded"), **SETTINGS, **limits))


def test_document(instant: Service, tmp_path: Path) -> None:
    """No 5xx, and no status, type, header or body that the document does not name."""
    conforms(instant, tmp_path, {})


def test_document_with_limits(guarded: Service, tmp_path: Path) -> None:
    """The same where most uploads are too many."""
    conforms(guarded, tmp_path, {"Authorization": f"Bearer {KEY}"})


def test_document_without_the_key(guarded: Service, tmp_path: Path) -> None:
    """The same where a key is needed and not sent."""
    conforms(guarded, tmp_path, {})


def conforms(service: Service, folder: Path, headers: dict[str, str]) -> None:
    """Let schemathesis try, with these headers and the ids of some jobs where there may be some."""
    with service.client() as client:
        upload = {"file": ("a.wav", wav(np.zeros(8_000)))}
        answers = [client.post("/jobs", files=upload, headers=headers) for _ in range(3)]
    ids = ",".join(answer.json().get("id", "0" * 32) for answer in answers)

    done = service.run(
        "schemathesis.cli",
        "run",
        f"{service.url}/docs/openapi.json",
        "--max-examples=50",
        "--exclude-path=/monitoring/logs",  # it never ends: `test_logs` tests it
        f"--checks={','.join(CHECKS)}",
        "--suppress-health-check=all",
        "--continue-on-failure",
        "--generation-database=none",
        f"--report-dir={folder}",
        "--no-color",
        *(f"--header={name}: {value}" for name, value in headers.items()),
        env={"SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks", "JOB_IDS": ids, "no_proxy": "127.0.0.1"},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: " in done.stdout
