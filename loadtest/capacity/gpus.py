"""How fast GPUs recognise: what others have published and, where nobody has, a rule."""

import enum
from typing import Final

from msgspec import Struct


class Origin(enum.StrEnum):
    """How a speed is known."""

    MEASURED = "measured"
    PUBLISHED = "published, not measured here"
    ESTIMATE = "an estimate, not measured here"


class Speed(Struct, frozen=True, kw_only=True):
    """Audio seconds per second of one device that has nothing else to do."""

    rtfx: float
    origin: Origin
    source: str


#: Peaks of dense products in float16 on tensor cores, TFLOP/s, by NVIDIA's data sheets.
DENSE_TFLOPS: Final = {
    "t4": 65,
    "l4": 121,
    "v100": 125,
    "a10": 125,
    "a100": 312,
    "h100": 989,
    "h200": 989,
}

#: SenseVoiceSmall's products for a second of audio, in segments of 10 s. A frame takes 220.7 M
#: multiplications in the 70 blocks and 12.8 M in the CTC layer, and attention; a second has 16.67.
GFLOP_PER_AUDIO_S: Final = 8.39

#: What is known of SenseVoice on a GPU. FunASR's 169.6 on an H100 is left out: it recognises file by file, so
#: that it tells of the host.
PUBLISHED: Final = {
    "l4": Speed(
        rtfx=526,
        origin=Origin.PUBLISHED,
        source="OmniSenseVoice in PyTorch, LibriTTS dev-clean, RTF 0.0019 (lifeiteng/OmniSenseVoice, README)",
    ),
    "v100": Speed(
        rtfx=538,
        origin=Origin.PUBLISHED,
        source="FunASR on Triton, ONNX float32, 36,109 s in 67.1 s "
        "(modelscope/FunASR, runtime/triton_gpu/README.md)",
    ),
}

#: Of the peak, what the L4 gets by the speed above; the V100 gets 3.6 % by its.
EFFICIENCY: Final = PUBLISHED["l4"].rtfx * GFLOP_PER_AUDIO_S / 1000 / DENSE_TFLOPS["l4"]

#: What the host takes to launch a batch: "70 ms to process 10 seconds" (README of FunAudioLLM/SenseVoice,
#: hardware not stated), all of it, as a GPU calculates for a small part of that.
LAUNCH_S: Final = 0.07


def speed(gpu: str) -> Speed:
    """What is known of a GPU, by a name of `DENSE_TFLOPS`."""
    if gpu in PUBLISHED:
        return PUBLISHED[gpu]
    tflops = DENSE_TFLOPS[gpu]
    return Speed(
        rtfx=round(EFFICIENCY * tflops * 1000 / GFLOP_PER_AUDIO_S),
        origin=Origin.ESTIMATE,
        source=f"{EFFICIENCY:.1%} of {tflops} TFLOP/s dense float16, as published for the L4, "
        f"÷ {GFLOP_PER_AUDIO_S} GFLOP a second of audio",
    )
