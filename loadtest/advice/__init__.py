"""What the figures of a run advise: each piece with the figure that led to it, and the settings to change."""

from loadtest.advice import doubts, faults, limits
from loadtest.advice.piece import Advice
from loadtest.figures import Figures
from loadtest.records import Run

__all__ = ["Advice", "advice"]


def advice(run: Run, figures: Figures) -> tuple[Advice, ...]:
    """First what went wrong, then what limits the service or that nothing did, then how far that holds."""
    wrong, limiting, doubtful = (
        [piece for rule in module.RULES for piece in rule(run, figures)]
        for module in (faults, limits, doubts)
    )
    if not limiting and figures.ok and figures.ok == figures.requests:
        limiting = [limits.no_limit(figures)]
    return (*wrong, *limiting, *doubtful)
