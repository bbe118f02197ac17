"""Real speech in every container that is taken, to be damaged."""

import struct
from collections.abc import Callable
from functools import cache, partial
from typing import Final

from actors.audio.resample import Pcm
from loadtest.corpus.clips import clips, samples_of
from loadtest.corpus.encoding import encode
from tests.media import film


def _rf64(wav: bytes) -> bytes:
    """The same as an RF64, whose sizes stand in a chunk of their own."""
    sizes = struct.pack("<QQQI", len(wav) + 28, len(wav) - 44, 0, 0)
    return b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", len(sizes)) + sizes + wav[12:]


#: Container → what writes it; FFmpeg has no encoder of `ape`, so there is only its signature.
WRITERS: Final[dict[str, Callable[[Pcm], bytes]]] = {
    "wav": partial(encode, muxer="wav", codec="pcm_s16le"),
    "wav-adpcm": partial(encode, muxer="wav", codec="adpcm_ima_wav"),
    "rf64": lambda samples: _rf64(encode(samples, "wav", "pcm_s16le")),
    "w64": partial(encode, muxer="w64", codec="pcm_s16le"),
    "aiff": partial(encode, muxer="aiff", codec="pcm_s16be"),
    "au": partial(encode, muxer="au", codec="pcm_s16be"),
    "caf": partial(encode, muxer="caf", codec="pcm_s16le"),
    "flac": partial(encode, muxer="flac", codec="flac"),
    "wv": partial(encode, muxer="wv", codec="wavpack"),
    "tta": partial(encode, muxer="tta", codec="tta"),
    "mp3": partial(encode, muxer="mp3", codec="libmp3lame", rate_hz=44_100),
    "aac": partial(encode, muxer="adts", codec="aac", rate_hz=44_100),
    "m4a": partial(encode, muxer="ipod", codec="aac", rate_hz=44_100),
    "mp4-fragments": partial(encode, muxer="ismv", codec="aac", rate_hz=44_100),
    "mov-alac": partial(encode, muxer="mov", codec="alac", rate_hz=44_100),
    "ogg-opus": partial(encode, muxer="ogg", codec="libopus", rate_hz=48_000),
    "ogg-flac": partial(encode, muxer="ogg", codec="flac"),
    "webm": partial(encode, muxer="webm", codec="libopus", rate_hz=48_000),
    "matroska": partial(film, muxer="matroska", codec="flac", video="mpeg4"),
    "avi": partial(film, muxer="avi", codec="libmp3lame", video="mpeg4"),
    "flv": partial(encode, muxer="flv", codec="libmp3lame", rate_hz=44_100),
    "asf": partial(encode, muxer="asf", codec="wmav2", rate_hz=44_100, options={"b": "64000"}),
    "amr": partial(encode, muxer="amr", codec="libopencore_amrnb", rate_hz=8_000, options={"b": "12200"}),
    "ac3": partial(encode, muxer="ac3", codec="ac3", rate_hz=48_000),
    "mpegts": partial(film, muxer="mpegts", codec="aac", video="mpeg2video"),
    "mpeg": partial(film, muxer="mpeg", codec="mp2", video="mpeg2video"),
    "ape": lambda samples: b"MAC \x96\x0f\x00\x00" + samples.tobytes(),
}


@cache
def sample(name: str) -> bytes:
    """A packaged clip of three seconds in a container of `WRITERS`, the same in every run."""
    return WRITERS[name](samples_of(clips("en")[2].audio))
