"""A client beside the load that asks again and again: how a lone request fares."""

import threading
import time
from types import TracebackType
from typing import Final, Self

import httpx
from msgspec import Struct

from actors.clock import now_ms

#: Between an answer and the next request.
PAUSE_S: Final = 0.2

TIMEOUT_S: Final = 60.0


class Asked(Struct, frozen=True):
    """A lone request: when it was sent, its status (0: there was no answer), and how long it took."""

    sent_ms: int
    status: int
    took_s: float


class Probe(threading.Thread):
    """Asks for as long as it lasts; a context manager."""

    def __init__(self, url: str, file: bytes) -> None:
        super().__init__(name="probe", daemon=True)
        self.asked: list[Asked] = []
        self._url = url
        self._file = file
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Ask."""
        while not self._over.wait(PAUSE_S):
            self.asked.append(ask(self._url, self._file))


def ask(url: str, file: bytes) -> Asked:
    """One request, on a connection of its own."""
    sent_ms, began_s = now_ms(), time.perf_counter()
    try:
        with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client:
            status = client.post("/asr", files={"file": ("a.wav", file)}).status_code
    except httpx.TransportError:
        status = 0
    return Asked(sent_ms, status, time.perf_counter() - began_s)
