"""Any upload becomes 16 kHz mono samples, or an error that says what is wrong with it."""

import io
import struct
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from actors.audio.recording import CHUNK_SAMPLES
from actors.errors import UnreadableAudio, UnsupportedContainer
from actors.records import SAMPLE_RATE_HZ
from loadtest.corpus.clips import decode
from tests.media import film

Pcm = NDArray[np.int16]
Encode = Callable[..., bytes]


def tone(seconds: float, hz: int = 440) -> Pcm:
    """A sine of amplitude 8000."""
    times_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (8000 * np.sin(2 * np.pi * hz * times_s)).astype(np.int16)


def decoded(upload: bytes) -> Pcm:
    """All samples of an upload."""
    return np.concatenate(list(decode(io.BytesIO(upload))))


def wav(rate_hz: int, channels: int, data: bytes) -> bytes:
    """A 16-bit WAV whose header says what it is told to."""
    align = channels * 2
    form = struct.pack("<HHIIHH", 1, channels, rate_hz, rate_hz * align & 0xFFFFFFFF, align & 0xFFFF, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("muxer", "codec", "settings"),
    [
        ("wav", "pcm_s16le", {"rate_hz": 16_000}),
        ("wav", "pcm_s16le", {"rate_hz": 8_000}),
        ("wav", "pcm_mulaw", {"rate_hz": 8_000}),
        ("wav", "pcm_f32le", {"rate_hz": 44_100, "layout": "stereo"}),
        (
            "mp3",
            "libmp3lame",
            {"rate_hz": 44_100, "layout": "stereo", "options": {"flags": "+qscale", "global_quality": "472"}},
        ),
        ("ipod", "aac", {"rate_hz": 44_100, "layout": "stereo"}),
        ("mov", "alac", {"rate_hz": 44_100, "layout": "stereo"}),
        ("3gp", "libopencore_amrnb", {"rate_hz": 8_000, "options": {"b": "12200"}}),
        ("amr", "libopencore_amrnb", {"rate_hz": 8_000, "options": {"b": "12200"}}),
        ("webm", "libopus", {"rate_hz": 48_000}),
        ("ogg", "libopus", {"rate_hz": 48_000, "layout": "stereo"}),
        ("flac", "flac", {"rate_hz": 44_100, "layout": "stereo"}),
        ("adts", "aac", {"rate_hz": 44_100, "layout": "stereo"}),
        ("aiff", "pcm_s16be", {"rate_hz": 44_100}),
        ("caf", "pcm_s16le", {"rate_hz": 44_100}),
        ("w64", "pcm_s16le", {"rate_hz": 44_100}),
        ("au", "pcm_s16be", {"rate_hz": 8_000}),
        ("wv", "wavpack", {"rate_hz": 44_100}),
        ("ac3", "ac3", {"rate_hz": 48_000}),
        ("mp4", "aac", {"rate_hz": 48_000, "video": "mpeg4"}),
        ("matroska", "flac", {"rate_hz": 44_100, "video": "mpeg4"}),
        ("webm", "libopus", {"rate_hz": 48_000, "video": "libvpx"}),
        ("avi", "libmp3lame", {"rate_hz": 44_100, "video": "mpeg4"}),
        ("mpegts", "aac", {"rate_hz": 44_100, "video": "mpeg2video"}),
        ("mpeg", "mp2", {"rate_hz": 44_100, "video": "mpeg2video"}),
        ("flv", "libmp3lame", {"rate_hz": 44_100}),
    ],
)
def test_every_format_becomes_16_khz_mono(
    encode: Encode, muxer: str, codec: str, settings: dict[str, object]
) -> None:
    """Pitch, level and length survive; codecs may add a few frames at the ends."""
    write: Encode = film if "video" in settings else encode
    upload = write(tone(3), muxer, codec, **settings)

    samples = decoded(upload)

    middle = samples[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ].astype(np.float64)
    assert samples.dtype == np.int16
    assert 3.0 <= len(samples) / SAMPLE_RATE_HZ < 3.1
    assert np.abs(np.fft.rfft(middle)).argmax() == 440
    assert 5000 < np.abs(middle).max() < 8500


def test_16_khz_mono_is_left_alone() -> None:
    """What needs no conversion comes out bit for bit."""
    samples = tone(1)

    assert np.array_equal(decoded(wav(16_000, 1, samples.tobytes())), samples)


def test_stereo_is_averaged() -> None:
    """A voice on one channel is heard at half its level."""
    left = tone(1)
    stereo = np.stack([left, np.zeros_like(left)], axis=1)

    samples = decoded(wav(16_000, 2, stereo.tobytes()))

    assert np.abs(samples - left / 2.0).max() <= 1


def test_long_audio_comes_in_chunks_of_ten_seconds() -> None:
    """Every chunk but the last has the same length, and nothing is lost between them."""
    noise = np.random.default_rng(0).integers(-9000, 9000, 25 * SAMPLE_RATE_HZ).astype(np.int16)

    chunks = list(decode(io.BytesIO(wav(16_000, 1, noise.tobytes()))))

    assert [len(chunk) for chunk in chunks] == [CHUNK_SAMPLES, CHUNK_SAMPLES, CHUNK_SAMPLES // 2]
    assert np.array_equal(np.concatenate(chunks), noise)


def test_a_format_that_changes_on_the_way_is_followed(encode: Encode) -> None:
    """Two MP3 streams of different rates, one behind the other, are both decoded."""
    first = encode(tone(2), "mp3", "libmp3lame", rate_hz=44_100, options={"write_xing": "0"})
    second = encode(tone(2), "mp3", "libmp3lame", rate_hz=22_050, options={"write_xing": "0"})

    samples = decoded(first + second)

    assert len(samples) / SAMPLE_RATE_HZ == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize(
    ("muxer", "codec", "rate_hz"),
    [
        ("wav", "pcm_s16le", 16_000),
        ("mp3", "libmp3lame", 44_100),
        ("ogg", "libopus", 48_000),
        ("flac", "flac", 44_100),
    ],
)
def test_a_truncated_file_is_decoded_up_to_the_cut(
    encode: Encode, muxer: str, codec: str, rate_hz: int
) -> None:
    """Half an upload gives half the audio, not an error."""
    upload = encode(tone(10), muxer, codec, rate_hz=rate_hz)

    samples = decoded(upload[: len(upload) // 2])

    assert 4 < len(samples) / SAMPLE_RATE_HZ < 6


def test_damage_in_the_middle_costs_little(encode: Encode) -> None:
    """What lies behind the damage is decoded as well."""
    upload = bytearray(encode(tone(10), "mp3", "libmp3lame", rate_hz=44_100))
    middle = len(upload) // 2
    upload[middle : middle + 2000] = np.random.default_rng(0).bytes(2000)

    assert len(decoded(bytes(upload))) / SAMPLE_RATE_HZ > 9


@pytest.mark.parametrize(
    ("upload", "message"),
    [
        (b"", "empty"),
        (wav(16_000, 1, b""), "no audio"),
        (wav(0, 1, bytes(3200)), "damaged"),
        (wav(1, 1, bytes(3200)), "sample rate of 1 Hz"),
        (wav(2**31 - 1, 2, bytes(3200)), "sample rate of 2147483647 Hz"),
        (wav(2**32 - 1, 2, bytes(3200)), "damaged"),
        (wav(16_000, 0, bytes(3200)), "no audio stream"),
        (wav(16_000, 200, bytes(3200)), "no audio"),
        (wav(16_000, 65_535, bytes(3200)), "no audio stream"),
        (b"RIFF\x24\x00\x00\x00WAVE", "damaged"),
        (b"fLaC" + bytes(500), "."),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(500), "."),
        (b"OggS" + np.random.default_rng(0).bytes(5000), "."),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00" + np.random.default_rng(1).bytes(5000), "."),
    ],
)
def test_what_holds_no_audio_is_unreadable(upload: bytes, message: str) -> None:
    """Empty, header-only, absurd and damaged files end in an error for the client, with its reason."""
    with pytest.raises(UnreadableAudio, match=message):
        decoded(upload)


def test_video_without_sound_is_unreadable() -> None:
    """A film without an audio stream says so."""
    upload = film(tone(0), "mp4", None, "mpeg4")

    with pytest.raises(UnreadableAudio, match="no audio stream"):
        decoded(upload)


def test_absurdly_small_packets_are_given_up() -> None:
    """A file that would take hours of packets for minutes of audio does not occupy the decoder."""
    description = struct.pack(">d4sIIIII", 44_100.0, b"lpcm", 0, 4, 255, 2, 16)
    header = b"caff\x00\x01\x00\x00desc" + struct.pack(">q", len(description)) + description
    upload = header + b"data" + struct.pack(">qI", 4_000_004, 0) + bytes(4_000_000)

    with pytest.raises(UnreadableAudio, match="small packets"):
        decoded(upload)


@pytest.mark.parametrize("upload", [b"hello", b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", b"ffconcat version 1.0\n"])
def test_unknown_containers_are_refused(upload: bytes) -> None:
    """Texts and playlists never reach FFmpeg."""
    with pytest.raises(UnsupportedContainer):
        decoded(upload)


def test_fuzzed_files_end_in_our_errors(encode: Encode) -> None:
    """Random damage is decoded or refused, and never anything else."""
    random = np.random.default_rng(0)
    uploads = [
        encode(tone(1), "mp3", "libmp3lame", rate_hz=44_100),
        encode(tone(1), "ipod", "aac", rate_hz=44_100),
        encode(tone(1), "webm", "libopus", rate_hz=48_000),
        film(tone(1), "mpegts", "aac", "mpeg2video"),
    ]
    for turn in range(200):
        upload = bytearray(uploads[turn % len(uploads)])
        for place in random.integers(0, len(upload), 40):
            upload[place] = random.integers(256)
        try:
            decoded(bytes(upload))
        except (UnreadableAudio, UnsupportedContainer):
            continue


def test_errors_of_the_file_object_are_passed_on() -> None:
    """A lost store is not a damaged upload."""

    class Lost(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            """Fail after a while."""
            if self.tell() > 100_000:
                raise ConnectionError("store away")
            return super().read(size)

    with pytest.raises(ConnectionError, match="store away"):
        list(decode(Lost(wav(16_000, 1, bytes(2_000_000)))))


class EndlessWav(io.RawIOBase):
    """Half an hour of 44.1 kHz stereo that lies nowhere."""

    def __init__(self) -> None:
        self.length = 44 + 1800 * 44_100 * 4
        self._head = wav(44_100, 2, b"")[:40] + struct.pack("<I", self.length - 44)
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        """The header, then zeros."""
        size = max(0, min(size, self.length - self._at))
        head = self._head[self._at : self._at + size]
        self._at += size
        return head + bytes(size - len(head))

    def seekable(self) -> bool:
        """As an upload is."""
        return True

    def readable(self) -> bool:
        """As an upload is."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move there."""
        self._at = (0, self._at, self.length)[whence] + offset
        return self._at


def test_memory_stays_flat_over_half_an_hour() -> None:
    """What a decoder holds does not depend on the length of the recording."""
    file: BinaryIO = EndlessWav()  # type: ignore[assignment]
    process = psutil.Process()
    used_bytes = []
    heard_samples = 0

    for chunk in decode(file):
        heard_samples += len(chunk)
        used_bytes.append(process.memory_info().rss)

    assert heard_samples == 1800 * SAMPLE_RATE_HZ
    assert used_bytes[-1] - used_bytes[20] < 8 << 20
