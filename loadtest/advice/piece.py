"""A piece of advice."""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from loadtest.figures import Figures
from loadtest.records import Run

#: From this share of what there is, something counts as all used.
FULL: Final = 0.85


class Advice(Struct, frozen=True, kw_only=True):
    """A piece of advice, in two plain sentences."""

    #: The figure that led to it.
    finding: str
    #: What to do about it.
    remedy: str
    #: What may be set otherwise; empty where no setting is at fault.
    settings: tuple[str, ...] = ()


#: What finds causes for advice in the figures of a run.
Rule = Callable[[Run, Figures], Iterator[Advice]]
