"""What the table is made of: its figures with their targets, and the rows that were measured."""

import enum
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from loadtest.bench.profile import Profile
from loadtest.records import Hardware


class Size(enum.StrEnum):
    """How much is measured: `quick` shows that it runs, `usual` takes ten minutes on two cores."""

    QUICK = "quick"
    USUAL = "usual"
    #: Half an hour as the long file, and more of what some rows measure.
    FULL = "full"


class Better(enum.StrEnum):
    """Which way a figure improves; the value says how a target is written."""

    HIGHER = "≥"
    LOWER = "≤"


class Figure(Struct, frozen=True, kw_only=True):
    """A figure of a row, and what it is to be."""

    what: str
    unit: str = ""
    better: Better = Better.HIGHER
    #: In the unit; null where it is only shown.
    target: float | None = None
    #: Whether it is worth comparing with another day's: a ratio within one run, or a count. What else runs on
    #: the machine then changes both sides of it.
    stable: bool = False

    def is_met(self, value: float) -> bool | None:
        """Whether a value reaches the target; None where there is none."""
        if self.target is None:
            return None
        return value >= self.target if self.better is Better.HIGHER else value <= self.target


class Found(Struct, frozen=True, kw_only=True):
    """What a row's measurement gave: figure → value, and how it was measured.

    A figure that is measured in several variants is named with each, `rtfx[float32]`.
    """

    values: Mapping[str, float] = {}
    how: str = ""
    #: Why there is nothing to measure here; empty where there is.
    skipped: str = ""
    #: Where the time went meanwhile, of a row that looks.
    profile: Profile | None = None


class Row(Struct, frozen=True, kw_only=True):
    """A row of the table."""

    name: str
    found: Found
    #: Why it could not be measured; empty where it could.
    problem: str = ""
    took_s: float = 0


class Bench(Struct, frozen=True, kw_only=True):
    """A whole table."""

    version: str
    #: Abbreviated, with `-dirty` where files differ from it; empty outside a repository.
    commit: str
    hardware: Hardware
    #: What repeats it.
    command: str
    size: Size
    #: Unix milliseconds.
    began_ms: int
    rows: tuple[Row, ...]


#: Row → figure → what it is to be, both in the order of the table.
FIGURES: Final[Mapping[str, Mapping[str, Figure]]] = {
    "vad": {
        "rtfx": Figure(what="voice activity detection with features, one core, RTFx", target=1000),
        "ratio": Figure(what="ours ÷ FunASR's own, one thread", stable=True),
        "other_edges": Figure(
            what="edges that differ from FunASR's", better=Better.LOWER, target=0, stable=True
        ),
    },
    "engine": {
        "rtfx": Figure(what="full size in batches, RTFx"),
        "batching": Figure(what="in batches ÷ one at a time", stable=True),
        "ratio": Figure(what="ours in batches ÷ FunASR's generate()", stable=True),
    },
    "http": {
        "throughput_ratio": Figure(what="throughput ÷ funasr-server's", target=3.5, stable=True),
        # Not stable: a p95 of so few requests rests on one or two of them.
        "p95_ratio": Figure(what="p95 ÷ funasr-server's", better=Better.LOWER, target=0.25),
        "rtfx": Figure(what="full size over HTTP, 10 users, RTFx", target=30),
    },
    "efficiency": {
        "ratio": Figure(what="RTFx over HTTP ÷ the bare engine's", target=0.90, stable=True),
        "http_rtfx": Figure(what="over HTTP at saturation, RTFx"),
        "bare_rtfx": Figure(what="the bare engine, RTFx"),
        "batch_rows": Figure(what="segments in a batch, over HTTP"),
        "engine_share": Figure(what="of the instances' processor time, their engines' own", unit="%"),
    },
    "overhead": {
        "p50": Figure(what="idle POST /asr of 2 s, p50", unit="ms", better=Better.LOWER, target=12),
        "p95": Figure(what="the same, p95", unit="ms", better=Better.LOWER, target=25),
    },
    "long_file": {
        "stretch": Figure(what="wall time ÷ (work ÷ cores)", better=Better.LOWER, target=1.10, stable=True),
        "least_busy": Figure(what="busy share of the least busy instance", unit="%"),
        "rtfx": Figure(what="RTFx"),
    },
    "memory": {
        # What peers hold five of.
        "ratio": Figure(
            what="weights of five instances ÷ one copy in float32",
            better=Better.LOWER,
            target=1.3,
            stable=True,
        ),
        "held_ratio": Figure(
            what="weights of five instances ÷ one copy as they hold it",
            better=Better.LOWER,
            target=1.3,
            stable=True,
        ),
        "five_mb": Figure(what="weights of five instances", unit="MB", better=Better.LOWER),
        "first_text": Figure(what="from start to the first text", unit="s", better=Better.LOWER, target=20),
    },
    "parity": {
        "differ": Figure(what="characters and tags unlike float32's", unit="%", better=Better.LOWER),
    },
    "backlog": {
        "accept_ratio": Figure(
            what="accepting a job behind 10,000 ÷ behind 10", better=Better.LOWER, target=1.10, stable=True
        ),
        "finish_ratio": Figure(
            what="finishing one of many waiting ÷ one of few", better=Better.LOWER, target=1.10, stable=True
        ),
        "accept_ms": Figure(what="accepting a job behind 10,000, p50", unit="ms", better=Better.LOWER),
        "drained_per_s": Figure(what="jobs finished", unit="/s"),
    },
    "cuda_engine": {
        "rtfx": Figure(what="full size in batches of 128 and more on a GPU, RTFx", target=20_000),
        "batching": Figure(what="in batches ÷ one at a time", stable=True),
        "ratio": Figure(what="ours in batches ÷ FunASR's generate()", stable=True),
        "other_rtfx": Figure(what="the same batches, RTFx"),
    },
    "cuda_http": {
        "rtfx": Figure(what="full size over HTTP on a GPU, RTFx", target=4_000),
        "p50_1": Figure(what="one user, p50", unit="ms", better=Better.LOWER, target=20),
        "p95_32": Figure(what="32 users, p95", unit="ms", better=Better.LOWER, target=100),
    },
}


def figure(row: str, name: str) -> Figure:
    """The figure of that name, whichever its variant."""
    return FIGURES[row][name.partition("[")[0]]


def variant(name: str) -> str:
    """The variant in a name, `float32` of `rtfx[float32]`; empty where there is none."""
    return name.partition("[")[2].removesuffix("]")
