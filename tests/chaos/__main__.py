"""Faults under load: `python -m tests.chaos [--minutes N] [--seed S] [--faults a,b,…] [--model M]`.

Starts a service of its own, puts ten users on it, and hurts it in every way of `faults.py`. Ends with a
table, and with 1 if a promise was broken. The same seed gives the same faults, users and recordings.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console

from loadtest.corpus import recordings
from tests.chaos import faults
from tests.chaos.faults import DiskFull, EngineFails, Fault
from tests.chaos.table import table
from tests.chaos.target import Target
from tests.chaos.trial import Load, Trial

#: So many recordings of the mixed corpus, and its longest.
SHORTS: Final = 16

#: Columns that the table takes.
WIDTH: Final = 130

_MOUNT: Final = ("mount", "-t", "tmpfs", "-o", "size=1g", "quintet-chaos")


def main() -> int:
    """Try, print, and return the exit status."""
    asked = _parser().parse_args()
    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.width = max(console.width, WIDTH)
    with _disk() as (folder, is_own):
        impossible: dict[type, str] = {}
        if not is_own:
            impossible[DiskFull] = "only root can mount a disk that may be filled"
        if asked.model:
            impossible[EngineFails] = "it takes the engine that is made for it"
        chosen = _chosen(asked.faults)
        for fault in chosen:
            if why := impossible.get(type(fault)):
                console.print(f"{fault.name} is left out: {why}.")
        schedule = [fault for fault in chosen if type(fault) not in impossible]
        target = Target(folder, **({"ASR_MODEL": asked.model} if asked.model else {}))
        trial = Trial(target, load(asked.seed), console.print)
        result = trial.run(_schedule(schedule, asked.seed, asked.minutes))
    console.print(table(result))
    for line in result.broken:
        console.print(f"broken: {line}")
    return 1 if result.broken else 0


def load(seed: int) -> Load:
    """Some of the mixed corpus, and its longest."""
    mixed = recordings("mixed", 1)
    long = max(mixed, key=lambda one: one.audio_s)
    shorts = random.Random(seed).sample([one for one in mixed if one is not long], SHORTS)
    return Load(shorts=shorts, long=long, seed=seed)


def _chosen(names: str) -> list[Fault]:
    known = {fault.name: fault for fault in faults.ALL}
    wanted = names.split(",") if names else list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.exit(f"there is no fault {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in wanted]


def _schedule(chosen: list[Fault], seed: int, minutes: float) -> Iterator[Fault]:
    """All of them in a random order, and then some until the time is over, if one is set."""
    rng, ends_s = random.Random(seed), time.monotonic() + minutes * 60
    yield from rng.sample(chosen, len(chosen))
    while chosen and time.monotonic() < ends_s:
        yield rng.choice(chosen)


@contextmanager
def _disk() -> Iterator[tuple[Path, bool]]:
    """A folder for the service, and whether it is a disk of its own."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        is_own = subprocess.run([*_MOUNT, folder], capture_output=True, check=False).returncode == 0
        try:
            yield Path(folder), is_own
        finally:
            if is_own:
                subprocess.run(["umount", folder], check=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./justw chaos", description="Faults under load.")
    parser.add_argument("--minutes", type=float, default=0, help="go on for so long; 0: each fault once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="", help="an engine, as ASR_MODEL; without it one that is quick")
    names = ", ".join(fault.name for fault in faults.ALL)
    parser.add_argument("--faults", default="", help=f"some of {names}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
