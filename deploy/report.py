"""`report [--since 24h] [--out FILE]`: a page of charts from the monitor's snapshots."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from actors.clock import now_ms
from deploy.paths import HOME
from monitoring import snapshot_files
from monitoring.report import page

_UNITS_MS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PERIOD: Final = re.compile(r"(\d{1,6})([mhd])")


def main(arguments: Sequence[str] | None = None, folder: Path = snapshot_files.FOLDER) -> int:
    """Write the page, say where, and return the exit status."""
    asked = _parser().parse_args(arguments)
    out: Path = asked.calling_folder / asked.out.expanduser()
    snapshots = sorted(
        snapshot_files.read(now_ms() - asked.since, folder), key=lambda snapshot: snapshot.at_ms
    )
    if not snapshots:
        print(f"There are no snapshots of that time in {folder}: the monitor writes them.", file=sys.stderr)
        return 1
    try:
        out.write_text(page(snapshots), encoding="utf-8")
    except OSError as error:
        print(f"{out} cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    print(f"{out}: {len(snapshots)} snapshot{'s' if len(snapshots) > 1 else ''}")
    return 0


def period_ms(text: str) -> int:
    """A period such as 90m, 24h or 7d, in milliseconds.

    Raises:
        ArgumentTypeError: it is none.
    """
    found = _PERIOD.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no period such as 90m, 24h or 7d")
    return int(found[1]) * _UNITS_MS[found[2]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./justw report", description="A page of charts.")
    parser.add_argument("--from", dest="calling_folder", type=Path, default=HOME, help=argparse.SUPPRESS)
    parser.add_argument("--since", type=period_ms, default="24h", help="how far back: 90m, 24h, 7d")
    parser.add_argument("--out", type=Path, default=Path("report.html"), help="the file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
