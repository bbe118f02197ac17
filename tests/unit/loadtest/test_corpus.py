"""What is sent is what it claims to be: its length, its noise, its speech; and always the same."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from actors.records import SAMPLE_RATE_HZ
from loadtest import corpus
from loadtest.corpus import made, noise, recipes
from loadtest.corpus.clips import audio_of, clips, decode, samples_of
from loadtest.corpus.encoding import ENCODINGS, encoded
from loadtest.corpus.recipes import Draft, drafts
from loadtest.corpus.recording import Recording
from loadtest.plan import BadPlan

#: The seed of another machine's corpus is as good as ours.
SEED = 7


@pytest.fixture(autouse=True)
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where corpora are kept during a test."""
    monkeypatch.setattr(made, "CORPORA", tmp_path / "corpus")
    return tmp_path / "corpus"


@pytest.fixture(scope="module")
def mixed() -> list[Draft]:
    """The recordings of `mixed`, not encoded."""
    return list(drafts("mixed", SEED))


def power(samples: np.ndarray, parts_s: list[tuple[float, float]]) -> float:
    """The mean power of these parts."""
    parts = [samples[round(begin * SAMPLE_RATE_HZ) : round(end * SAMPLE_RATE_HZ)] for begin, end in parts_s]
    return float(np.mean(np.concatenate(parts).astype(np.float64) ** 2))


def pauses(draft: Draft) -> list[tuple[float, float]]:
    """What lies outside the speech, 0.1 s away from it."""
    ends = [-0.1, *(end for _, end in draft.speech_s)]
    begins = [*(begin for begin, _ in draft.speech_s), draft.audio_s + 0.1]
    return [(end + 0.1, begin - 0.1) for end, begin in zip(ends, begins, strict=True) if begin - end > 0.2]


@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
@pytest.mark.parametrize("snr_db", [20, 10, 5])
def test_noise_is_as_loud_as_asked(kind: str, snr_db: float) -> None:
    """What is added to clean speech has the power that the ratio gives it, beside the speech alone."""
    rng = np.random.default_rng(SEED)
    speech = samples_of(clips("en")[2].audio).astype(np.float64)
    clean = np.concatenate([np.zeros(SAMPLE_RATE_HZ), speech, np.zeros(4 * SAMPLE_RATE_HZ)])
    speech_s = [(1.0, 1 + len(speech) / SAMPLE_RATE_HZ)]
    voices = [samples_of(clip.audio) for clip in clips("zh", "ja")]
    sound = (
        noise.babble(rng, len(clean), voices) if kind == "babble" else getattr(noise, kind)(rng, len(clean))
    )

    added = noise.noisy(clean, sound, speech_s, snr_db) - clean

    heard_db = 10 * np.log10(np.mean(speech**2) / np.mean(added**2))
    assert heard_db == pytest.approx(snr_db, abs=0.5)


def test_pink_noise_loses_3_db_an_octave() -> None:
    """White noise has as much power in each octave's hertz; pink half as much in each next one."""
    rng = np.random.default_rng(SEED)
    spectrum = np.abs(np.fft.rfft(noise.pink(rng, 2**18))) ** 2
    octaves = [spectrum[2**low : 2 ** (low + 1)].mean() for low in range(8, 17)]

    steps_db = [10 * np.log10(after / before) for before, after in pairwise(octaves)]

    assert np.mean(steps_db) == pytest.approx(-3, abs=0.2)


def test_noise_in_what_is_made(mixed: list[Draft]) -> None:
    """In a recording of steady noise, pauses have the noise's power, and speech that much more."""
    steady = [draft for draft in mixed if "white" in draft.kind and len(draft.speech_s) > 1]
    assert len(steady) >= 5
    for draft in steady:
        noise_power = power(draft.samples, pauses(draft))
        speech_power = power(draft.samples, list(draft.speech_s)) - noise_power
        asked_db = int(draft.kind.rpartition("-")[2].removesuffix("dB"))
        assert 10 * np.log10(speech_power / noise_power) == pytest.approx(asked_db, abs=0.5), draft.kind


def test_nothing_is_clipped(mixed: list[Draft]) -> None:
    """However loud the noise."""
    assert max(np.abs(draft.samples.astype(np.int32)).max() for draft in mixed) < 2**15 - 1


def test_boundaries(mixed: list[Draft]) -> None:
    """In clean recordings somebody speaks within the boundaries, throughout, and nobody outside."""
    for draft in [*drafts("short", SEED), *(draft for draft in mixed if "dB" not in draft.kind)]:
        assert all(begin < end for begin, end in draft.speech_s)
        assert all(before[1] < after[0] for before, after in pairwise(draft.speech_s))
        assert draft.speech_s[0][0] > 0
        assert draft.speech_s[-1][1] <= draft.audio_s
        least = min(power(draft.samples, [(begin, begin + 0.3)]) for begin, _ in draft.speech_s)
        last = min(power(draft.samples, [(end - 0.3, end)]) for _, end in draft.speech_s)
        assert min(least, last) > 30 * power(draft.samples, pauses(draft))


@pytest.mark.parametrize(("recipe", "least_s", "most_s"), [("short", 1, 15), ("long", 1800, 1800)])
def test_lengths(recipe: str, least_s: float, most_s: float) -> None:
    """As the recipe has it."""
    lengths_s = [draft.audio_s for draft in drafts(recipe, SEED)]

    assert least_s <= min(lengths_s)
    assert max(lengths_s) <= most_s + 0.001


def test_mixed_is_mixed(mixed: list[Draft]) -> None:
    """Lengths of 1 to 60 s around the middle of a logarithmic scale, one of minutes; and all else."""
    *lengths_s, longest_s = sorted(draft.audio_s for draft in mixed)
    kinds = {part for draft in mixed for part in draft.kind.split("-")}

    assert longest_s == 240
    assert 1 <= lengths_s[0] < 3
    assert 30 < lengths_s[-1] <= 60
    assert 4 < np.median(lengths_s) < 14
    assert {draft.fmt for draft in mixed} == set(ENCODINGS)
    assert kinds == {"en", "zh", "ja", "white", "pink", "babble", "20dB", "10dB", "5dB"}
    assert {draft.language for draft in mixed} == {"en", "zh", "ja", "auto"}


def test_texts_are_in_the_order_of_the_speech(mixed: list[Draft]) -> None:
    """Each part of the text has its pair of boundaries, as far apart as its clip is long."""
    spoken = [one for language in recipes.BABBLE for one in recipes.utterances(language)]
    for draft in mixed:
        left = draft.text
        for begin_s, end_s in draft.speech_s:
            said = [one for one in spoken if left.startswith(one.text)]
            assert any(end_s - begin_s == pytest.approx(one.end_s - one.begin_s, abs=0.002) for one in said)
            left = left.removeprefix(said[0].text).removeprefix(" ")
        assert left == ""


def test_spaces_between_languages() -> None:
    """English has spaces around it, Chinese and Japanese none between them."""
    text = next(draft.text for draft in drafts("mixed", SEED) if draft.kind == "en-ja-zh")

    assert "。 " in text or ". 一" in text or ". 你" in text or ". 天" in text
    assert not any(f"。 {clip.text}" in text for clip in clips("zh", "ja"))


@pytest.mark.parametrize("recipe", ["short", "mixed", "long"])
def test_same_seed_same_samples(recipe: str) -> None:
    """And the same texts; another seed gives others."""
    first, again, other = (list(drafts(recipe, seed)) for seed in (SEED, SEED, SEED + 1))

    assert [one.samples.tobytes() for one in first] == [one.samples.tobytes() for one in again]
    assert [(one.text, one.speech_s) for one in first] == [(one.text, one.speech_s) for one in again]
    assert not {one.samples.tobytes() for one in first} & {one.samples.tobytes() for one in other}


def test_same_seed_same_files(corpora: Path, mixed: list[Draft]) -> None:
    """To the byte, whatever the format; and no two are alike."""
    first = corpus.recordings("short", SEED)
    files = [one.path.read_bytes() for one in first]
    shutil.rmtree(corpora)

    assert corpus.recordings("short", SEED) == first
    assert [one.path.read_bytes() for one in first] == files
    assert len(set(files)) == len(files)
    for draft in mixed[:4]:
        audio = audio_of(draft.samples)
        assert encoded(audio, draft.fmt) == encoded(audio, draft.fmt), draft.fmt


def test_files_decode_to_what_is_claimed() -> None:
    """Every file is as long as it says when the service decodes it, and its speech is where it says."""
    made_ = corpus.recordings("mixed", SEED)
    for recording, draft in zip(made_, drafts("mixed", SEED), strict=True):
        with recording.path.open("rb") as file:
            samples = np.concatenate(list(decode(file)))
        assert recording.audio_s == draft.audio_s
        assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(recording.audio_s, abs=0.05), recording.name
        common = min(len(samples), len(draft.samples))
        assert np.corrcoef(samples[:common], draft.samples[:common])[0, 1] > 0.9, recording.name


def test_a_corpus_is_made_once(corpora: Path) -> None:
    """The second time, what lies there is taken."""
    first = corpus.recordings("short", SEED)
    written = {path: path.stat().st_mtime_ns for path in corpora.rglob("*.*")}

    assert corpus.recordings("short", SEED) == first
    assert {path: path.stat().st_mtime_ns for path in corpora.rglob("*.*")} == written


def damage_a_file(folder: Path) -> None:
    """One byte is another."""
    path = sorted(folder.glob("*.wav"))[3]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def lose_a_file(folder: Path) -> None:
    """It is gone."""
    sorted(folder.glob("*.wav"))[3].unlink()


def cut_the_manifest(folder: Path) -> None:
    """Half of it is there."""
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:500])


def be_interrupted(folder: Path) -> None:
    """The process that made it was killed."""
    folder.rename(folder.with_name(f"{folder.name}.unfinished"))


@pytest.mark.parametrize("harm", [damage_a_file, lose_a_file, cut_the_manifest, be_interrupted])
def test_a_broken_corpus_is_made_anew(harm: object) -> None:
    """As it was."""
    first = corpus.recordings("short", SEED)
    files = [one.path.read_bytes() for one in first]

    assert callable(harm)
    harm(first[0].path.parent)

    assert corpus.recordings("short", SEED) == first
    assert [one.path.read_bytes() for one in first] == files


def test_unknown_recipe() -> None:
    """The message says which there are."""
    with pytest.raises(BadPlan, match="no corpus 'loud'; there are short, long, mixed"):
        corpus.recordings("loud", 0)


def test_a_folder_of_the_users(tmp_path: Path) -> None:
    """Recordings by name, whatever they are called, with the texts beside them, and nothing else."""
    clip = clips("en")[2]
    for name, fmt in (("b.mp3", "mp3"), ("a.wav", "wav"), ("c.bin", "m4a")):
        (tmp_path / name).write_bytes(encoded(clip.audio, fmt))
    (tmp_path / "b.txt").write_text(f"{clip.text}\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("My recordings, which I made last year in the garden.")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "older").mkdir()

    found = corpus.folder(tmp_path)

    assert [(one.name, one.text) for one in found] == [("a.wav", None), ("b.mp3", clip.text), ("c.bin", None)]
    assert {one.language for one in found} == {"auto"}
    assert all(one.audio_s == pytest.approx(len(clip.audio) / 1000, abs=0.06) for one in found)
    assert corpus.folder(tmp_path / "b.mp3") == [found[1]]


def test_a_length_that_no_header_tells(tmp_path: Path) -> None:
    """It is measured."""
    (tmp_path / "a.flac").write_bytes(streamed := encoded(audio_of(np.ones(40_000, np.int16)), "flac"))
    # Sample count zero means unknown: RFC 9639, section 8.2.
    assert streamed[:4] == b"fLaC"
    headless = bytearray(streamed)
    headless[21] &= 0xF0
    headless[22:26] = bytes(4)
    (tmp_path / "a.flac").write_bytes(headless)

    (recording,) = corpus.folder(tmp_path)

    assert recording == Recording(name="a.flac", path=tmp_path / "a.flac", language="auto", audio_s=2.5)


def test_nothing_to_send(tmp_path: Path) -> None:
    """The message names what is missing, empty or damaged."""
    with pytest.raises(BadPlan, match="nowhere: there is no such file or folder"):
        corpus.folder(tmp_path / "nowhere")
    with pytest.raises(BadPlan, match="there is no recording in it"):
        corpus.folder(tmp_path)
    (tmp_path / "a.txt").write_text("a text")
    with pytest.raises(BadPlan, match=r"a\.txt: there is no recording in it"):
        corpus.folder(tmp_path / "a.txt")
    (tmp_path / "a.flac").write_bytes(b"fLaC" + bytes(500))
    with pytest.raises(BadPlan, match=r"a\.flac: "):
        corpus.folder(tmp_path)


@pytest.mark.parametrize(
    ("language", "reference", "heard", "rate"),
    [
        ("en", "The quick brown fox.", "the quick brown fox", 0),
        ("en", "One two three four", "1 2 3 5", 0.25),
        ("zh", "你好世界。", "你好 世间", 0.25),
        ("yue", "零三零八", "零三", 0.5),
        ("auto", "Hello world. 你好世界。", "hello world 你好世间", 1 / 6),
        ("auto", "Hello world.", "hello word", 0.5),
    ],
)
def test_error_rate(language: str, reference: str, heard: str, rate: float) -> None:
    """By word, or by character where words are not separated; by both where languages are mixed."""
    assert corpus.error_rate(language, reference, heard) == pytest.approx(rate)
