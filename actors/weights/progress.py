"""How a source tells that it is getting on, or that it is not."""

from typing import Protocol


class SourceError(Exception):
    """A source cannot give the files; the next one may."""


class Progress(Protocol):
    """Told now and then what is being fetched; a total of 0 means unknown."""

    def __call__(self, what: str, done_bytes: int, total_bytes: int) -> None:
        """Show it."""
        ...


def silent(what: str, done_bytes: int, total_bytes: int) -> None:
    """Show nothing."""
