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


@pytest.fixture(scope="module")
def instant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances that answer at once."""
    settings = {"ASR_MODEL": "tests.doubles.engines:InstantEngine", "ASR_INSTANCES": "2"}
    yield from started(checkout(tmp_path_factory.mktemp("openapi"), **settings))


def test_document(instant: Service, tmp_path: Path) -> None:
    """No 5xx, and no status, type, header or body that the document does not name."""
    with instant.client() as client:
        answers = [client.post("/jobs", files={"file": ("a.wav", wav(np.zeros(8_000)))}) for _ in range(3)]
    ids = ",".join(answer.json()["id"] for answer in answers)

    done = instant.run(
        "schemathesis.cli",
        "run",
        f"{instant.url}/docs/openapi.json",
        "--max-examples=50",
        f"--checks={','.join(CHECKS)}",
        "--suppress-health-check=all",
        "--continue-on-failure",
        "--generation-database=none",
        f"--report-dir={tmp_path}",
        "--no-color",
        env={"SCHEMATHESIS_HOOKS": "tests.e2e.schemathesis_hooks", "JOB_IDS": ids, "no_proxy": "127.0.0.1"},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tested: " in done.stdout
