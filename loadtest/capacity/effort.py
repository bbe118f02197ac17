"""How much is measured."""

from typing import Final

from msgspec import Struct


class Effort(Struct, frozen=True, kw_only=True):
    """Sizes of the loads."""

    #: How long a bare engine recognises.
    engine_s: float
    #: Users of the loads that weigh costs, and what each asks for of short recordings and of longer ones.
    users: int
    words: int
    talks: int
    #: Users at saturation and what each asks for; how long Poisson arrivals last.
    saturating_users: int
    requests: int
    duration_s: float
    #: The shares of what saturation gave at which they come.
    loads: tuple[float, ...]


USUAL: Final = Effort(
    engine_s=6,
    users=10,
    words=40,
    talks=8,
    saturating_users=12,
    requests=8,
    duration_s=20,
    loads=(0.4, 0.6, 0.8),
)

#: It shows that everything runs, and no figure means anything.
QUICK: Final = Effort(
    engine_s=0.1,
    users=2,
    words=3,
    talks=2,
    saturating_users=2,
    requests=3,
    duration_s=2,
    loads=(0.5,),
)
