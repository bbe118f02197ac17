"""Where a job stands, as clients see it, and how its result is written."""

import pytest
from msgspec.structs import replace

from actors.assemble import count
from actors.records import CallbackState, Job, JobState, Line, Options, Segment, Transcript, Utterance
from actors.store.following import Standing
from api.errors import Refused
from api.job_events import Place
from api.job_view import Callback, eta_ms, view
from api.results import FORMATS, as_json, main_language

#: Half a minute after it was begun a recording of two minutes is cut to 60 s, and 40 s of it are recognised.
RUNNING = Job(
    id="j1",
    state=JobState.RUNNING,
    options=Options(),
    created_ms=1_000,
    started_ms=10_000,
    progress_ms=40_000,
    upload_bytes=3,
    claimed_ms=120_000,
    audio_ms=60_000,
    segments=5,
    finished=3,
    cut_ms=50_000,
    finished_ms=30_000,
)


def test_progress() -> None:
    """Pauses count as done; the length is the claimed one until all is cut."""
    seen = view(Standing(RUNNING, None))

    assert (seen.audio.done_s, seen.audio.total_s, seen.error, seen.position) == (40.0, 120.0, None, None)
    assert eta_ms(RUNNING, 40_000) == 60_000
    cut = replace(RUNNING, cut=True, audio_ms=80_000)
    assert view(Standing(cut, None)).audio.total_s == 80.0
    assert eta_ms(cut, 40_000) == 10_000


@pytest.mark.parametrize(
    "unknown",
    [
        replace(RUNNING, claimed_ms=0),
        replace(RUNNING, finished_ms=0, cut_ms=60_000),
        replace(RUNNING, state=JobState.DONE),
        replace(RUNNING, state=JobState.QUEUED, started_ms=None),
    ],
)
def test_no_eta(unknown: Job) -> None:
    """Nothing is said where nothing is known."""
    assert eta_ms(unknown, 40_000) is None


def test_a_failure_has_its_status() -> None:
    """Why it failed, and whose fault that was."""
    failed = replace(RUNNING, state=JobState.FAILED, error="damaged", error_status=422)

    error = view(Standing(failed, None)).error

    assert error is not None
    assert (error.status, error.message) == (422, "damaged")


def test_how_far_a_callback_is() -> None:
    """It is there from the beginning, without what may be a secret."""
    told = replace(RUNNING, callback="https://example.org/hooks/s3cret?token=s3cret")
    tried = replace(
        told,
        callback_state=CallbackState.FAILED,
        callback_tries=8,
        callback_error="the receiver answered 500",
    )

    assert view(Standing(RUNNING, None)).callback is None
    assert view(Standing(told, None)).callback == Callback(
        origin="https://example.org", state=CallbackState.PENDING, tries=0, error=None
    )
    assert view(Standing(tried, None)).callback == Callback(
        origin="https://example.org", state=CallbackState.FAILED, tries=8, error="the receiver answered 500"
    )


@pytest.mark.parametrize("place", [Place(), Place("running", 12), Place("done", 3), Place(at_end=True)])
def test_an_event_id_leads_back(place: Place) -> None:
    """Whatever was heard last, its id says where to go on."""
    assert Place.of(place.id) == place


@pytest.mark.parametrize("event_id", ["17", "running-", "running-x", "Running-1", "running-1 ", "running-٣"])
def test_a_strange_event_id_is_refused(event_id: str) -> None:
    """It is none of ours."""
    with pytest.raises(Refused):
        Place.of(event_id)


def line(index: int, text: str, language: str) -> Line:
    """A segment of `index + 1` seconds, right behind those before it."""
    heard = Utterance(text=text, language=language, instance="instance-1", took_ms=1.0)
    begins_ms = sum(range(index + 1)) * 1000
    return Line(segment=Segment(index, begins_ms, begins_ms + (index + 1) * 1000), utterance=heard)


def test_formats() -> None:
    """Text as bytes or str with its type, and the language that was spoken longest."""
    lines = (line(0, "a", "en"), line(1, "b", "en"), line(2, "", "ja"), line(3, "c", "zh"))
    transcript = Transcript(lines=lines, stats=count(lines), audio_ms=10_000)

    assert main_language(transcript) == "zh"
    assert FORMATS["txt"].render(transcript) == "a b c"
    assert str(FORMATS["srt"].render(transcript)).startswith("1\n00:00:00,000 --> 00:00:01,000\na\n")
    assert '"duration_s":10.0' in as_json(transcript).decode()
    assert main_language(replace(transcript, lines=())) is None
