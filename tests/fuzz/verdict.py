"""What becomes of a file."""

from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    """Heard and refused are right; poisonous is refused at the price of three segmenters; more is wrong."""

    HEARD = "heard"
    REFUSED = "refused"
    POISONOUS = "poisonous"
    BROKEN = "broken"
    SWELLS = "swells"
    HANGS = "hangs"
    DIED = "died"


class Verdict(Struct, frozen=True):
    """How a file was taken, and what was said of it."""

    outcome: Outcome
    said: str = ""
    took_s: float = 0.0
    peak_mb: int = 0

    @property
    def is_defect(self) -> bool:
        """Whether a promise is broken."""
        return self.outcome not in {Outcome.HEARD, Outcome.REFUSED, Outcome.POISONOUS}
