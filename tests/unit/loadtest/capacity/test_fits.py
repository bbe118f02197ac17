"""From what was measured to costs and times."""

import numpy as np
import pytest

from loadtest.capacity.engine_times import Batch, fit
from loadtest.capacity.measured import EngineTimes
from loadtest.capacity.service_costs import Weighed, _cost


def batches(per_batch_s: float, per_row_s: float, per_audio_s: float) -> list[Batch]:
    """As many as a measurement has, each up to a tenth off."""
    chance = np.random.default_rng(0)
    found = list[Batch]()
    for number in range(400):
        rows = (1, 2, 4, 8)[number % 4]
        audio_s = float(rows * chance.uniform(1, 5))
        took_s = per_batch_s + per_row_s * rows + per_audio_s * audio_s
        found.append(Batch(rows, audio_s, took_s * float(chance.uniform(0.9, 1.1))))
    return found


def test_times_of_an_engine() -> None:
    """What a batch, a row and a second take is found again."""
    found = fit(1, batches(0.03, 0.005, 0.012))

    assert found.per_batch_s == pytest.approx(0.03, rel=0.1)
    assert found.per_row_s == pytest.approx(0.005, rel=0.4)
    assert found.per_audio_s == pytest.approx(0.012, rel=0.1)


def test_no_time_is_below_zero() -> None:
    """Where rows cost nothing, noise does not make them cost less."""
    found = fit(1, batches(0.03, -0.001, 0.012))

    assert found.per_row_s == 0
    assert found.per_audio_s == pytest.approx(0.012, rel=0.15)


def test_costs_of_two_loads() -> None:
    """So much a request and so much a second, by as many equations; none is below 0."""
    loads = [(400.0, 600.0), (80.0, 960.0)]

    exact = _cost(loads, [400 * 3 + 600 * 0.5, 80 * 3 + 960 * 0.5])
    by_the_second = _cost(loads, [100.0, 960.0])
    by_the_request = _cost(loads, [400.0, 1.0])

    assert (exact.per_request, exact.per_audio_s) == pytest.approx((3.0, 0.5))
    assert by_the_second.per_request == 0
    assert by_the_second.per_audio_s == 1
    assert by_the_request.per_request == 1
    assert by_the_request.per_audio_s == 0


def test_crowding() -> None:
    """Processor time in the service by that of the same batches alone."""
    engine = EngineTimes(threads=1, per_batch_s=0.1, per_row_s=0.01, per_audio_s=0.02)
    weighed = Weighed(requests=10, audio_s=100, costs={}, engine_s=3.9, batches=10, rows=20, speech_s=90)

    assert weighed.crowding(engine) == pytest.approx(3.9 / (1 + 0.2 + 1.8))
