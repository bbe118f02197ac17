"""What the soak does and looks at, once each."""

import random

from loadtest.bench import services
from tests.e2e.conftest import Service
from tests.soak.__main__ import spoken
from tests.soak.drift import drifts
from tests.soak.looks import look
from tests.soak.uses import USES, Client


def test_every_use(service: Service) -> None:
    """Each is answered as it should be, and none ends a process or leaves one behind."""
    served = services.Service(service.home, service.url, start_s=0)
    known = spoken(served)
    before = look(served)
    with service.client() as http:
        client = Client(http, known, random.Random(0))
        for use in USES:
            use(client)
    after = look(served)

    assert before.keys() == after.keys()
    assert {"instance anonymous_mb", "api descriptors", "redis keys of jobs", "logs disk_mb"} < before.keys()
    assert all(value >= 0 for value in after.values())
    assert not any(drift.too_much for drift in drifts(before, after) if drift.figure.endswith("threads"))


def test_drifts_are_of_figures_that_have_a_floor(service: Service) -> None:
    """Whatever is looked at can be judged."""
    seen = look(services.Service(service.home, service.url, start_s=0))

    assert not any(drift.too_much for drift in drifts(seen, seen))
