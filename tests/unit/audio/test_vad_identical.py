"""Our FSMN-VAD is FunASR's, edge by edge and frame by frame.

`pytest -s tests/unit/audio/test_vad_identical.py --vad-hours 2` compares two hours and says how they compare.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from actors.audio.vad import _SPEECH_BELOW, VoiceActivityDetector
from actors.audio.vad_states import EdgeFinder
from actors.records import SAMPLE_RATE_HZ
from loadtest.bench.funasr_vad import FunasrVad, Heard, Pcm
from loadtest.corpus import noise
from loadtest.corpus.clips import clips, decode

Signal = NDArray[np.float64]

NOTHING = np.empty(0, np.int16)

#: Between our P(silence) and FunASR's: ten times what two hours showed.
MOST_APART = 2e-4

#: Pauses beside those at which the state machine turns: the window's 150 ms, and 650 and 800 ms of silence.
PAUSES_MS = (0, 140, 150, 160, 200, 300, 500, 640, 650, 660, 700, 780, 790, 800, 810, 820, 1000, 2500)

LENGTHS = sorted({0, 1, 399, *(400 + 160 * frames + more for frames in range(13) for more in (-1, 0, 1))})


def hear(vad: VoiceActivityDetector, blocks: Sequence[Pcm]) -> Heard:
    """Everything about a recording that is fed in these blocks, the last of which ends it."""
    stream = vad.stream()
    silence: list[NDArray[np.float32]] = [np.empty(0, np.float32)]
    find = stream._silence

    def kept(samples: Pcm, *, final: bool) -> object:
        found = find(samples, final=final)
        silence.append(found.numpy().copy())
        return found

    stream._silence = kept  # type: ignore[method-assign, assignment]
    edges = [
        edge
        for number, block in enumerate(blocks, 1)
        for edge in stream.feed(block, final=number == len(blocks))
    ]
    joined = np.concatenate(silence)
    return Heard(edges, joined, joined < np.float32(_SPEECH_BELOW))


def test_hours_of_audio(
    vad: VoiceActivityDetector, funasr: FunasrVad, voices: list[Signal], pytestconfig: pytest.Config
) -> None:
    """Speech, noise, tones and silence in all mixtures; `--vad-hours` says how much."""
    wanted = int(cast("float", pytestconfig.getoption("--vad-hours")) * 3600 * SAMPLE_RATE_HZ)
    samples = frames = edges = other_states = number = 0
    apart = 0.0
    while samples < wanted:
        audio = recording(voices, number)
        theirs = funasr.hear(cut(audio, number))
        ours = hear(vad, cut(audio, number + 1_000_000))

        assert ours.edges == theirs.edges, f"recording {number}"
        assert len(ours.silence) == len(theirs.silence) == len(theirs.speech)
        apart = max(apart, float(np.abs(ours.silence - theirs.silence).max(initial=0)))
        other_states += int((ours.speech != theirs.speech).sum())
        samples, frames, edges = samples + len(audio), frames + len(ours.silence), edges + len(ours.edges)
        number += 1
    print(  # noqa: T201
        f"\n{samples / SAMPLE_RATE_HZ / 3600:.2f} h in {number} recordings: {edges} edges equal, "
        f"{other_states} of {frames} frames differ, P(silence) by at most {apart:.2g}"
    )

    assert apart < MOST_APART


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_few_frames(
    vad: VoiceActivityDetector, funasr: FunasrVad, voices: list[Signal], length: int, *, together: bool
) -> None:
    """Recordings that barely fill the first windows, ended with their samples or after them."""
    loud = np.concatenate([voice[8_000:12_000] for voice in voices]).astype(np.int16)
    audio = loud[-length:] if length else NOTHING

    theirs = funasr.hear([audio])
    ours = hear(vad, [audio] if together else [audio, NOTHING])

    assert ours.edges == theirs.edges
    assert len(ours.silence) == len(theirs.silence) == max(0, (length - 240) // 160)
    assert np.abs(ours.silence - theirs.silence).max(initial=0) < MOST_APART


@given(
    lengths=st.lists(st.integers(0, 5_000) | st.integers(0, 60_000), max_size=40), seed=st.integers(0, 1000)
)
@settings(max_examples=60)
def test_blocks_change_nothing(
    vad: VoiceActivityDetector, voices: list[Signal], lengths: list[int], seed: int
) -> None:
    """Blocks of any lengths, empty ones too, give what one block gives."""
    audio = recording(voices, seed)[: 12 * SAMPLE_RATE_HZ]
    ends = [0, *np.minimum(np.cumsum([0, *lengths]), len(audio)).tolist(), len(audio)]

    whole = hear(vad, [audio])
    pieces = hear(vad, [audio[begin:end] for begin, end in pairwise(ends)])

    assert pieces.edges == whole.edges
    assert np.abs(pieces.silence - whole.silence).max() < MOST_APART


@given(
    runs=st.lists(st.integers(0, 30) | st.integers(55, 90), min_size=1, max_size=30),
    flips=st.lists(st.integers(0, 1500), max_size=60),
    begins=st.booleans(),
    block_frames=st.sampled_from([1, 7, 100, 3000]),
)
@settings(max_examples=300)
def test_the_same_state_machine(
    funasr: FunasrVad, runs: list[int], flips: list[int], block_frames: int, *, begins: bool
) -> None:
    """Whatever the network might say of each frame, the edges are FunASR's, the ones at the end too."""
    speech = [bool(number % 2) == begins for number, frames in enumerate(runs) for _ in range(frames)]
    speech = speech or [True]
    for frame in flips:
        speech[frame % len(speech)] ^= True
    finder = EdgeFinder()

    edges = [
        edge
        for begin in range(0, len(speech), block_frames)
        for edge in finder.feed(
            speech[begin : begin + block_frames], final=begin + block_frames >= len(speech)
        )
    ]

    assert edges == funasr.edges_of(speech, block_frames)


def test_the_same_threshold() -> None:
    """Around it and anywhere, a probability counts as speech for us when it does in FunASR's arithmetic."""
    at = np.float32(0.2)
    around = [np.nextafter(at, np.float32(0)), at, np.nextafter(at, np.float32(1))]
    anywhere = np.random.default_rng(0).uniform(1e-7, 1 - 1e-7, 20_000).astype(np.float32)

    for silence in [*around, *anywhere]:
        theirs = math.exp(math.log(1.0 - float(silence))) >= math.exp(math.log(float(silence))) + 0.6
        assert bool(torch.tensor(silence) < _SPEECH_BELOW) == theirs


@pytest.fixture(scope="session")
def voices() -> list[Signal]:
    """Packaged speech in all its languages, float64 [samples] on the scale of 16 bits."""
    found = []
    for clip in clips("en", "zh", "ja"):
        with clip.path.open("rb") as file:
            found.append(np.concatenate(list(decode(file))).astype(np.float64))
    return found


def recording(voices: list[Signal], number: int) -> Pcm:
    """The recording of this number: 10 to 100 s of something, cut anywhere."""
    rng = np.random.default_rng(number)
    length = int(rng.uniform(10, 100) * SAMPLE_RATE_HZ)
    make = KINDS[number % len(KINDS)]
    made = make(rng, voices, length)[: length - int(rng.integers(SAMPLE_RATE_HZ))]
    return np.clip(np.rint(made), -32_768, 32_767).astype(np.int16)


def cut(audio: Pcm, seed: int) -> list[Pcm]:
    """The recording in blocks from 50 ms to a minute, by chance."""
    rng = np.random.default_rng(seed)
    ends = [0]
    typical_s = 10 ** rng.uniform(-0.5, 1.7)
    while ends[-1] < len(audio):
        ends.append(ends[-1] + int(np.clip(rng.exponential(typical_s), 0.05, 60) * SAMPLE_RATE_HZ))
    return [audio[begin:end] for begin, end in pairwise(ends)]


def _talk(rng: np.random.Generator, voices: list[Signal], length: int) -> Signal:
    """Voices of other pitch and pace, with pauses beside the thresholds."""
    parts: list[Signal] = []
    while sum(map(len, parts)) < length:
        voice = voices[rng.integers(len(voices))]
        begin, end = sorted(rng.integers(0, len(voice), 2)) if rng.random() < 0.5 else (0, len(voice))
        pace = rng.uniform(0.75, 1.3)
        said = np.interp(np.arange(begin, end, pace), np.arange(len(voice)), voice)
        pause_ms = rng.choice(PAUSES_MS) + rng.integers(-10, 11)
        parts += [said * 10 ** rng.uniform(-1.5, 0.3), np.zeros(max(0, pause_ms * 16))]
    return np.concatenate(parts)[:length]


def _faint(rng: np.random.Generator, voices: list[Signal], length: int) -> Signal:
    """Speech over a hiss of a few steps."""
    return _talk(rng, voices, length) + noise.white(rng, length) * rng.uniform(0.1, 5)


def _in(make: Callable[[np.random.Generator, int, list[Signal]], Signal]) -> "Make":
    """Speech in noise of -10 to 30 dB."""

    def noisy(rng: np.random.Generator, voices: list[Signal], length: int) -> Signal:
        clean, all_s = _talk(rng, voices, length), [(0.0, length / SAMPLE_RATE_HZ)]
        return noise.noisy(clean, make(rng, length, voices), all_s, rng.uniform(-10, 30))

    return noisy


def _babble(rng: np.random.Generator, length: int, voices: list[Signal]) -> Signal:
    return noise.babble(rng, length, [voice.astype(np.int16) for voice in voices])


def _noise(rng: np.random.Generator, _voices: list[Signal], length: int) -> Signal:
    """Noise alone, whose loudness wanders from nothing to clipping."""
    colour = noise.white if rng.random() < 0.5 else noise.pink
    made = colour(rng, length)
    turns = np.arange(0, length + 8_000, 8_000)
    loudness = np.interp(np.arange(length), turns, rng.uniform(-1, 4.5, len(turns)))
    wandering: Signal = made / made.std() * 10**loudness
    return wandering


def _tones(rng: np.random.Generator, _voices: list[Signal], length: int) -> Signal:
    """Chords with overtones, struck and fading, some with vibrato."""
    times_s = np.arange(length) / SAMPLE_RATE_HZ
    made = np.zeros(length)
    for _ in range(int(rng.integers(1, 5))):
        pitch_hz = 110 * 2 ** (float(rng.integers(0, 36)) / 12)
        vibrato = rng.uniform(0, 3) * np.sin(2 * np.pi * rng.uniform(3, 7) * times_s)
        phase = 2 * np.pi * pitch_hz * times_s + vibrato
        beat_s = rng.uniform(0.15, 2)
        fading = np.exp(-(times_s % beat_s) * rng.uniform(0, 8))
        for order in range(1, 8):
            made += fading * np.sin(phase * order) / order ** rng.uniform(0.5, 2)
    return made * 10 ** rng.uniform(1, 4)


def _music(rng: np.random.Generator, voices: list[Signal], length: int) -> Signal:
    """Song: speech over chords."""
    return _talk(rng, voices, length) + _tones(rng, voices, length)


def _clipped(rng: np.random.Generator, voices: list[Signal], length: int) -> Signal:
    """Speech far too loud."""
    return _talk(rng, voices, length) * rng.uniform(5, 100)


def _offset(rng: np.random.Generator, voices: list[Signal], length: int) -> Signal:
    """Speech beside zero, as a bad sound card gives it."""
    return _talk(rng, voices, length) * 0.3 + rng.uniform(-20_000, 20_000)


def _gaps(rng: np.random.Generator, voices: list[Signal], length: int) -> Signal:
    """Speech in which packets are lost: digital silence of 10 to 400 ms."""
    made = _faint(rng, voices, length)
    for _ in range(length // SAMPLE_RATE_HZ):
        begin = rng.integers(length)
        made[begin : begin + 16 * rng.integers(10, 400)] = 0
    return made


def _silence(rng: np.random.Generator, _voices: list[Signal], length: int) -> Signal:
    """Nothing, one value, or the last bit."""
    match rng.integers(3):
        case 0:
            return np.zeros(length)
        case 1:
            return np.full(length, float(rng.integers(-32_768, 32_768)))
        case _:
            return rng.integers(-1, 2, length).astype(np.float64)


Make = Callable[[np.random.Generator, list[Signal], int], Signal]

KINDS: list[Make] = [
    _talk,
    _faint,
    _in(lambda rng, length, _: noise.white(rng, length)),
    _in(lambda rng, length, _: noise.pink(rng, length)),
    _in(_babble),
    _music,
    _clipped,
    _gaps,
    _offset,
    _tones,
    _noise,
    _silence,
    _talk,
    _faint,
]
