"""Damaged recordings, thousands of them: `python -m tests.fuzz [FILE…]`.

They go straight through decode and VAD, and with `--http N` so many also to the running service, with good
ones in between. A file that breaks a promise is kept; named as an argument it is tried again.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console
from rich.table import Table

from actors.settings import STATE_DIR
from deploy.client import authorization, url
from deploy.paths import HOME
from tests.fuzz.decoding import Decoding
from tests.fuzz.mutations import Damaged, made
from tests.fuzz.over_http import HANGS_S, OverHttp
from tests.fuzz.samples import WRITERS
from tests.fuzz.trial import Judged, OpenJudge, tried
from tests.fuzz.verdict import Outcome

#: Where files that break a promise are kept.
KEPT: Final = STATE_DIR / "fuzz"

#: Requests at once.
CLIENTS: Final = 4

console = Console()


def main() -> int:
    """Try files and print what became of them; 1 if a promise is broken."""
    asked = _arguments()
    paths = [asked.calling_folder / path for path in asked.again]
    given = [Damaged(number, path.suffix, (), path.read_bytes()) for number, path in enumerate(paths)]
    defects = 0
    ways: list[tuple[str, OpenJudge, int, int]] = [
        ("decode and VAD", Decoding, asked.files, os.cpu_count() or 1),
        ("over HTTP", _requests, asked.http, CLIENTS),
    ]
    for way, open_judge, count, at_once in ways:
        if not count:
            continue
        files: Iterable[Damaged] = given or made(asked.seed, count, asked.only)
        judged = tried(files, open_judge, at_once)
        _print(f"{way}: {len(judged)} files, seed {asked.seed}", judged)
        for one in judged:
            if one.verdict.is_defect:
                defects += 1
                _keep(one, asked.seed)
    return 1 if defects else 0


@contextmanager
def _requests() -> Iterator[OverHttp]:
    with httpx.Client(base_url=url(), headers=authorization(), timeout=HANGS_S, trust_env=False) as client:
        try:
            judge = OverHttp(client)
        except httpx.HTTPError as error:
            sys.exit(f"no service answers at {url()}: ./justw start ({error})")
        yield judge


def _print(title: str, judged: list[Judged]) -> None:
    seen = [outcome for outcome in Outcome if any(one.verdict.outcome is outcome for one in judged)]
    table = Table("container", "files", *seen, "slowest s", "peak MB", title=title)
    for container in sorted({one.file.container for one in judged}):
        _add_row(table, container, [one for one in judged if one.file.container == container], seen)
    table.add_section()
    _add_row(table, "all", judged, seen)
    console.print(table)


def _add_row(table: Table, name: str, judged: list[Judged], outcomes: list[Outcome]) -> None:
    counts = Counter(one.verdict.outcome for one in judged)
    slowest_s = max(one.verdict.took_s for one in judged)
    peak_mb = max(one.verdict.peak_mb for one in judged)
    cells = [len(judged), *(counts[outcome] for outcome in outcomes), f"{slowest_s:.2f}", peak_mb or ""]
    table.add_row(name, *map(str, cells))


def _keep(one: Judged, seed: int) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{seed}-{one.file.number}.{one.file.container}"
    path.write_bytes(one.file.content)
    console.print(f"{one.verdict.outcome}: {one.verdict.said} ({', '.join(one.file.done)})", style="red")
    console.print(f"    ./justw fuzz {path}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./justw fuzz", description=__doc__)
    parser.add_argument("again", nargs="*", metavar="FILE", help="a file to try, in place of new ones")
    parser.add_argument("--from", dest="calling_folder", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("--files", type=int, default=10_000, help="through decode and VAD; default 10,000")
    parser.add_argument("--http", type=int, default=0, help="to the running service; default none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=_containers, default=tuple(WRITERS), help=",".join(WRITERS))
    return parser.parse_args()


def _containers(text: str) -> tuple[str, ...]:
    asked = tuple(text.split(","))
    if unknown := set(asked) - set(WRITERS):
        raise argparse.ArgumentTypeError(f"no {', '.join(sorted(unknown))}; there are {', '.join(WRITERS)}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
