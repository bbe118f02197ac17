"""The engine without a service around it: processes that each have one, and recognise batches at once."""

import itertools
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from msgspec import Struct

from actors.batcher import usual_limits
from actors.engines.base import Row
from actors.engines.sensevoice import SenseVoiceEngine
from loadtest.bench import speech

#: All processes end at about the same time, so that none has the cores to itself at last.
ROUND_S: Final = 8.0


class Link(Protocol):
    """One end of a pipe."""

    def send(self, obj: object, /) -> None:
        """Tell the other end."""
        ...

    def recv(self) -> Any:
        """Wait for what the other end tells."""
        ...


class Crew(Struct, frozen=True):
    """Processes, each with an engine, and its share of the rows to recognise over and over."""

    links: tuple[Link, ...]

    def rtfx(self) -> float:
        """Seconds of speech per second, all processes together, for about `ROUND_S`."""
        for link in self.links:
            link.send("go")
        return sum(float(str(link.recv())) for link in self.links)


@contextmanager
def crew(folder: Path, rows: Sequence[Row], processes: int, threads: int) -> Iterator[Crew]:
    """So many processes with the precision that an instance on a CPU has; they end with this one."""
    spawn = multiprocessing.get_context("spawn")
    started, links = [], list[Link]()
    try:
        for number in range(processes):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(
                target=_work, args=(folder, threads, rows[number::processes], theirs), daemon=True
            )
            process.start()
            started.append(process)
            links.append(ours)
        for link in links:
            link.recv()
        yield Crew(tuple(links))
    finally:
        for process in started:
            process.terminate()
            process.join()


def _work(folder: Path, threads: int, rows: Sequence[Row], link: Link) -> None:
    engine = SenseVoiceEngine(folder)
    engine.load("cpu", threads)
    batches = list(speech.batches(rows, usual_limits("cpu", engine)))
    engine.recognize(batches[0])
    link.send("ready")
    while True:
        link.recv()
        link.send(_rtfx(engine, batches))


def _rtfx(engine: SenseVoiceEngine, batches: Sequence[Sequence[Row]]) -> float:
    endless = itertools.cycle(batches)
    began_s, audio_s = time.perf_counter(), 0.0
    while (took_s := time.perf_counter() - began_s) < ROUND_S:
        batch = next(endless)
        engine.recognize(batch)
        audio_s += speech.audio_s(batch)
    return audio_s / took_s
