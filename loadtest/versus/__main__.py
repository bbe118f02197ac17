"""`compare`: this service and another that speaks `/v1/audio/transcriptions`, in turn under the same load.

Both stay loaded, one is idle while the other is measured. Their weights, recordings, cores and machine are
the same.
"""

import argparse
import functools
import math
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from actors.clock import now_ms
from actors.settings import SettingsError
from deploy.client import NotServed
from deploy.paths import HOME
from loadtest.plan import BadPlan
from loadtest.report import BadReport, Report, files
from loadtest.target import hardware
from loadtest.versus import servers
from loadtest.versus.comparison import Comparison, Round, markdown, side
from loadtest.versus.measuring import in_turn, measure
from loadtest.versus.servers import SMALL_MODEL, Server
from monitoring.axes import local

PREFIX: Final = "comparison_report"

#: What each is asked at first, so that it is warm, and that it is known how long a request takes it.
WARMING_REQUESTS: Final = 24

#: Of each user: the first ones arrive at once, the others as it goes on.
LEAST_REQUESTS: Final = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the table, and return the exit status."""
    asked = _parser().parse_args(arguments)
    asked.model = (asked.calling_folder / asked.model).resolve()
    console = Console(stderr=True, highlight=False)
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C, so that neither server is left behind
        signal.signal(number, signal.default_int_handler)
    try:
        files.check(asked.calling_folder / asked.out)
        with _pair(asked) as (ours, theirs):
            _compare(asked, ours, theirs, console)
    except (BadPlan, BadReport, NotServed, OSError, SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


@contextmanager
def _pair(asked: argparse.Namespace) -> Iterator[tuple[Server, Server]]:
    with servers.quintet(asked.model) as ours:
        if asked.other_url:
            yield ours, Server(asked.other_url, asked.other_url.rstrip("/"))
        else:
            with servers.funasr_server(asked.model) as theirs:
                yield ours, theirs


def _compare(asked: argparse.Namespace, ours: Server, theirs: Server, console: Console) -> None:
    """Measure, and write what has been measured, also where somebody ends it early."""
    began_ms = now_ms()
    rounds = list[Round]()
    try:
        for one in _rounds(asked, ours, theirs):
            rounds.append(one)
            console.print(
                f"{one.users} users: RTFx {one.ours.rtfx:.1f} and {one.theirs.rtfx:.1f}, "
                f"p95 {one.ours.p95_s:.2f} s and {one.theirs.p95_s:.2f} s"
            )
    finally:
        if rounds:
            comparison = Comparison(
                ours=ours.name,
                theirs=theirs.name,
                model=_shown(asked.model),
                hardware=hardware(),
                command=_command(asked),
                began_ms=began_ms,
                rounds=tuple(rounds),
            )
            _write(comparison, asked.calling_folder / asked.out)


def _rounds(asked: argparse.Namespace, ours: Server, theirs: Server) -> Iterator[Round]:
    """For each number of users, as many requests as take the slower one about `seconds` alone."""
    slower_s = max(_request_s(measure(server.url, 1, WARMING_REQUESTS)) for server in (ours, theirs))
    for users in asked.users:
        requests = max(LEAST_REQUESTS, math.ceil(asked.seconds / slower_s / users))
        load = functools.partial(measure, users=users, requests_per_user=requests)
        yield from in_turn(ours.url, theirs.url, asked.rounds, load)


def _command(asked: argparse.Namespace) -> str:
    words = ["./justw", "compare", "--model", _shown(asked.model), "--users", ",".join(map(str, asked.users))]
    words += ["--rounds", str(asked.rounds), "--seconds", f"{asked.seconds:g}"]
    return shlex.join([*words, *(["--other-url", asked.other_url] if asked.other_url else [])])


def _shown(model: Path) -> str:
    return str(model.relative_to(HOME) if model.is_relative_to(HOME) else model)


def _request_s(warming: Report) -> float:
    return 1 / side(warming).requests_per_s


def _write(comparison: Comparison, folder: Path) -> None:
    table = markdown(comparison)
    print(table)
    contents = {".json": msgspec.json.encode(comparison), ".md": table.encode()}
    paths = files.write(folder, PREFIX, local(comparison.began_ms), contents)
    for path in paths:
        print(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./justw compare",
        description="This service and FunASR's own server on the same weights, in turn under the same load.",
    )
    parser.add_argument("--from", dest="calling_folder", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("--users", type=_numbers, default=[1, 4, 10, 32], metavar="N,N,…", help="1,4,10,32")
    parser.add_argument("--rounds", type=_number, default=2, metavar="N", help="measurements of each: 2")
    parser.add_argument(
        "--seconds", type=float, default=30, metavar="S", help="about how long the slower one takes: 30"
    )
    parser.add_argument(
        "--model", type=Path, default=SMALL_MODEL, metavar="FOLDER", help="weights in FunASR's folder format"
    )
    parser.add_argument("--other-url", default="", metavar="URL", help="one that runs, instead of FunASR's")
    parser.add_argument(
        "--out", type=Path, default=HOME / "loadtest_reports", metavar="FOLDER", help="for the reports"
    )
    return parser


def _numbers(text: str) -> list[int]:
    return [_number(part) for part in text.split(",")]


def _number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is none")
    return number


if __name__ == "__main__":
    sys.exit(main())
