"""Users who send recordings, come again when told to, and compare every text."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import httpx
from msgspec import Struct

from loadtest.corpus import Recording
from tests.chaos.ledger import Event, Ledger, Outcome

#: Nobody waits longer for an answer, or for the end of a job.
PATIENCE_S: Final = 180.0

#: A user whose connection is silent for this long makes a new one.
SILENCE_S: Final = 60.0

#: Pause before a refused or broken request is sent again, and between two looks at a job.
PAUSE_S: Final = 0.5

_COME_AGAIN: Final = {429, 503}


class Lost(Exception):
    """A promise is broken; the message says how."""


class Known(Struct, frozen=True):
    """A recording, and the subtitles it gets when it is sent alone."""

    name: str
    file: bytes
    language: str
    subtitles: str


class Requests:
    """Requests that are made again until they are answered; each try is noted."""

    def __init__(self, url: str, ledger: Ledger, callback: str = "") -> None:
        """`callback`: the URL that is told of each job's end."""
        self._callback = callback
        self._http = httpx.Client(base_url=url, timeout=SILENCE_S, trust_env=False)
        self._ledger = ledger

    def transcribe(self, file: bytes, language: str) -> str:
        """The subtitles of a recording, by a request that waits for them.

        Raises:
            Lost: it is not answered as it should be.
        """
        answer = self._until_answered(lambda: self._post("/asr", file, language), upload=True)
        if answer.status_code == 504:  # the job goes on, and is named
            return self.result(answer.json()["msg"].rpartition("/")[2])
        return str(_expect(200, answer).json()["data"])

    def hand_in(self, file: bytes, language: str, key: str) -> str:
        """The id of a new job; sent again with its key it is no other.

        Raises:
            Lost: it is not answered as it should be.
        """
        headers, form = {"Idempotency-Key": key}, {"callback": self._callback}
        answer = self._until_answered(lambda: self._post("/jobs", file, language, headers, form), upload=True)
        job_id = str(_expect(202, answer).json()["id"])
        self._ledger.expect_callback(job_id)
        return job_id

    def result(self, job_id: str) -> str:
        """The subtitles of a job, once it has ended.

        Raises:
            Lost: it is gone, has not ended well, or does not end.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            job = _expect(200, self._until_answered(lambda: self._http.get(f"/jobs/{job_id}"))).json()
            if job["state"] == "done":
                return self._subtitles(job_id)
            if job["state"] not in {"queued", "running"}:
                raise Lost(f"job {job_id} is {job['state']}: {job['error']}")
            if time.monotonic() > deadline_s:
                raise Lost(f"job {job_id} does not end: {job}")
            time.sleep(PAUSE_S)

    def _subtitles(self, job_id: str) -> str:
        path = f"/jobs/{job_id}/result?format=srt"
        return str(_expect(200, self._until_answered(lambda: self._http.get(path))).text)

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _post(
        self,
        path: str,
        file: bytes,
        language: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        fields = {"lang": language, **(form or {})}
        return self._http.post(path, files={"file": ("recording", file)}, data=fields, headers=headers)

    def _until_answered(self, send: Callable[[], httpx.Response], *, upload: bool = False) -> httpx.Response:
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            began_s = time.monotonic()

            def note(outcome: Outcome, text: str = "", began_s: float = began_s) -> None:
                took_s = time.monotonic() - began_s
                event = Event(outcome=outcome, began_s=began_s, took_s=took_s, upload=upload, note=text)
                self._ledger.note(event)

            try:
                answer = send()
            except httpx.TransportError as error:
                note(Outcome.BROKEN, type(error).__name__)
            else:
                if answer.status_code not in _COME_AGAIN:
                    note(Outcome.ANSWERED)
                    return answer
                if int(answer.headers.get("retry-after", "0")) <= 0:
                    raise Lost(f"{answer.status_code} without Retry-After: {answer.text}")
                note(Outcome.REFUSED, answer.text)
            time.sleep(PAUSE_S)
        raise Lost(f"no answer within {PATIENCE_S:.0f} s")


class User(threading.Thread):
    """Sends recordings one after the other until told to stop; half of them as jobs."""

    def __init__(
        self, name: str, requests: Requests, known: Sequence[Known], ledger: Ledger, stop: threading.Event
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._rng = random.Random(name)
        self._requests = requests
        self._known = known
        self._ledger = ledger
        self._stop_asked = stop

    def run(self) -> None:
        """Send, compare, note."""
        sent = 0
        while not self._stop_asked.is_set():
            known, began_s = self._rng.choice(self._known), time.monotonic()
            sent += 1
            try:
                if self._rng.random() < 0.5:
                    heard = self._requests.transcribe(known.file, known.language)
                else:
                    job_id = self._requests.hand_in(known.file, known.language, f"{self.name}-{sent}")
                    heard = self._requests.result(job_id)
            except Exception as error:  # noqa: BLE001 - a user's thread must not end unheard
                self._note(Outcome.LOST, began_s, f"{known.name}: {error}")
            else:
                if heard != known.subtitles:
                    self._note(Outcome.WRONG, began_s, f"{known.name}: {heard!r}")
        self._requests.close()

    def _note(self, outcome: Outcome, began_s: float, note: str) -> None:
        took_s = time.monotonic() - began_s
        self._ledger.note(Event(outcome=outcome, began_s=began_s, took_s=took_s, note=note))


def alone(url: str, recordings: Sequence[Recording]) -> list[Known]:
    """Each recording with the subtitles that it gets while nothing else is asked."""
    requests, known = Requests(url, Ledger()), list[Known]()
    try:
        for one in recordings:
            file = one.path.read_bytes()
            known.append(Known(one.name, file, one.language, requests.transcribe(file, one.language)))
        return known
    finally:
        requests.close()


def _expect(status: int, answer: httpx.Response) -> Any:
    if answer.status_code != status:
        raise Lost(f"{answer.status_code} instead of {status}: {answer.text}")
    return answer
