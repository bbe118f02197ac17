"""A stage is timed while it makes items, not while they are used."""

from collections.abc import Iterator

import pytest

from actors.stopwatch import Stopwatch


def test_only_the_making_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a clock that the maker moves by 1 and the user by 100, the maker's part is counted."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def made() -> Iterator[int]:
        for number in range(3):
            now[0] += 1
            yield number
        now[0] += 1

    watch = Stopwatch()
    for _ in watch.over(made()):
        now[0] += 100

    assert watch.total_s == 4
