"""What cannot be recognised is given up, and costs nobody else anything."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from tests.doubles.engines import MoodyEngine
from tests.e2e.conftest import Service, checkout, started
from tests.media import wav


@pytest.fixture(scope="module")
def moody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances whose engine fails, or kills them, as the first sample says."""
    home = tmp_path_factory.mktemp("moody")
    settings = {"ASR_MODEL": "tests.doubles.engines:MoodyEngine", "ASR_INSTANCES": "2"}
    yield from started(checkout(home, **settings, ASR_REQUEST_TIMEOUT_S="90", ASR_MAX_RETRIES="1"))


def recording(first_sample: int, seconds: int) -> bytes:
    """Soft noise that begins with this sample, as a wav file."""
    samples = np.random.default_rng(seconds).integers(-50, 50, seconds * 16_000).astype(np.int16)
    samples[0] = first_sample
    return wav(samples)


def ask(client: httpx.Client, file: bytes, **fields: str) -> httpx.Response:
    """The whole of a recording, so that its first sample is the first of a segment."""
    return client.post("/asr_simple", files={"file": ("a.wav", file)}, data=fields)


def test_a_failing_segment_fails_alone(moody: Service) -> None:
    """It is tried again, then counted; the rest of the recording is recognised, and the details say why."""
    with moody.client() as client:
        answer = ask(client, recording(MoodyEngine.FAILS, 45), details="true")

    assert answer.status_code == 200, answer.text
    stats = answer.json()["stats"]
    assert (stats["total_segments"], stats["successful_segments"], stats["failed_segments"]) == (2, 1, 1)
    assert stats["success_rate"] == 0.5
    failed, fine = answer.json()["segments"]
    assert (failed["text"], failed["error"]) == ("", "this segment always fails")
    assert fine["error"] is None
    assert fine["text"] == answer.json()["data"]


def test_nothing_recognised_is_an_error(moody: Service) -> None:
    """When every segment fails the request does, with the reason, and may be sent again."""
    with moody.client() as client:
        answer = ask(client, recording(MoodyEngine.FAILS, 1))

    assert answer.status_code == 503
    assert "this segment always fails" in answer.json()["msg"]
    assert int(answer.headers["retry-after"]) > 0


def test_a_poisonous_recording_is_rejected(moody: Service) -> None:
    """It kills three times, is refused for good, and those beside it are answered right."""
    with moody.client() as client, ThreadPoolExecutor(1) as other:
        poisonous = other.submit(ask, client, recording(MoodyEngine.KILLS, 1))
        beside = [ask(client, recording(0, seconds)) for seconds in range(2, 8)]
        refused = poisonous.result()

        assert [answer.json()["data"] for answer in beside] == [f"{n * 16_000} samples" for n in range(2, 8)]
        assert refused.status_code == 422, refused.text
        assert "3 times" in refused.json()["msg"]
        again = ask(client, recording(0, 2))
        assert again.json()["data"] == "32000 samples"
