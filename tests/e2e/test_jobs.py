"""Jobs over HTTP: handed in, followed, fetched, each step in a request of its own."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from loadtest.corpus.clips import clips
from loadtest.corpus.encoding import encoded
from tests.e2e.conftest import Service
from tests.e2e.job_client import QUIET_S, SEGMENTS, SHORT, Event, follow, hand_in, job_of
from tests.e2e.test_faults import await_that


def test_real_speech(http: httpx.Client) -> None:
    """What a job gives is what `/asr` gives, and what its events tell is the same again."""
    speech = clips("en")
    file = encoded(sum((clip.audio for clip in speech[1:4]), speech[0].audio), "mp3")
    submitted = http.post("/jobs", files={"file": ("a.mp3", file)}, data={"lang": "en"})
    assert submitted.status_code == 202
    job_id = submitted.json()["id"]
    assert submitted.headers["location"] == f"/jobs/{job_id}"

    events = list(follow(http, job_id))

    answer = http.post("/asr", files={"file": ("a.mp3", file)}, data={"lang": "en", "details": "1"}).json()
    assert events[-1][1] == "done"
    assert events[-1][2]["state"] == "done"
    heard = [data for _, name, data in events if name == "segment"]
    wanted = ("start_ms", "end_ms", "text", "language", "error")
    assert [[data[name] for name in wanted] for data in heard] == [
        [segment[name] for name in wanted] for segment in answer["segments"]
    ]
    result = http.get(f"/jobs/{job_id}/result").json()
    assert result["segments"] == answer["segments"]
    assert (result["language"], result["stats"]) == ("en", answer["stats"])
    srt = http.get(f"/jobs/{job_id}/result", params={"format": "srt"})
    assert srt.text == answer["data"]
    assert srt.headers["content-type"] == "application/x-subrip; charset=utf-8"
    assert srt.headers["content-disposition"] == f'attachment; filename="{job_id}.srt"'
    assert http.get(f"/jobs/{job_id}/result", params={"format": "txt"}).text == result["text"]


def test_events_in_order_and_taken_up_again(api: httpx.Client) -> None:
    """Segments come while the job runs; whoever reconnects misses nothing and hears nothing twice."""
    job_id = hand_in(api).json()["id"]
    first: list[Event] = []
    for event in follow(api, job_id):
        first.append(event)
        if event[1] == "segment" and event[2]["index"] == 2:
            break
    running = job_of(api, job_id)
    assert running["state"] == "running"
    assert running["eta_s"] > 0
    assert 3 <= running["segments"]["finished"] < SEGMENTS
    assert running["audio"]["total_s"] == QUIET_S

    rest = list(follow(api, job_id, first[-1][0]))

    whole = [*first, *rest]
    assert [data["index"] for _, name, data in whole if name == "segment"] == list(range(SEGMENTS))
    states = [data["state"] for _, name, data in whole if name == "state"]
    assert states in (["queued", "running", "done"], ["running", "done"])
    assert [name for _, name, _ in whole][-2:] == ["state", "done"]
    again = list(follow(api, job_id))
    assert [event for event in again if event[1] == "segment"] == [
        (id_.replace("running", ""), name, data) for id_, name, data in whole if name == "segment"
    ]
    assert list(follow(api, job_id, rest[-2][0])) == rest[-1:]
    assert api.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": rest[-1][0]}).status_code == 204
    assert api.get(f"/jobs/{job_id}/events", headers={"Last-Event-ID": "17"}).status_code == 422


def test_the_line_and_the_list(api: httpx.Client) -> None:
    """Every job is listed, newest first, page by page, and those that wait know their position."""
    handed_in = [hand_in(api, SHORT).json()["id"] for _ in range(5)]
    listed: list[str] = []
    cursor: dict[str, str] = {}
    while len(listed) < 5:
        page = api.get("/jobs", params={"limit": "2"} | cursor).json()
        listed += [job["id"] for job in page["jobs"]]
        cursor = {"cursor": page["next"]}

    assert listed[:5] == handed_in[::-1]
    await_that(lambda: all(job_of(api, job_id)["state"] == "done" for job_id in handed_in))
    done = api.get("/jobs", params={"state": "done"}).json()["jobs"]
    assert set(handed_in) <= {job["id"] for job in done}
    assert {job["state"] for job in done} == {"done"}


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"state": "lost"}, {"cursor": "x"}]
)
def test_bad_parameters(api: httpx.Client, params: dict[str, str]) -> None:
    """They are refused, by name."""
    answer = api.get("/jobs", params=params)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert next(iter(params)) in answer.json()["detail"]


def test_no_result_yet(api: httpx.Client) -> None:
    """A problem says where the job stands, or that there is none."""
    job_id = hand_in(api).json()["id"]

    early = api.get(f"/jobs/{job_id}/result")
    api.delete(f"/jobs/{job_id}")
    late = api.get(f"/jobs/{job_id}/result")

    assert early.status_code == late.status_code == 409
    assert early.headers["content-type"] == "application/problem+json"
    assert early.json()["state"] in {"queued", "running"}
    assert late.json()["state"] == "cancelled"
    for ask in ("/jobs/nothing", "/jobs/nothing/result", "/jobs/nothing/events"):
        assert api.get(ask).status_code == 404
    assert api.delete("/jobs/nothing").status_code == 404
    assert api.get(f"/jobs/{job_id}/result", params={"format": "doc"}).status_code == 422


def test_a_failed_job(api: httpx.Client) -> None:
    """Its result is its error, with the status that `/asr` gives."""
    damaged = SHORT[:44]
    job_id = hand_in(api, damaged).json()["id"]

    events = list(follow(api, job_id))

    asked = api.post("/asr", files={"file": ("a", damaged)})
    result = api.get(f"/jobs/{job_id}/result")
    assert result.status_code == asked.status_code == 422
    assert result.json()["detail"] == asked.json()["msg"] == events[-1][2]["error"]["message"]
    assert events[-1][2]["error"]["status"] == 422


@pytest.mark.parametrize(("file", "form"), [(b"", {}), (b"no recording", {}), (SHORT, {"lang": "xx"})])
def test_what_asr_refuses(api: httpx.Client, file: bytes, form: dict[str, str]) -> None:
    """It is refused at once, in the same words."""
    asked = api.post("/asr", files={"file": ("a", file)}, data=form)
    refused = hand_in(api, file, **form)

    assert refused.status_code == asked.status_code
    assert refused.json()["detail"] == asked.json()["msg"]


def test_no_callbacks_here(api: httpx.Client) -> None:
    """Where the operator has set no secret, whoever wants one is told so before anything is stored."""
    refused = hand_in(api, callback="https://example.org/")

    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("callback: ")
    assert "ASR_CALLBACK_SECRET" in refused.json()["detail"]
    assert hand_in(api, SHORT, callback="").json()["callback"] is None


def test_one_key_is_one_job(slow: Service, api: httpx.Client) -> None:
    """Also at once; with another file or other options the key is refused."""

    def send(_: int) -> httpx.Response:
        with slow.client() as client:
            return hand_in(client, SHORT, "tuesday's call")

    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(send, range(8)))

    assert {answer.status_code for answer in answers} == {202}
    (job_id,) = {answer.json()["id"] for answer in answers}
    await_that(lambda: job_of(api, job_id)["state"] == "done")
    assert hand_in(api, SHORT, "tuesday's call").json()["state"] == "done"
    assert hand_in(api, SHORT, "tuesday's call", lang="en").status_code == 422
    assert hand_in(api, SHORT + b"\0", "tuesday's call").status_code == 422
    assert hand_in(api, SHORT, "x" * 201).status_code == 422


def test_the_result_is_deleted(api: httpx.Client) -> None:
    """A job that is done stays so; its result is gone, and its events without segments."""
    job_id = hand_in(api, SHORT).json()["id"]
    assert [name for _, name, _ in follow(api, job_id)][-3:] == ["segment", "state", "done"]
    assert api.get(f"/jobs/{job_id}/result").status_code == 200

    assert api.delete(f"/jobs/{job_id}").status_code == 204

    assert job_of(api, job_id)["state"] == "done"
    gone = api.get(f"/jobs/{job_id}/result")
    assert gone.status_code == 404
    assert "deleted" in gone.json()["detail"]
    assert [name for _, name, _ in follow(api, job_id)] == ["state", "done"]


@pytest.mark.parametrize("part", ["upload", "segments", "audio", "transcript"])
def test_an_id_names_no_other_key(api: httpx.Client, part: str) -> None:
    """What lies in Redis beside a job is no job."""
    job_id = hand_in(api).json()["id"]

    for path in ("", "/result", "/events"):
        assert api.get(f"/jobs/{job_id}:{part}{path}").status_code == 404
    assert api.delete(f"/jobs/{job_id}:{part}").status_code == 404
