"""`bench`: the table of what this service is to reach, and what it reaches here.

A service of its own is started for each row that needs one, in a copy of the checkout. A row that fails
leaves the others; Ctrl-C and SIGTERM leave what has been measured, and no process.
"""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from actors.clock import now_ms
from deploy.paths import HOME
from loadtest.bench import alone, check
from loadtest.bench.check import BadBaseline
from loadtest.bench.report import markdown
from loadtest.bench.rows import Bench, Found, Row, Size
from loadtest.report import files
from loadtest.target import commit, hardware
from loadtest.versus.servers import version_of_quintet
from monitoring.axes import local

PREFIX: Final = "bench_report"

#: The exit statuses besides 0.
FAILED: Final = 1
CANNOT_RUN: Final = 2
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return the exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.check and asked.size is Size.QUICK:
        parser.error("--quick measures nothing that could be checked")
    folder = asked.calling_folder / asked.out
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C, so that no server is left behind
        signal.signal(number, signal.default_int_handler)
    try:
        baseline = check.read(asked.calling_folder / asked.check) if asked.check else None
        files.check(folder)
    except (BadBaseline, OSError) as error:
        print(error, file=sys.stderr)
        return CANNOT_RUN
    bench, interrupted = _measured(asked, Console(stderr=True, highlight=False))
    if bench.rows:
        _write(bench, folder)
    if interrupted:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    sentences = [f"{row.name} could not be measured: {row.problem}" for row in bench.rows if row.problem]
    if baseline:
        verdict = check.compare(bench, baseline)
        sentences += verdict.worse
        print(*verdict.uncompared, sep="\n", end="\n" * bool(verdict.uncompared), file=sys.stderr)
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return FAILED if sentences else 0


def _measured(asked: argparse.Namespace, console: Console) -> tuple[Bench, bool]:
    """The rows one after the other, and whether somebody ended it before the last."""
    began_ms, rows, interrupted = now_ms(), list[Row](), False
    try:
        for number, name in enumerate(asked.only, 1):
            console.print(f"{number}/{len(asked.only)} {name} …")
            rows.append(_row(name, asked.size))
    except KeyboardInterrupt:
        interrupted = True
    bench = Bench(
        version=version_of_quintet(),
        commit=commit(),
        hardware=hardware(),
        command=_command(asked),
        size=asked.size,
        began_ms=began_ms,
        rows=tuple(rows),
    )
    return bench, interrupted


def _row(name: str, size: Size) -> Row:
    began_s = time.perf_counter()
    found, problem = Found(), ""
    try:
        found = alone.measured(name, size)
    except alone.RowFailed as error:
        problem = str(error)
    return Row(name=name, found=found, problem=problem, took_s=time.perf_counter() - began_s)


def _write(bench: Bench, folder: Path) -> None:
    table = markdown(bench)
    print(table)
    contents = {".json": msgspec.json.encode(bench), ".md": table.encode()}
    for path in files.write(folder, PREFIX, local(bench.began_ms), contents):
        print(path)


def _command(asked: argparse.Namespace) -> str:
    words = ["./justw", "bench", *([f"--{asked.size}"] if asked.size is not Size.USUAL else [])]
    return shlex.join([*words, *(["--only", ",".join(asked.only)] if asked.only != _rows() else [])])


def _rows() -> list[str]:
    return list(alone.MEASURES)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./justw bench",
        description="One table: what this service is to reach, and what it reaches here.",
    )
    parser.add_argument("--from", dest="calling_folder", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=_names, default=_rows(), metavar="ROW,…", help=", ".join(_rows()))
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        "--full",
        dest="size",
        action="store_const",
        const=Size.FULL,
        default=Size.USUAL,
        help="more of everything, and half an hour for the long file",
    )
    sizes.add_argument(
        "--quick", dest="size", action="store_const", const=Size.QUICK, help="see that it runs, no more"
    )
    parser.add_argument(
        "--check",
        type=Path,
        nargs="?",
        const=check.BASELINE,
        metavar="EARLIER.json",
        help="fail where a ratio is 10 %% worse than there, or than in the checkout's own baseline",
    )
    parser.add_argument(
        "--out", type=Path, default=HOME / "loadtest_reports", metavar="FOLDER", help="for the reports"
    )
    return parser


def _names(text: str) -> list[str]:
    wanted = text.split(",")
    unknown = sorted(set(wanted) - set(_rows()))
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no row {unknown[0]!r}; there are {', '.join(_rows())}")
    return list(dict.fromkeys(wanted))


if __name__ == "__main__":
    sys.exit(main())
