"""An upload read back from Redis as a seekable file, a chunk at a time."""

import io
from typing import Final, Protocol

from typing_extensions import override

from actors.errors import UnreadableAudio
from actors.store.keys import CHUNK_BYTES

#: Chunks kept in memory: containers jump between their index and their data.
_CHUNKS_KEPT = 4

#: A file is read once, but for its index and what is looked at to learn its codec. One that is made so that
#: its reader goes to and fro would have each of its packets fetched as a chunk, a million times.
_READINGS: Final = 8
_MORE_FETCHES: Final = 64


class Chunks(Protocol):
    """Where uploads are kept."""

    def upload_chunk(self, job_id: str, number: int) -> bytes | None:
        """A chunk of an upload; None when it is gone."""
        ...


class UploadGone(Exception):
    """The upload is no longer kept: its job has been cut, has ended, or has expired."""


class UploadFile(io.RawIOBase):
    """Reads the upload of a job; holds at most `_CHUNKS_KEPT` chunks of it."""

    def __init__(self, store: Chunks, job_id: str, size_bytes: int, head: bytes | None = None) -> None:
        """`head`: its first chunk, if that is known."""
        super().__init__()
        self._store = store
        self._job_id = job_id
        self._size = size_bytes
        self._fetches_left = _READINGS * (size_bytes // CHUNK_BYTES) + _MORE_FETCHES
        self._position = 0
        self._chunks = {} if head is None else {0: head}

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._position

    @override
    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    @override
    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        number, offset = divmod(self._position, CHUNK_BYTES)
        if self._position >= self._size:
            return 0
        piece = self._chunk(number)[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def _chunk(self, number: int) -> bytes:
        chunk = self._chunks.pop(number, None)
        if chunk is None:
            if not self._fetches_left:
                raise UnreadableAudio("the parts of the file lie in an absurd order")
            self._fetches_left -= 1
            chunk = self._store.upload_chunk(self._job_id, number)
            if chunk is None:
                raise UploadGone
            if len(self._chunks) == _CHUNKS_KEPT:
                del self._chunks[next(iter(self._chunks))]
        self._chunks[number] = chunk
        return chunk
