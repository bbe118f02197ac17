"""Mixed use of a service of its own for a while, and what has grown by then: `python -m tests.soak`.

Several clients do in turn what clients do, rightly and wrongly. Every so often all of them rest until results
have expired, and it is written down what the service holds: at first that is the warm-up. Exit status 1 where
a figure has grown by more than 2 %, a floor for small ones aside, or an answer was not what it should be.
"""

import argparse
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

from loadtest.bench.services import Service, service
from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from tests.soak.drift import BOUNDED_MB, Drift, drifts
from tests.soak.looks import Look, look
from tests.soak.uses import USES, Broken, Client, Spoken

CLIENTS: Final = 6

#: Results are kept for the least that they may, and the monitor sweeps as often.
TTL_S: Final = 60
SWEEP_S: Final = 10

#: Until results have expired and the sweep has been.
REST_S: Final = TTL_S + 3 * SWEEP_S

#: What goes wrong is shown so often.
SHOWN: Final = 10


def main() -> int:
    """Use, look, print, and judge."""
    asked = _arguments()
    console = Console(highlight=False, width=110)
    settings = {
        "result_ttl_s": TTL_S,
        "monitor_interval_s": SWEEP_S,
        "instances": asked.instances,
        "request_timeout_s": 120,
    }
    looks: list[Look] = []
    with tempfile.TemporaryDirectory() as folder, service(Path(folder), asked.model, **settings) as served:
        use = Use(served, asked.seed)
        ends_s = time.monotonic() + asked.minutes * 60
        for left in range(asked.looks + 1, 0, -1):
            with use.going_on():
                time.sleep(max(1.0, (ends_s - time.monotonic()) / left - REST_S))
            time.sleep(REST_S)
            looks.append(look(served))
            console.print(f"{use.done.total()} uses, {sum(use.broken.values())} went wrong", soft_wrap=True)
    found = drifts(looks[0], looks[-1])
    console.print(_table(found, looks))
    console.print(f"uses: {dict(use.done)}", soft_wrap=True)
    for sentence, times in use.broken.most_common(SHOWN):
        console.print(f"broken, {times} times: {sentence}", soft_wrap=True, markup=False)
    return 1 if use.broken or any(drift.too_much for drift in found) else 0


class Use:
    """Clients that use a service; what they did, and what went wrong."""

    def __init__(self, served: Service, seed: int) -> None:
        self.done: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self._served = served
        self._chances = [random.Random(seed * CLIENTS + number) for number in range(CLIENTS)]
        self._spoken = spoken(served)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """For as long as this lasts."""
        over = threading.Event()
        clients = [
            threading.Thread(target=self._use, args=(chance, over), daemon=True) for chance in self._chances
        ]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            over.set()
            for client in clients:
                client.join()

    def _use(self, chance: random.Random, over: threading.Event) -> None:
        while not over.is_set():
            (use,) = chance.choices(list(USES), list(USES.values()))
            with self._served.client() as http:
                http.timeout = httpx.Timeout(300)
                try:
                    use(Client(http, self._spoken, chance))
                except (Broken, httpx.HTTPError) as error:
                    self.broken[f"{use.__name__}: {error or type(error).__name__}"] += 1
            self.done[use.__name__] += 1


def spoken(served: Service) -> Sequence[Spoken]:
    """Each recording with the subtitles that it has alone."""
    known = []
    with served.client() as http:
        for clip in clips("en", "zh"):
            file = encoded(clip.audio, "wav")
            form = {"lang": clip.language}
            said = http.post("/asr", files={"file": ("a.wav", file)}, data=form).raise_for_status().json()
            known.append(Spoken(file, clip.language, said["data"]))
    return known


def _table(found: Sequence[Drift], looks: Sequence[Look]) -> Table:
    table = Table("figure", "warm", *(f"look {n}" for n in range(2, len(looks) + 1)), "drift", "", box=None)
    for drift in found:
        share = "" if drift.share is None else f"{drift.share:+.1%}"
        verdict = "too much" if drift.too_much else "bounded" if drift.figure in BOUNDED_MB else ""
        table.add_row(drift.figure, *(f"{seen.get(drift.figure, 0):.1f}" for seen in looks), share, verdict)
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./justw soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--looks", type=int, default=4, help="after that of the warm-up")
    parser.add_argument("--model", default="whisper-base")
    parser.add_argument("--instances", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
