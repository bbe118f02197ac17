"""Recordings are cut into segments that lose no speech and fit the recognisers."""

import random
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from actors.audio.edges import MAX_START_DELAY_MS, Edge, SpeechEnd, SpeechStart
from actors.audio.segments import PAD_AFTER_MS, PAD_BEFORE_MS, Piece, by_speech, whole
from actors.audio.vad import VoiceActivityDetector
from actors.records import MAX_SEGMENT_MS, SAMPLE_RATE_HZ

Pcm = NDArray[np.int16]
Span = tuple[int, int]

SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1000
SEEDS = range(40)


class Scripted:
    """Reports given spans, each edge as late as a VAD may."""

    def __init__(self, spans: Iterable[Span], seed: int = 0) -> None:
        late = random.Random(seed)
        self._due: list[tuple[int, Edge]] = []
        reported_ms = 0
        for start_ms, end_ms in spans:
            reported_ms = max(reported_ms, start_ms + late.randint(0, MAX_START_DELAY_MS))
            self._due.append((min(reported_ms, start_ms + MAX_START_DELAY_MS), SpeechStart(start_ms)))
            reported_ms = max(reported_ms, end_ms + late.randint(0, 200))
            self._due.append((reported_ms, SpeechEnd(end_ms)))
        self._heard_samples = 0

    def feed(self, samples: Pcm, *, final: bool) -> list[Edge]:
        """The edges that are due by the end of `samples`."""
        self._heard_samples += len(samples)
        found = []
        while self._due and (final or self._due[0][0] * SAMPLES_PER_MS <= self._heard_samples):
            found.append(self._due.pop(0)[1])
        return found


def noise(length_ms: int, seed: int = 0) -> Pcm:
    """Noise at an even level."""
    samples = np.random.default_rng(seed).integers(-8000, 8000, length_ms * SAMPLES_PER_MS)
    return samples.astype(np.int16)


def chunks_of(audio: Pcm, chunk_ms: int) -> Iterator[Pcm]:
    """A recording as a decoder gives it."""
    step = chunk_ms * SAMPLES_PER_MS
    return (audio[start : start + step] for start in range(0, len(audio), step))


def times(pieces: Iterable[Piece]) -> list[Span]:
    """The spans of the pieces."""
    return [(piece.segment.start_ms, piece.segment.end_ms) for piece in pieces]


def check(pieces: list[Piece], audio: Pcm) -> None:
    """What holds for every cut of every recording."""
    floor_ms = 0
    for index, piece in enumerate(pieces):
        start_ms, end_ms = piece.segment.start_ms, piece.segment.end_ms
        assert piece.segment.index == index
        assert floor_ms <= start_ms < end_ms <= len(audio) // SAMPLES_PER_MS
        assert end_ms - start_ms <= MAX_SEGMENT_MS
        assert np.array_equal(piece.samples, audio[start_ms * SAMPLES_PER_MS : end_ms * SAMPLES_PER_MS])
        floor_ms = end_ms


def marked(spans: Iterable[Span], length_ms: int) -> NDArray[np.bool_]:
    """Which milliseconds lie in any of the spans: bool [ms]."""
    mask = np.zeros(length_ms, np.bool_)
    for start_ms, end_ms in spans:
        mask[start_ms:end_ms] = True
    return mask


@pytest.mark.parametrize("seed", SEEDS)
def test_any_speech_is_covered_once_and_in_order(seed: int) -> None:
    """Random spans in random chunks: no speech lost, no overlap, nothing too long, little else included."""
    draw = random.Random(seed)
    spans: list[Span] = []
    at_ms = draw.randint(0, 3000)
    for _ in range(draw.randint(0, 12)):
        end_ms = at_ms + draw.choice(
            [draw.randint(10, 400), draw.randint(1000, 9000), draw.randint(25_000, 80_000)]
        )
        spans.append((at_ms, end_ms))
        at_ms = end_ms + draw.choice([0, 10, draw.randint(0, 400), draw.randint(300, 5000)])
    length_ms = at_ms + draw.randint(0, 2000)
    audio = noise(length_ms, seed)

    pieces = list(by_speech(chunks_of(audio, draw.choice([20, 333, 1000, 10_000])), Scripted(spans, seed)))

    check(pieces, audio)
    said, kept = marked(spans, length_ms), marked(times(pieces), length_ms)
    near = marked(((max(0, start - PAD_BEFORE_MS), end + PAD_AFTER_MS) for start, end in spans), length_ms)
    assert not (said & ~kept).any()
    # While it is not known that speech has ended, a cut may fall into the silence behind it.
    assert (kept & ~near).sum() <= 200 * len(pieces)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_whole_recording_is_covered_without_gaps(seed: int) -> None:
    """Without VAD, consecutive segments make up the recording to the millisecond."""
    draw = random.Random(seed)
    audio = noise(draw.choice([1, 100, 29_999, 30_000, 30_001, draw.randint(1, 150_000)]), seed)

    pieces = list(whole(chunks_of(audio, draw.choice([20, 1000, 10_000]))))

    check(pieces, audio)
    assert np.array_equal(np.concatenate([piece.samples for piece in pieces]), audio)


def test_short_recordings_stay_whole() -> None:
    """Up to 30 s there is nothing to cut."""
    assert times(whole([noise(30_000)])) == [(0, 30_000)]


@pytest.mark.parametrize("chunks", [[], [np.empty(0, np.int16)], [np.zeros(5, np.int16)]])
def test_no_audio_has_no_segments(chunks: list[Pcm]) -> None:
    """Nothing, or less than a millisecond, is not an error."""
    assert list(whole(chunks)) == []
    assert list(by_speech(chunks, Scripted([]))) == []


def test_long_speech_is_cut_at_its_quietest_point() -> None:
    """A breath in the second half of the window is where the segment ends."""
    audio = noise(50_000)
    audio[22_000 * 16 : 22_300 * 16] //= 50

    first, second = times(by_speech(chunks_of(audio, 10_000), Scripted([(0, 50_000)])))

    assert 22_050 <= first[1] <= 22_250
    assert second == (first[1], 50_000)


def test_even_silence_is_cut_late() -> None:
    """Where every point is as quiet as the next, segments are as long as they may be."""
    assert times(whole([np.zeros(60_000 * 16, np.int16)]))[0][1] > 29_900


def test_long_speech_is_cut_as_soon_as_30_s_have_gathered() -> None:
    """The first segment does not wait for the speaker to pause."""
    pulled = 0

    def chunks() -> Iterator[Pcm]:
        nonlocal pulled
        while pulled < 99:
            pulled += 1
            yield noise(1000)

    next(by_speech(chunks(), Scripted([(0, 99_000)])))

    assert pulled == 31


def test_a_span_leaves_with_the_chunk_that_closes_it() -> None:
    """Recognition starts while the recording is still being read."""
    pulled = 0

    def chunks() -> Iterator[Pcm]:
        nonlocal pulled
        while pulled < 99:
            pulled += 1
            yield noise(1000)

    next(by_speech(chunks(), Scripted([(500, 2500)])))

    assert pulled == 3


def test_speech_is_padded_within_the_recording() -> None:
    """A little of what surrounds speech is kept, where there is any."""
    audio = noise(10_000)

    found = times(by_speech([audio], Scripted([(40, 2000), (5000, 6000), (9000, 9950)])))

    assert found == [
        (0, 2000 + PAD_AFTER_MS),
        (5000 - PAD_BEFORE_MS, 6000 + PAD_AFTER_MS),
        (9000 - PAD_BEFORE_MS, 10_000),
    ]


def test_neighbours_share_a_short_pause() -> None:
    """Padding ends in the middle of a pause that is too short for both."""
    assert times(by_speech([noise(5000)], Scripted([(1000, 2000), (2100, 3000)]))) == [
        (900, 2050),
        (2050, 3150),
    ]


def test_padding_does_not_make_a_segment_too_long() -> None:
    """Speech of almost 30 s stays one segment."""
    audio = noise(40_000)

    assert times(by_speech([audio], Scripted([(1000, 30_800)]))) == [(900, 30_900)]


def test_pieces_do_not_hold_the_recording() -> None:
    """A piece that waits for its recogniser keeps its own samples alive, nothing else."""
    pieces = list(by_speech([noise(40_000)], Scripted([(1000, 2000)])))

    assert pieces[0].samples.base is None


@pytest.mark.parametrize(
    "cut", [whole, lambda chunks: by_speech(chunks, Scripted([(0, 10), (600_000, 1_800_000)]))]
)
def test_memory_is_bounded(cut: Callable[[Iterator[Pcm]], Iterator[Piece]]) -> None:
    """Half an hour, silent or spoken, never needs more than a minute of audio at once."""
    minute_bytes = 60 * SAMPLE_RATE_HZ * 2
    chunk = noise(10_000)
    tracemalloc.start()
    try:
        for _ in cut(chunk.copy() for _ in range(180)):
            pass
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # Finding the quietest point squares 15 s as 64-bit integers.
    assert peak_bytes < 5 * minute_bytes


def test_real_speech_is_cut_at_its_pauses(vad: VoiceActivityDetector, conversation: Pcm) -> None:
    """VAD and cutter together: what lies outside the segments is silence."""
    pieces = list(by_speech(chunks_of(conversation, 10_000), vad.stream()))

    check(pieces, conversation)
    length_ms = -(-len(conversation) // SAMPLES_PER_MS)
    outside = np.repeat(~marked(times(pieces), length_ms), SAMPLES_PER_MS)[: len(conversation)]
    left_out, all_of_it = (part.astype(np.float64) for part in (conversation[outside], conversation))
    assert len(pieces) > 3
    assert np.sum(left_out**2) < 1e-4 * np.sum(all_of_it**2)
