"""Voice activity detection with its features, on one core, beside FunASR's own on the same audio."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch

from actors import weights
from actors.audio.edges import Edge
from actors.audio.recording import CHUNK_SAMPLES
from actors.audio.resample import Pcm
from actors.audio.vad import VoiceActivityDetector
from loadtest.bench import speech
from loadtest.bench.funasr_vad import FunasrVad
from loadtest.bench.rows import Found, Size

#: Seconds of audio, and rounds; FunASR takes about 5 ms of each second.
SIZES: Final = {Size.QUICK: (20.0, 1), Size.USUAL: (240.0, 5), Size.FULL: (240.0, 5)}

_Detect = Callable[[list[Pcm]], list[Edge]]


def measure(size: Size, _folder: Path) -> Found:
    """Both on the same blocks, in turn."""
    audio_s, rounds = SIZES[size]
    samples = speech.talk(audio_s)
    blocks = [samples[begin : begin + CHUNK_SAMPLES] for begin in range(0, len(samples), CHUNK_SAMPLES)]
    folder = weights.folder("fsmn-vad")
    detector = VoiceActivityDetector.load(folder, threads=1)
    funasr = FunasrVad(folder)
    torch.set_num_threads(1)

    def detect(blocks: list[Pcm]) -> list[Edge]:
        stream = detector.stream()
        last = len(blocks) - 1
        return [
            edge for number, block in enumerate(blocks) for edge in stream.feed(block, final=number == last)
        ]

    ours, theirs = detect(blocks), funasr.edges(blocks)  # also warms both
    times_s = [(_time_s(detect, blocks), _time_s(funasr.edges, blocks)) for _ in range(rounds)]
    return Found(
        values={
            "rtfx": audio_s / statistics.median(our_s for our_s, _ in times_s),
            "ratio": statistics.median(their_s / our_s for our_s, their_s in times_s),
            "other_edges": len(set(ours) ^ set(theirs)),
        },
        how=f"{audio_s:.0f} s of English with pauses in blocks of 10 s, one thread, {rounds} rounds in turn, "
        f"medians; {len(theirs)} edges compared",
    )


def _time_s(detect: _Detect, blocks: list[Pcm]) -> float:
    began_s = time.perf_counter()
    detect(blocks)
    return time.perf_counter() - began_s
