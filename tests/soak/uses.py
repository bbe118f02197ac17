"""What clients do, rightly and wrongly, each checked for what must come of it."""

import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Final

import httpx
import numpy as np
from msgspec import Struct

from tests.media import wav

#: Before a client gives up that hangs up.
IMPATIENCE_S: Final = 0.1


class Broken(Exception):
    """The service has answered otherwise than it should."""


class Spoken(Struct, frozen=True):
    """A recording, its language, and the subtitles that it has alone."""

    file: bytes
    language: str
    subtitles: str


class Client:
    """One client, who chooses by chance among these recordings."""

    def __init__(self, http: httpx.Client, spoken: Sequence[Spoken], chance: random.Random) -> None:
        self._http = http
        self._spoken = spoken
        self._chance = chance

    def transcribe(self) -> None:
        """A recording, as most."""
        spoken = self._chance.choice(self._spoken)
        answer = self._expect({200}, self._send("/asr", spoken.file, lang=spoken.language))
        self._compare(answer.json()["data"], spoken)

    def hand_in(self) -> None:
        """A job, followed to its end."""
        spoken = self._chance.choice(self._spoken)
        job = self._expect({202}, self._send("/jobs", spoken.file, lang=spoken.language)).json()["id"]
        with self._http.stream("GET", f"/jobs/{job}/events") as events:
            for _ in events.iter_lines():
                pass
        result = self._expect({200}, self._http.get(f"/jobs/{job}/result", params={"format": "srt"}))
        self._compare(result.text, spoken)

    def cancel(self) -> None:
        """A job that is not wanted after all, wherever it is by then."""
        spoken = self._chance.choice(self._spoken)
        job = self._expect({202}, self._send("/jobs", spoken.file, lang=spoken.language)).json()["id"]
        self._expect({204}, self._http.delete(f"/jobs/{job}"))

    def hang_up(self) -> None:
        """A request that its client does not wait for."""
        with contextlib.suppress(httpx.TimeoutException):
            self._send("/asr", self._chance.choice(self._spoken).file, timeout_s=IMPATIENCE_S)

    def leave_a_stream(self) -> None:
        """Events that are followed no further than the first."""
        job = self._expect({202}, self._send("/jobs", self._chance.choice(self._spoken).file)).json()["id"]
        with self._http.stream("GET", f"/jobs/{job}/events") as events:
            next(events.iter_lines())

    def send_noise(self) -> None:
        """No recording at all, though it may begin like one."""
        self._expect(
            {415, 422}, self._send("/asr", self._chance.randbytes(self._chance.randrange(1, 100_000)))
        )

    def send_nothing(self) -> None:
        """An empty file."""
        self._expect({422}, self._send("/asr", b""))

    def send_half(self) -> None:
        """A recording that breaks off."""
        file = self._chance.choice(self._spoken).file
        self._expect({200, 422}, self._send("/asr", file[: len(file) // 2]))

    def send_silence(self) -> None:
        """A recording in which nothing is said."""
        answer = self._expect(
            {200}, self._send("/asr", wav(np.zeros(self._chance.randrange(1_600, 160_000))))
        )
        if answer.json()["data"]:
            raise Broken("silence was heard as speech")

    def send_a_bad_field(self) -> None:
        """A language that is none."""
        self._expect({422}, self._send("/asr", self._chance.choice(self._spoken).file, lang="elvish"))

    def ask_for_nothing(self) -> None:
        """A job that never was."""
        self._expect({404}, self._http.get(f"/jobs/{self._chance.randbytes(16).hex()}"))

    def look(self) -> None:
        """What operators ask all the time."""
        for path in ("/health", "/stats", "/metrics", "/jobs", "/"):
            self._expect({200}, self._http.get(path))

    def _send(self, path: str, file: bytes, timeout_s: float | None = None, **form: str) -> httpx.Response:
        timeout = self._http.timeout if timeout_s is None else httpx.Timeout(timeout_s)
        return self._http.post(path, files={"file": ("a.wav", file)}, data=form, timeout=timeout)

    def _expect(self, statuses: set[int], answer: httpx.Response) -> httpx.Response:
        if answer.status_code not in statuses:
            request = f"{answer.request.method} {answer.request.url.path}"
            raise Broken(f"{request}: {answer.status_code} {answer.text[:200]}")
        return answer

    def _compare(self, subtitles: str, spoken: Spoken) -> None:
        if subtitles != spoken.subtitles:
            raise Broken(f"{subtitles!r} instead of {spoken.subtitles!r}")


#: What is done, and how often among all.
USES: Final[dict[Callable[[Client], None], int]] = {
    Client.transcribe: 8,
    Client.hand_in: 4,
    Client.cancel: 2,
    Client.hang_up: 2,
    Client.leave_a_stream: 1,
    Client.send_noise: 2,
    Client.send_nothing: 1,
    Client.send_half: 2,
    Client.send_silence: 1,
    Client.send_a_bad_field: 1,
    Client.ask_for_nothing: 1,
    Client.look: 1,
}
