"""Real speech in, right text out."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pysubs2
import pytest

from loadtest.corpus.clips import Clip, clips, joined, samples_of
from loadtest.corpus.encoding import ENCODINGS, encoded
from loadtest.corpus.scoring import error_rate
from tests.media import film

CLIPS = clips("en", "zh", "ja")

#: The most errors the embedded model makes in a clip of a few words, by language: the Japanese one is a poem.
WORST = {"en": 0.1, "zh": 0.4, "ja": 0.85}


def ask(http: httpx.Client, file: bytes, name: str = "a.wav", endpoint: str = "/asr", **fields: str) -> Any:
    """What the service answers; anything but success fails the test."""
    answer = http.post(endpoint, files={"file": (name, file)}, data=fields)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["code"], body["msg"]) == (0, "ok")
    assert set(body) == {"code", "msg", "data", "stats"} | ({"segments"} if "details" in fields else set())
    return body


def texts(srt: str) -> list[str]:
    """The texts of the cues, as an independent library reads them, each on one line."""
    return [" ".join(cue.plaintext.split()) for cue in pysubs2.SSAFile.from_string(srt, format_="srt")]


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: f"{clip.language}-{clip.path.stem}")
def test_clip(http: httpx.Client, clip: Clip) -> None:
    """Each clip alone, in one of the four formats, its language given."""
    fmt = list(ENCODINGS)[CLIPS.index(clip) % len(ENCODINGS)]

    body = ask(http, encoded(clip.audio, fmt), f"clip.{fmt}", lang=clip.language)

    heard = " ".join(texts(body["data"]))
    assert error_rate(clip.language, clip.text, heard) <= WORST[clip.language], heard
    assert body["stats"]["success_rate"] == 1


def test_long_recording(http: httpx.Client) -> None:
    """Clips with pauses between become cues in their order, with times that lie where they were put."""
    parts = clips("en") * 4
    pause_ms = 1_500

    body = ask(http, encoded(joined(parts, pause_ms), "flac"), "long.flac", lang="en")

    cues = list(pysubs2.SSAFile.from_string(body["data"], format_="srt"))
    assert body["stats"]["total_segments"] == body["stats"]["successful_segments"] == len(cues)
    begins_ms = pause_ms
    for clip, cue in zip(parts, cues, strict=True):
        assert error_rate("en", clip.text, cue.plaintext) <= WORST["en"], cue
        assert abs(cue.start - begins_ms) < 400
        assert cue.start < cue.end
        begins_ms += len(clip.audio) + pause_ms
    assert all(first.end <= second.start for first, second in itertools.pairwise(cues))


def test_details(http: httpx.Client) -> None:
    """Each cue is a segment; what Whisper does not know is null."""
    parts = clips("en")[1:]

    body = ask(http, encoded(joined(parts, 1_500), "flac"), "two.flac", lang="en", details="1")

    cues = list(pysubs2.SSAFile.from_string(body["data"], format_="srt"))
    unknown = {"emotion": None, "event": None, "words": None, "error": None}
    assert body["segments"] == [
        {"start_ms": cue.start, "end_ms": cue.end, "text": text, "language": "en"} | unknown
        for cue, text in zip(cues, texts(body["data"]), strict=True)
    ]
    assert len(cues) == len(parts)


def test_asr_simple(http: httpx.Client) -> None:
    """The whole file at once, as plain text."""
    clip = CLIPS[2]

    body = ask(http, encoded(clip.audio, "wav"), endpoint="/asr_simple", lang="en")

    assert error_rate("en", clip.text, body["data"]) <= WORST["en"]


@pytest.mark.parametrize("endpoint", ["/asr", "/asr_simple"])
def test_without_punctuation(http: httpx.Client, endpoint: str) -> None:
    """The same words, and no marks but within them."""
    file = encoded(CLIPS[2].audio, "wav")
    marked = ask(http, file, endpoint=endpoint, lang="en")["data"]

    bare = ask(http, file, endpoint=endpoint, lang="en", punctuation="False")["data"]

    assert marked.rstrip().endswith(".")
    assert bare.rstrip() == marked.rstrip().removesuffix(".")


def test_language_is_detected(http: httpx.Client) -> None:
    """Without `lang` the language is found out, clip by clip."""
    for clip in (clips("en")[2], clips("ja")[2]):
        body = ask(http, encoded(clip.audio, "wav"))

        heard = " ".join(texts(body["data"]))
        assert error_rate(clip.language, clip.text, heard) <= WORST[clip.language], heard


def test_language_by_name(http: httpx.Client) -> None:
    """A tag or a name asks for the same as the code, and an empty field for nothing."""
    file = encoded(clips("en")[2].audio, "wav")

    heard = {name: ask(http, file, lang=name)["data"] for name in ("en", "EN_us", "English", "")}

    assert set(heard.values()) == {heard["en"]}


def test_replace(http: httpx.Client) -> None:
    """What is misheard is put right, each place once."""
    file = encoded(clips("en")[2].audio, "wav")
    table = "brown=red\nquick brown=slow brown, LAZY=tired, azy=x"

    heard = ask(http, file, endpoint="/asr_simple", lang="en", replace=table)["data"]

    assert heard == "The slow brown fox jumps over the tired dog."


def test_many_clients(http: httpx.Client) -> None:
    """Ten clients at once get, each time, the text that their clip gets alone; all instances take part."""
    files = [
        (f"clip.{fmt}", encoded(clip.audio, fmt), clip)
        for clip, fmt in zip(CLIPS, list(ENCODINGS) * 3, strict=False)
    ]
    alone = [ask(http, file, name, lang=clip.language)["data"] for name, file, clip in files]
    before = requests_by_instance(http)

    def client_of_five(first: int) -> list[tuple[int, str]]:
        chosen = [(first + step) % len(files) for step in range(5)]
        return [
            (index, ask(http, files[index][1], files[index][0], lang=files[index][2].language)["data"])
            for index in chosen
        ]

    with ThreadPoolExecutor(10) as clients:
        answers = [answer for each in clients.map(client_of_five, range(10)) for answer in each]

    assert len(answers) == 50
    assert all(heard == alone[index] for index, heard in answers)
    after = requests_by_instance(http)
    assert sorted(after) == [f"instance-{number}" for number in range(1, 6)]
    assert all(after[name] > before[name] for name in after), (before, after)


def requests_by_instance(http: httpx.Client) -> dict[str, int]:
    """What each instance has done so far."""
    instances = http.get("/stats").json()["model_pool_stats"]["instances"]
    return {one["instance"]: one["total_requests"] for one in instances}


def test_video(http: httpx.Client) -> None:
    """The sound of a video is transcribed, whatever its name says."""
    upload = film(samples_of(CLIPS[2].audio), "mp4", "aac", "mpeg4")

    body = ask(http, upload, "holiday.bin", lang="en")

    assert error_rate("en", CLIPS[2].text, " ".join(texts(body["data"]))) <= WORST["en"]
