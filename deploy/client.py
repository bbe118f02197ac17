"""Sends recordings to the running service of this checkout."""

from pathlib import Path
from typing import Any, Final

import httpx

from actors import settings
from deploy import running

#: No limit on the answer: a synchronous request lasts as long as its segments keep finishing.
TIMEOUT: Final = httpx.Timeout(None, connect=5.0)


class NotServed(Exception):
    """The service is down or refused the recording; the message says which and what helps."""


def url() -> str:
    """Where the service of this checkout is, or would be."""
    service = running.read()
    if service:
        return service.url
    config = settings.load()
    return running.local_url(config.host, config.port)


def post(base_url: str, path: str, recording: Path, **fields: str) -> dict[str, Any]:
    """Upload a recording, read from disk as it is sent, with these fields of the form; return the answer.

    Raises:
        NotServed: no service answers, or it answers with an error.
        OSError: the file cannot be read.
    """
    with recording.open("rb") as file, httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
        try:
            answer = client.post(f"{base_url}{path}", files={"file": (recording.name, file)}, data=fields)
        except httpx.ConnectError as error:
            raise NotServed(f"Nothing answers at {base_url}: run ./justw start.") from error
        except httpx.TransportError as error:
            raise NotServed(
                f"The connection to {base_url} broke off ({error}): see ./justw status."
            ) from error
    if answer.is_success:
        body: dict[str, Any] = answer.json()
        return body
    raise NotServed(f"{recording.name}: {_reason(answer)} (HTTP {answer.status_code})")


def get(base_url: str, path: str) -> dict[str, Any]:
    """The answer to a GET.

    Raises:
        NotServed: no service answers.
    """
    try:
        body: dict[str, Any] = httpx.get(f"{base_url}{path}", timeout=TIMEOUT, trust_env=False).json()
    except (httpx.TransportError, ValueError) as error:
        raise NotServed(f"Nothing answers at {base_url}: run ./justw start.") from error
    return body


def _reason(answer: httpx.Response) -> str:
    try:
        body = answer.json()
        return str(body.get("msg") or body.get("detail"))
    except (ValueError, AttributeError):
        return "the service could not answer"
