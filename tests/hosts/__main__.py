"""Hosts that are cut off under load: `python -m tests.hosts [--cuts N] [--seconds S] [--model M]`.

Starts a Redis, a host with the API and one with workers, measures, starts another one with workers, measures
again, and cuts these off in turn. Ends with a table, and with 1 if a promise was broken.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from loadtest.metrics import Metrics
from tests.chaos.__main__ import WIDTH, load
from tests.chaos.ledger import Ledger, Outcome, counts
from tests.chaos.target import until
from tests.chaos.users import alone
from tests.hosts.cluster import Cluster, cluster
from tests.hosts.loopback import loopback
from tests.hosts.network import network, possible
from tests.hosts.trial import PATIENCE_S, WARM_S, Cut, Late, broken, cut_off, using

#: The speed is measured for so long.
MEASURED_S: Final = 30.0

_COLUMNS: Final = (
    "cut off",
    "noticed after, s",
    "for, s",
    "ready after, s",
    "at work after, s",
    "answered meanwhile",
    "slowest, s",
)


def main() -> int:
    """Try, print, and return the exit status."""
    asked = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.width = max(console.width, WIDTH)
    settings = {
        "ASR_MODEL": asked.model,
        "ASR_INSTANCES": str(asked.instances),
        "ASR_REQUEST_TIMEOUT_S": "120",
    }
    with ExitStack() as made:
        folder = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="hosts-")))
        if not possible():
            console.print("No network can be made here: hosts are stopped instead of cut off.")
        joined = made.enter_context(network(2)) if possible() else loopback(2)
        hosts = made.enter_context(cluster(folder, joined, **settings))
        try:
            wrong = _try(hosts, asked, console)
        except Late as late:
            wrong = [str(late)]
        finally:
            left = hosts.stop()
    for line in [*wrong, *left]:
        console.print(f"broken: {line}")
    return 1 if [*wrong, *left] else 0


def _try(hosts: Cluster, asked: argparse.Namespace, console: Console) -> list[str]:
    first, second = hosts.workers
    if wrong := hosts.start(hosts.api, first):
        return wrong
    until(lambda: hosts.health()["status"] == "healthy", PATIENCE_S)
    mixed, ledger = load(asked.seed), Ledger()
    known = alone(hosts.api.service.url, [*mixed.shorts, mixed.long])
    with using(hosts.api.service.url, known, ledger, asked.users):
        one = _rtfx(hosts)
        console.print(f"one host with workers: {one:.1f} times real time")
        if wrong := hosts.start(second):
            return wrong
        two = _rtfx(hosts)
        console.print(f"two: {two:.1f}, {two / one:.2f} times as much")
        descriptors = hosts.descriptors()
        cuts = [
            cut_off(hosts, hosts.workers[number % 2], ledger, asked.seconds) for number in range(asked.cuts)
        ]
    console.print(_table(cuts))
    found = counts(ledger.between(0, float("inf")))
    console.print(", ".join(f"{outcome.value} {found[outcome]}" for outcome in Outcome))
    return [*(what for cut in cuts for what in cut.wrong), *broken(hosts, ledger, descriptors)]


def _rtfx(hosts: Cluster) -> float:
    """Seconds of audio recognised in a second."""
    time.sleep(WARM_S)
    before_s, began_s = _recognised_s(hosts), time.monotonic()
    time.sleep(MEASURED_S)
    return (_recognised_s(hosts) - before_s) / (time.monotonic() - began_s)


def _recognised_s(hosts: Cluster) -> float:
    with hosts.api.service.client() as http:
        return Metrics.parse(http.get("/metrics").text).value("asr_audio_seconds_total")


def _table(cuts: list[Cut]) -> Table:
    shown = Table(*_COLUMNS, box=None, header_style="bold")
    for column in shown.columns[1:]:
        column.justify = "right"
    for cut in cuts:
        times_s = (cut.noticed_s, cut.lasted_s, cut.ready_s, cut.at_work_s)
        answered = counts(cut.events)[Outcome.ANSWERED]
        shown.add_row(cut.host, *(f"{one:.1f}" for one in times_s), str(answered), f"{cut.slowest_s:.1f}")
    return shown


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hosts", description="Hosts that are cut off under load.")
    parser.add_argument("--cuts", type=int, default=4, help="how often one of them is")
    parser.add_argument("--seconds", type=float, default=30, help="for how long, at least")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--instances", type=int, default=3, help="of each host")
    parser.add_argument("--seed", type=int, default=1)
    engine = "tests.doubles.engines:FaultyEngine"
    parser.add_argument(
        "--model", default=engine, help="an engine, as ASR_MODEL; without it one that is quick"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
