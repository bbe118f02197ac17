"""For `test_openapi`: what schemathesis sends is often a real recording, and often names a real job."""

import os
import random
from typing import Any, Final

import numpy as np
import schemathesis
from schemathesis import HookContext

from tests.media import wav

RECORDING: Final = wav(np.zeros(8_000))
JOB_IDS: Final = os.environ["JOB_IDS"].split(",")


@schemathesis.hook
def map_path_parameters(_: HookContext, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Mostly a job that there is."""
    if path_parameters and "job_id" in path_parameters and random.random() < 0.7:
        return path_parameters | {"job_id": random.choice(JOB_IDS)}
    return path_parameters


@schemathesis.hook
def map_body(_: HookContext, body: Any) -> Any:
    """Mostly a recording."""
    if isinstance(body, dict) and "file" in body and random.random() < 0.7:
        return body | {"file": RECORDING}
    return body
