"""Speaks to the running service of this checkout, as its operator."""

import ssl
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx

from actors import settings
from actors.access import tls
from deploy import running

#: No limit on the answer: a synchronous request lasts as long as its segments keep finishing.
TIMEOUT: Final = httpx.Timeout(None, connect=5.0)


class NotServed(Exception):
    """The service is down or refused the recording; the message says which and what helps."""


def url() -> str:
    """Where the service of this checkout is, or would be.

    Raises:
        NotServed: no API runs on this host.
    """
    service = running.read()
    known = service.url if service else running.url_of(settings.load())
    if not known:
        raise NotServed("ASR_PARTS leaves the API to another host: run this there.")
    return known


def authorization() -> dict[str, str]:
    """The header that says who asks; none where no service runs, or one of before there were keys."""
    service = running.read()
    return {"Authorization": f"Bearer {service.key}"} if service and service.key else {}


def trust() -> ssl.SSLContext | bool:
    """Whom to believe to be the running service; True, as httpx has it, is who the system believes.

    Raises:
        NotServed: its certificate is no more where it was, nor known otherwise.
    """
    service = running.read()
    if not service or not service.certificate:
        return True
    try:
        # It shows the one of its start until it is started anew, by whomever.
        return tls.trust_in(service.shown + tls.first_of(Path(service.certificate)))
    except OSError as error:
        if service.shown:
            return tls.trust_in(service.shown)
        raise NotServed(f"{service.certificate} cannot be read: {error.strerror}.") from error


class Client:
    """The service at a URL; a context manager."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        # The service is on this machine: a proxy that the environment names is not meant for it.
        self._http = httpx.Client(
            base_url=base_url, headers=authorization(), timeout=TIMEOUT, trust_env=False, verify=trust()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def upload(self, path: str, recording: Path, **fields: str) -> dict[str, Any]:
        """Send a recording, read from disk as it is sent, with these fields of the form; return the answer.

        Raises:
            NotServed: no service answers, or it answers with an error.
            OSError: the file cannot be read.
        """
        with recording.open("rb") as file:
            try:
                answer = self._ask("POST", path, files={"file": (recording.name, file)}, data=fields)
            except Refusal as refusal:
                raise NotServed(f"{recording.name}: {refusal}") from None
        body: dict[str, Any] = answer.json()
        return body

    def get(self, path: str) -> dict[str, Any]:
        """The answer to a GET.

        Raises:
            NotServed: no service answers, or it answers with an error.
        """
        try:
            body: dict[str, Any] = self._ask("GET", path).json()
        except ValueError as error:
            raise NotServed(f"Something else answers at {self.base_url}.") from error
        return body

    def text(self, path: str, **params: str) -> str:
        """The text that a GET answers with.

        Raises:
            NotServed: no service answers, or it answers with an error.
        """
        return self._ask("GET", path, params=params).text

    def delete(self, path: str) -> None:
        """Delete something.

        Raises:
            NotServed: no service answers, or it answers with an error.
        """
        self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise NotServed(
                    f"{self.base_url} shows another certificate than that in ASR_TLS_CERT, now or at its "
                    "start: ./justw restart, if it is yours."
                ) from error
            raise NotServed(f"Nothing answers at {self.base_url}: run ./justw start.") from error
        except httpx.TransportError as error:
            raise NotServed(
                f"The connection to {self.base_url} broke off ({error}): see ./justw status."
            ) from error
        if not answer.is_success:
            raise Refusal(answer)
        return answer


class Refusal(NotServed):
    """The service answers with an error; the message is its reason and status."""

    def __init__(self, answer: httpx.Response) -> None:
        try:
            body = answer.json()
            reason = body.get("msg") or body.get("detail")
        except (ValueError, AttributeError):
            reason = None
        self.status = answer.status_code
        super().__init__(f"{reason or 'the service could not answer'} (HTTP {answer.status_code})")
