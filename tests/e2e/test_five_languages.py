"""The service on SenseVoice: five languages through the real loading code, on a small model of our own."""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pysubs2
import pytest

from loadtest.corpus.clips import Clip, joined
from loadtest.corpus.encoding import encoded
from tests.e2e.conftest import Service
from tests.sensevoice import SAMPLES

FILES = sorted(SAMPLES.glob("*/*.wav"))

#: Of the samples, so many may be wrong: the model is small, and hears about 97 % of held-out strings right.
MOST_WRONG = 1


#: Samples that the model hears right, in words and in digits: one of each language, and a happy voice.
RIGHT = ("en/421", "en/881", "ja/196", "ko/7275", "yue/8427", "zh/9114")


def file_of(sample: str) -> Path:
    """The recording of a sample, named `language/digits`."""
    return SAMPLES / f"{sample}.wav"


def test_five_languages(sensevoice: Service) -> None:
    """What was said in each language comes out, without tags."""
    heard: dict[str, str] = {}
    with sensevoice.client() as client:
        able = client.get("/health").json()["model"]
        for sample in FILES:
            language = sample.parent.name
            answer = client.post("/asr", files={"file": sample.read_bytes()}, data={"lang": language})
            assert answer.status_code == 200, answer.text
            cues = pysubs2.SSAFile.from_string(answer.json()["data"], format_="srt")
            heard[f"{language}/{sample.stem}"] = " ".join(cue.plaintext for cue in cues)

    assert set(able["languages"]) == {"auto", "zh", "en", "ja", "ko", "yue"}
    assert {sample.parent.name for sample in FILES} == {"zh", "en", "ja", "ko", "yue"}
    wrong = {name: text for name, text in heard.items() if "".join(text.split()) != name.partition("/")[2]}
    assert not any("<|" in text for text in heard.values())
    assert len(wrong) <= MOST_WRONG, wrong


def test_ten_clients(sensevoice: Service) -> None:
    """All at once, languages and ITN mixed in the batches: each gets what it gets alone."""
    asked = [
        (file, {"lang": language, "itn": itn, "details": "true"})
        for file in FILES
        for language in ("auto", file.parent.name)
        for itn in ("true", "false")
    ]

    def ask(client: httpx.Client, file: Path, fields: dict[str, str]) -> Any:
        answer = client.post("/asr_simple", files={"file": file.read_bytes()}, data=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    with sensevoice.client() as client, ThreadPoolExecutor(10) as clients:
        alone = [ask(client, *one) for one in asked]
        together = list(clients.map(lambda one: ask(client, *one), asked))

    assert together == alone
    languages = [
        (file.parent.name, body["segments"][0]["language"])
        for (file, fields), body in zip(asked, alone, strict=True)
        if fields["lang"] == "auto"
    ]
    wrong = [said for said in languages if said[0] != said[1]]
    assert len(wrong) <= len(languages) * 0.05, wrong


@pytest.mark.parametrize("sample", RIGHT)
def test_itn(sensevoice: Service, sample: str) -> None:
    """Numbers are in digits unless words are asked for."""
    file = file_of(sample)
    language, digits = sample.split("/")
    heard: list[str] = []
    with sensevoice.client() as client:
        for itn in ("true", "false"):
            answer = client.post(
                "/asr_simple", files={"file": file.read_bytes()}, data={"lang": language, "itn": itn}
            )
            heard.append(answer.json()["data"])

    assert heard == [digits, file.with_suffix(".txt").read_text().strip()]


@pytest.mark.parametrize("sample", RIGHT)
def test_details(sensevoice: Service, sample: str) -> None:
    """Everything the model knows of a segment, with its words in their order within the segment."""
    file = file_of(sample)
    language = sample.partition("/")[0]
    fields = {"lang": language, "itn": "false", "details": "true"}
    with sensevoice.client() as client:
        body = client.post("/asr", files={"file": file.read_bytes()}, data=fields).json()

    (segment,) = body["segments"]
    words = segment.pop("words")
    edges = [segment.pop("start_ms"), *times(words), segment.pop("end_ms")]
    text = file.with_suffix(".txt").read_text().strip()
    assert edges == sorted(edges)
    assert "".join(word["text"] for word in words) == "".join(text.split())
    assert segment == {
        "text": text,
        "language": language,
        "emotion": "happy" if sample == "en/881" else "neutral",
        "event": "speech",
        "error": None,
    }


def test_transcribe_as_json(sensevoice: Service, tmp_path: Path) -> None:
    """The command shows the details too; words have their times in the whole recording."""
    pause_ms = 1_500
    parts = [Clip(file_of(sample), "en", sample[3:]) for sample in ("en/421", "en/881")]
    file = tmp_path / "two.wav"
    file.write_bytes(encoded(joined(parts, pause_ms), "wav"))

    done = sensevoice.run("deploy.transcribe", str(file), "en", "json")

    assert done.returncode == 0, done.stderr
    segments = json.loads(done.stdout)["segments"]
    words = [word for segment in segments for word in segment["words"]]
    assert [word["text"] for word in words] == ["421", "881"]
    begins_ms = pause_ms
    for part, word in zip(parts, words, strict=True):
        ends_ms = begins_ms + len(part.audio)
        assert begins_ms < word["start_ms"] < word["end_ms"] < ends_ms
        begins_ms = ends_ms + pause_ms


def test_cues_from_words(sensevoice: Service) -> None:
    """A long segment is divided where its speaker pauses, at the times of its words."""
    pause_ms = 100
    parts = [Clip(file_of(f"en/{digits}"), "en", digits) for digits in ("421", "881", "286") * 3]
    file = encoded(joined(parts, pause_ms), "wav")
    with sensevoice.client() as client:
        body = client.post("/asr", files={"file": file}, data={"lang": "en", "itn": "false"}).json()

    begins_ms = list(itertools.accumulate((len(part.audio) + pause_ms for part in parts), initial=pause_ms))
    cues = list(pysubs2.SSAFile.from_string(body["data"], format_="srt"))
    assert body["stats"]["total_segments"] == 1
    assert len(cues) > 1
    heard = " ".join(cue.plaintext for cue in cues).split()
    assert " ".join(heard) == " ".join(["four two one eight eight one two eight six"] * 3)
    for cue in cues:
        assert 800 <= cue.end - cue.start <= 7_000
        assert min(abs(cue.start - begin_ms) for begin_ms in begins_ms) < 400
        assert len(cue.plaintext.split()) % 3 == 0


def test_replace(sensevoice: Service) -> None:
    """Words that are replaced together become one, in the subtitles and in the details."""
    fields = {"lang": "English", "itn": "false", "details": "true", "replace": "four two=Forty-two\none=1"}
    with sensevoice.client() as client:
        file = {"file": file_of("en/421").read_bytes()}
        plain = client.post("/asr", files=file, data=fields | {"replace": ""}).json()
        body = client.post("/asr", files=file, data=fields).json()

    first, second, third = plain["segments"][0]["words"]
    assert body["data"].splitlines()[2:] == ["Forty-two 1"]
    assert body["segments"][0]["words"] == [
        {"text": "Forty-two", "start_ms": first["start_ms"], "end_ms": second["end_ms"]},
        third | {"text": "1"},
    ]


def times(words: list[dict[str, Any]]) -> Iterator[int]:
    """The edges of words, one after the other."""
    for word in words:
        yield from (word["start_ms"], word["end_ms"])
