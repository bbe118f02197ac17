"""From snapshots to the stretches of time in which an alert fired."""

from collections.abc import Iterable

from msgspec import Struct

from monitoring.snapshot import Snapshot


class Episode(Struct, frozen=True, kw_only=True):
    """An alert fired from the first of these moments until the second; None: it still does."""

    name: str
    from_ms: int
    until_ms: int | None


def episodes(snapshots: Iterable[Snapshot]) -> list[Episode]:
    """The episodes of all alerts, in the order in which they began."""
    began: dict[str, int] = {}
    ended: list[Episode] = []
    for seen in snapshots:
        over = began.keys() - set(seen.alerts)
        ended += [Episode(name=name, from_ms=began.pop(name), until_ms=seen.at_ms) for name in over]
        for name in seen.alerts:
            began.setdefault(name, seen.at_ms)
    open_ = [Episode(name=name, from_ms=at_ms, until_ms=None) for name, at_ms in began.items()]
    return sorted([*ended, *open_], key=lambda episode: (episode.from_ms, episode.name))
