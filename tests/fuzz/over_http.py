"""Files to the running service, and good ones in between."""

import time
from pathlib import Path
from typing import Final

import httpx

from actors.queue.delivery_limit import POISONOUS
from tests.fuzz.samples import sample
from tests.fuzz.verdict import Outcome, Verdict

#: What a client may be told of a file.
REFUSED: Final = {413, 415, 422}

#: Overload is no answer: it is asked again.
BUSY: Final = {429, 503}

#: A file has its answer by then, whatever else the service does.
HANGS_S: Final = 120.0

#: So often a good file goes in between.
EVERY: Final = 10

_BUSY_PAUSE_S: Final = 1.0


class OverHttp:
    """Sends files; the answer to a good one never changes."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._sent = 0
        self._good = sample("wav")
        self._answer = self._post(self._good)
        self._answer.raise_for_status()

    def __call__(self, path: Path) -> Verdict:
        """What becomes of a file."""
        began_s = time.perf_counter()
        try:
            answer = self._post(path.read_bytes())
            self._sent += 1
            if self._sent % EVERY == 0 and self._post(self._good).json() != self._answer.json():
                return Verdict(Outcome.BROKEN, "a good file behind it was answered wrong")
        except httpx.TransportError as error:
            return Verdict(Outcome.HANGS, repr(error), time.perf_counter() - began_s)
        return Verdict(_outcome(answer), answer.text[:200], time.perf_counter() - began_s)

    def _post(self, content: bytes) -> httpx.Response:
        form = {"file": ("a.bin", content)}
        until_s = time.monotonic() + HANGS_S
        while (answer := self._client.post("/asr", files=form, data={"lang": "en"})).status_code in BUSY:
            if time.monotonic() > until_s:
                break
            time.sleep(_BUSY_PAUSE_S)
        return answer


def _outcome(answer: httpx.Response) -> Outcome:
    if POISONOUS in answer.text:
        return Outcome.POISONOUS
    if answer.status_code in REFUSED:
        return Outcome.REFUSED
    if answer.is_success and not answer.json()["stats"]["failed_segments"]:
        return Outcome.HEARD
    return Outcome.BROKEN
