"""Decodes an upload to 16 kHz mono in one pass and bounded memory, with the FFmpeg inside PyAV."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Never

import av
import numpy as np
from av.audio.stream import AudioStream
from av.codec.codec import Codec, UnknownCodecError, codecs_available
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard

from actors.audio import sniff
from actors.audio.resample import Pcm, Resampler
from actors.audio.timeline import Timeline
from actors.errors import UnreadableAudio, UnsupportedContainer
from actors.records import SAMPLE_RATE_HZ, SHORT_RECORDING_MS

if TYPE_CHECKING:
    from av.packet import Packet

#: Long enough for the VAD to run at full speed, short enough for the first segments to leave early.
CHUNK_SAMPLES = 10 * SAMPLE_RATE_HZ

#: Past this many packets of less than a millisecond each a file is given up: it would take hours to read.
_PATIENCE_PACKETS = 10_000
_SMALLEST_PACKET_SAMPLES = SAMPLE_RATE_HZ // 1000


def _is_audio_decoder(name: str) -> bool:
    try:
        return Codec(name, "r").type == "audio"
    except UnknownCodecError:
        return False


#: Whatever the file says, nothing but the upload itself is opened, and no video decoder.
_CONTAINER_OPTIONS = {
    "protocol_whitelist": "none",
    "enable_drefs": "0",
    "codec_whitelist": ",".join(sorted(filter(_is_audio_decoder, codecs_available))),
}

#: The head of a wav of mono PCM says all that there is to know of it: reading on would take longer than
#: decoding. With two channels it may be DTS in disguise, which only the samples tell.
_PLAIN_WAV = b"fmt \x10\x00\x00\x00\x01\x00\x01\x00"
_PLAIN_WAV_AT = 12
_PLAIN_WAV_OPTIONS = _CONTAINER_OPTIONS | {"probesize": "2048"}


class Recording:
    """An upload opened for decoding; `open_recording` makes one."""

    def __init__(self, container: InputContainer, stream: AudioStream) -> None:
        self._container = container
        self._stream = stream
        #: How much has been handed out, which is the recording's length once all has.
        self.decoded_ms = 0

    @property
    def container(self) -> str:
        """FFmpeg's name of the format."""
        name: str = self._container.format.name
        return name

    @property
    def claimed_ms(self) -> int:
        """Its length as the container claims it, which may be wrong; 0 where it does not."""
        return max(0, (self._container.duration or 0) * 1000 // av.time_base)

    @property
    def is_long(self) -> bool:
        """Whether it belongs in the long lane, by what the container claims or what has been decoded."""
        return max(self.claimed_ms, self.decoded_ms) > SHORT_RECORDING_MS

    def chunks(self) -> Iterator[Pcm]:
        """The audio in chunks of `CHUNK_SAMPLES`, the last one shorter.

        A file that is damaged or cut off further on is decoded as far as it can be.

        Raises:
            UnreadableAudio: it is damaged from the start, or holds no audio.
        """
        decoded_samples = 0
        for chunk in _chunks(_samples(self._container, self._stream)):
            decoded_samples += len(chunk)
            self.decoded_ms = decoded_samples * 1000 // SAMPLE_RATE_HZ
            yield chunk


@contextmanager
def open_recording(file: BinaryIO) -> Iterator[Recording]:
    """Open a seekable file; nothing is decoded yet.

    Raises:
        UnsupportedContainer: the file is of no known format.
        UnreadableAudio: the file is empty, damaged from the start, or holds no audio.
    """
    demuxer, options = _demuxer(file)
    try:
        container = av.open(
            file,
            "r",
            format=demuxer,
            container_options=options,
            metadata_errors="replace",
            io_open=_refuse,
        )
    except FFmpegError as error:
        raise UnreadableAudio("the file is damaged") from error
    with container:
        yield Recording(container, _audio_stream(container))


def _demuxer(file: BinaryIO) -> tuple[str, dict[str, str]]:
    """FFmpeg's name of the format, and how to open it."""
    file.seek(0)
    head = file.read(sniff.HEAD_BYTES)
    file.seek(0)
    if not head:
        raise UnreadableAudio("the file is empty")
    demuxer = sniff.container(head)
    if demuxer is None:
        raise UnsupportedContainer("the file is not in a known audio or video format")
    is_plain = demuxer == "wav" and head.startswith(_PLAIN_WAV, _PLAIN_WAV_AT)
    return demuxer, _PLAIN_WAV_OPTIONS if is_plain else _CONTAINER_OPTIONS


def _refuse(*_: object) -> Never:
    raise UnreadableAudio("the file refers to other files")


def _audio_stream(container: InputContainer) -> AudioStream:
    """The stream to transcribe; the demuxer skips the others."""
    best = container.streams.best("audio")
    if not isinstance(best, AudioStream):
        raise UnreadableAudio("the file holds no audio stream that can be decoded")
    for stream in container.streams:
        if stream is not best:
            stream.discard = Discard.all
    return best


def _samples(container: InputContainer, stream: AudioStream) -> Iterator[Pcm]:
    """The decoded audio, packet by packet, with silence where the file has none for a while.

    What cannot be decoded is left out, unless that is all of it.
    """
    resampler, timeline = Resampler(), Timeline(container)
    damage: FFmpegError | None = None
    given_samples = silent_samples = 0
    try:
        for count, packet in enumerate(_packets(container, stream)):
            heard_samples = given_samples - silent_samples
            if count > _PATIENCE_PACKETS and heard_samples < count * _SMALLEST_PACKET_SAMPLES:
                raise UnreadableAudio("the file is cut into absurdly small packets")
            try:
                for frame in packet.decode():
                    hole_samples = timeline.hole_samples(frame, given_samples)
                    silent_samples += hole_samples
                    before = chain(resampler.flush(), _silence(hole_samples)) if hole_samples else ()
                    for samples in chain(before, resampler.push(frame)):
                        given_samples += len(samples)
                        yield samples
            except FFmpegError as error:
                damage = error
    except FFmpegError as error:
        damage = error
    for samples in resampler.flush():
        given_samples += len(samples)
        yield samples
    if given_samples == silent_samples:
        raise UnreadableAudio("no audio in the file can be decoded") from damage


def _silence(size_samples: int) -> Iterator[Pcm]:
    """In pieces, as it may last for hours."""
    for start in range(0, size_samples, CHUNK_SAMPLES):
        yield np.zeros(min(CHUNK_SAMPLES, size_samples - start), np.int16)


def _packets(container: InputContainer, stream: AudioStream) -> Iterator["Packet[AudioStream]"]:
    try:
        yield from container.demux(stream)
    except IndexError:
        # PyAV trips at the end over streams that appeared on the way; all packets have been read by then.
        return


def _chunks(pieces: Iterable[Pcm]) -> Iterator[Pcm]:
    held: list[Pcm] = []
    held_samples = 0
    for piece in pieces:
        held.append(piece)
        held_samples += len(piece)
        while held_samples >= CHUNK_SAMPLES:
            joined = np.concatenate(held)
            yield joined[:CHUNK_SAMPLES]
            held = [joined[CHUNK_SAMPLES:]]
            held_samples -= CHUNK_SAMPLES
    if held_samples:
        yield np.concatenate(held)
