"""What the service exposes is read back, and what it counted in between is the difference."""

import pytest

from actors.histogram import BOUNDS, BUCKETS, bucket
from actors.metrics import AUDIO_S, REQUEST_S, REQUESTS, STAGE_S
from loadtest.metrics import Metrics, counted
from loadtest.plan import Endpoint
from monitoring.exposition import Family, expose
from monitoring.measures import Measures

WAITING = Family("asr_jobs_waiting", "gauge", "Jobs.", (({}, 3.0),))


def exposed(well: int, refused: int, audio_s: float, stage_s: float) -> Metrics:
    """A service's `/metrics`."""
    counts = {
        REQUESTS.field(("asr", "2xx")): well,
        REQUESTS.field(("asr", "4xx")): refused,
        REQUESTS.field(("jobs", "2xx")): 100 * well,
        REQUEST_S.field(("asr",), str(bucket(0.3))): well,
        REQUEST_S.field(("asr",), "sum"): well * 300_000,
        STAGE_S.field(("vad",), str(bucket(stage_s))): 1,
        AUDIO_S.field(()): round(audio_s * 1000),
    }
    return Metrics.parse(expose(Measures(counts), [WAITING]))


def test_a_gauge() -> None:
    """A series by its name and labels; 0 where there is none."""
    metrics = exposed(1, 0, 1, 1)

    assert metrics.value("asr_jobs_waiting") == 3
    assert metrics.value("asr_requests_total", "jobs", "2xx") == 100
    assert metrics.value("asr_requests_total", "none", "2xx") == 0


def test_what_was_counted() -> None:
    """Requests of the endpoint that was asked, audio, and the stages' histograms."""
    before, after = exposed(2, 0, 10, 0.5), exposed(7, 1, 32.5, 5)

    found = counted(before, after, Endpoint.ASR)

    assert found is not None
    assert found.requests == {"2xx": 5, "4xx": 1, "5xx": 0}
    assert found.audio_s == 22.5
    assert found.answered_s == pytest.approx(1.5)
    assert found.stages["vad"][bucket(5)] == 1
    assert found.stages.keys() == {"queue", "decode", "vad", "wait", "recognise", "assemble"}
    assert len(BOUNDS) + 1 == BUCKETS == len(found.stages["queue"])


def test_streams_are_counted_with_the_endpoint_they_use() -> None:
    """OpenAI's."""
    nothing = counted(exposed(1, 0, 1, 1), exposed(3, 0, 2, 1), Endpoint.STREAM)

    assert nothing is not None
    assert sum(nothing.requests.values()) == 0


def test_another_server() -> None:
    """What is not known is not made up; nor where the counters began anew."""
    ours = exposed(1, 0, 10, 1)

    assert counted(Metrics({}), Metrics({}), Endpoint.ASR) is None
    assert counted(Metrics({}), ours, Endpoint.ASR) is None
    assert counted(exposed(1, 0, 11, 1), ours, Endpoint.ASR) is None


@pytest.mark.parametrize("text", ["not found", "<style>\nbody {\n}\n</style>", "a b c\nrate one\n"])
def test_a_page_that_is_none(text: str) -> None:
    """What another server answers at that path holds no figures, and is no error."""
    assert Metrics.parse(text).series == {}
