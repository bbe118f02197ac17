"""Asks the running service how its instances are and what they do."""

from typing import TypeVar

import httpx
import msgspec

from deploy.client import NotServed, authorization, trust
from monitoring.health import HealthReport
from monitoring.statistics import Statistics

TIMEOUT_S = 5.0

_T = TypeVar("_T")


def health(url: str) -> HealthReport | None:
    """The health of the service at `url`, None while it does not know or does not answer."""
    return _ask(f"{url}/health", HealthReport)


def statistics(url: str) -> Statistics | None:
    """The statistics of the service at `url`, None while it does not answer."""
    return _ask(f"{url}/stats", Statistics)


def _ask(url: str, wanted: type[_T]) -> _T | None:
    try:
        # The service is on this machine: a proxy that the environment names is not meant for it.
        answer = httpx.get(url, headers=authorization(), timeout=TIMEOUT_S, trust_env=False, verify=trust())
        return msgspec.json.decode(answer.content, type=wanted)
    except (httpx.HTTPError, msgspec.DecodeError, NotServed):
        return None
