"""A request and its answer over HTTP, on gevent: nothing here may block but sockets and sleeps of its own."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
import gevent.ssl
import msgspec
from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPParseError, HTTPSocketResponse
from msgspec import Struct

from actors.access import tls
from loadtest.load import answers
from loadtest.load.answers import Answer
from loadtest.load.bodies import PATHS, Body
from loadtest.plan import Endpoint
from loadtest.records import TIMEOUT

#: For a connection to be made, and for a job that nobody waits for any more to be cancelled.
CONNECT_S: Final = 5.0

#: Bytes read at once: an answer is a few kilobytes, and a smaller one costs no more.
_BLOCK: Final = 1 << 16


class Reply(Struct, frozen=True, kw_only=True):
    """What became of a request; `first_segment_s` on the clock of `time.perf_counter`."""

    status: int = 0
    answer: Answer
    first_segment_s: float | None = None


class _Job(Struct):
    id: str


class _JobError(Struct):
    status: int
    message: str


class _Ended(Struct):
    error: _JobError | None


class _StreamError(Struct):
    type: str
    message: str


class _Event(Struct):
    """What we read of OpenAI's events."""

    type: str = ""
    text: str = ""
    error: _StreamError | None = None


class _Refused(Exception):
    def __init__(self, answer: HTTPSocketResponse) -> None:
        self.status: int = answer.status_code
        self.content: bytes = answer.read()
        super().__init__(self.status)


class Target(Struct, frozen=True, kw_only=True):
    """An endpoint of a server. Every request has a connection of its own, as independent clients have.

    One that is kept may be closed by the server at the moment of the next request: an error of the load
    test, not of the server.
    """

    url: str
    endpoint: Endpoint
    headers: Mapping[str, str]
    timeout_s: float
    #: The file with that of the service of this checkout; empty for another's, whom the system is to trust.
    certificate: str = ""

    @property
    def _connect_s(self) -> float:
        return min(CONNECT_S, self.timeout_s)

    @property
    def _prefix(self) -> str:
        """What a reverse proxy may have put before all paths."""
        return urlsplit(self.url).path.rstrip("/")

    def send(self, body: Body) -> Reply:
        """Hand a recording in and wait for its text, for `timeout_s` at most; errors are replies, too."""
        try:
            with gevent.Timeout(self.timeout_s), contextlib.closing(self._client()) as http:
                match self.endpoint:
                    case Endpoint.JOBS:
                        return self._job(http, body)
                    case Endpoint.STREAM:
                        return self._stream(http, body)
                    case _:
                        said = self._post(http, body)
                        answer = answers.judge(self.endpoint, said.status_code, said.read())
                        return Reply(status=said.status_code, answer=answer)
        except gevent.Timeout:
            return Reply(answer=answers.failure(TIMEOUT, f"no answer within {self.timeout_s:g} s"))
        except TimeoutError:
            why = f"no connection within {self._connect_s:g} s"
            return Reply(answer=answers.failure(answers.CONNECTION, why))
        except (OSError, HTTPParseError) as error:
            return Reply(answer=answers.failure(answers.CONNECTION, str(error) or type(error).__name__))
        except answers.UNDECODABLE as error:
            return Reply(status=200, answer=answers.failure(answers.UNREADABLE, str(error)))
        except _Refused as refused:
            why = answers.reason(refused.content)
            return Reply(status=refused.status, answer=answers.failure(str(refused.status), why))

    def _stream(self, http: HTTPClient, body: Body) -> Reply:
        first_s, segments, answer = None, 0, _broken_off()
        for _, data in _events(_expect(200, self._post(http, body))):
            event = msgspec.json.decode(data, type=_Event)
            if event.error:
                answer = answers.failure(event.error.type, event.error.message)
            elif event.type == "transcript.text.delta":
                first_s = first_s or time.perf_counter()
                segments += 1
            elif event.type == "transcript.text.done":
                answer = Answer(text=event.text, segments=segments)
        return Reply(status=200, answer=answer, first_segment_s=first_s)

    def _job(self, http: HTTPClient, body: Body) -> Reply:
        job = msgspec.json.decode(_expect(202, self._post(http, body)).read(), type=_Job).id
        try:
            return self._follow(http, f"/jobs/{job}")
        except (gevent.Timeout, gevent.GreenletExit):
            self._cancel(f"/jobs/{job}")
            raise

    def _follow(self, http: HTTPClient, job: str) -> Reply:
        first_s, ended = None, None
        for name, data in _events(_expect(200, self._get(http, f"{job}/events"))):
            if name == "segment":
                first_s = first_s or time.perf_counter()
            elif name == "done":
                ended = msgspec.json.decode(data, type=_Ended)
        if ended is None:
            return Reply(status=200, answer=_broken_off(), first_segment_s=first_s)
        if ended.error:
            answer = answers.failure(str(ended.error.status), ended.error.message)
            return Reply(status=200, answer=answer, first_segment_s=first_s)
        result = self._get(http, f"{job}/result?format=json")
        answer = answers.judge(Endpoint.JOBS, result.status_code, result.read())
        return Reply(status=result.status_code, answer=answer, first_segment_s=first_s)

    def _cancel(self, job: str) -> None:
        """The service is not to work for nobody."""
        with (
            contextlib.suppress(OSError, HTTPParseError, gevent.Timeout),
            gevent.Timeout(CONNECT_S),
            contextlib.closing(self._client()) as http,
        ):
            http.request("DELETE", self._prefix + job, headers=self.headers).read()

    def _post(self, http: HTTPClient, body: Body) -> HTTPSocketResponse:
        headers = {**self.headers, "Content-Type": body.content_type}
        return http.request("POST", self._prefix + PATHS[self.endpoint], body.content, headers)

    def _get(self, http: HTTPClient, path: str) -> HTTPSocketResponse:
        return http.request("GET", self._prefix + path, headers=self.headers)

    def _client(self) -> HTTPClient:
        trust: dict[str, Any] = {}
        if self.certificate:
            context = tls.trust_of(Path(self.certificate), gevent.ssl.create_default_context)
            # Not its name, which is rarely 127.0.0.1, but the certificate itself is looked at.
            trust = {"ssl_context_factory": lambda **_: context, "insecure": True}
        return HTTPClient.from_url(
            self.url,
            **trust,
            block_size=_BLOCK,
            connection_timeout=self._connect_s,
            network_timeout=None,  # `send` waits no longer than the timeout for all of it
        )


def _expect(status: int, answer: HTTPSocketResponse) -> HTTPSocketResponse:
    if answer.status_code != status:
        raise _Refused(answer)
    return answer


def _broken_off() -> Answer:
    return answers.failure(answers.CONNECTION, "the stream broke off")


def _events(answer: HTTPSocketResponse) -> Iterator[tuple[str, bytes]]:
    """The name and the data of each event: ours fit on a line.

    Format: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
    """
    name = ""
    while line := answer.readline(b"\n"):
        field, _, value = line.rstrip(b"\r\n").partition(b":")
        value = value.removeprefix(b" ")
        match field:
            case b"event":
                name = value.decode()
            case b"data":
                yield name, value
            case b"":
                name = ""
            case _:
                pass
