"""The service on SenseVoice: five languages through the real loading code, on a small model of our own."""

from collections.abc import Iterator
from pathlib import Path

import pysubs2
import pytest

from tests.e2e.conftest import Service, checkout, started

SAMPLES = sorted((Path(__file__).resolve().parents[1] / "sensevoice" / "samples").glob("*/*.wav"))

#: Of the samples, so many may be wrong: the model is small, and hears about 88 % of held-out strings right.
MOST_WRONG = 4


@pytest.fixture(scope="module")
def sensevoice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Two instances of the small SenseVoice."""
    home = tmp_path_factory.mktemp("sensevoice")
    yield from started(checkout(home, ASR_MODEL="tests/sensevoice/model", ASR_INSTANCES="2"))


def test_five_languages(sensevoice: Service) -> None:
    """What was said in each language comes out, without tags."""
    heard: dict[str, str] = {}
    with sensevoice.client() as client:
        able = client.get("/health").json()["model"]
        for sample in SAMPLES:
            language = sample.parent.name
            answer = client.post("/asr", files={"file": sample.read_bytes()}, data={"lang": language})
            assert answer.status_code == 200, answer.text
            cues = pysubs2.SSAFile.from_string(answer.json()["data"], format_="srt")
            heard[f"{language}/{sample.stem}"] = " ".join(cue.plaintext for cue in cues)

    assert set(able["languages"]) == {"auto", "zh", "en", "ja", "ko", "yue"}
    assert {sample.parent.name for sample in SAMPLES} == {"zh", "en", "ja", "ko", "yue"}
    wrong = {name: text for name, text in heard.items() if "".join(text.split()) != name.partition("/")[2]}
    assert not any("<|" in text for text in heard.values())
    assert len(wrong) <= MOST_WRONG, wrong
