"""What a multipart form may cost before it is taken in.

Litestar collects each text part in memory and decodes it on the event loop, in whatever charset the part
names, some of which take quadratic time. This reads along, one chunk ahead, and refuses such parts.
"""

from collections.abc import AsyncGenerator
from typing import Any, Final

from litestar import Request
from litestar.enums import RequestEncodingType
from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser
from typing_extensions import override

from api.errors import HungUp, Refused

MAX_PARTS: Final = 16

#: Room for the largest replacement table.
MAX_TEXT_BYTES: Final = 80 << 10

#: Litestar keeps the first megabyte of each file in memory, so there is one.
_FILE: Final = "file"

#: How a body may be compressed (IANA's registry), which recordings are already or gain little from.
_CODINGS: Final = {"br", "compress", "deflate", "gzip", "x-compress", "x-gzip", "zstd"}

_CHARSETS: Final = {"utf-8", "utf8", "us-ascii", "ascii"}
_SHOWN: Final = 40


class FormGuard:
    """Follows the parts of one form."""

    def __init__(self, boundary: str) -> None:
        self._parser = PushMultipartParser(boundary, max_segment_count=MAX_PARTS)
        self._part: MultipartSegment | None = None
        self._seen: set[str] = set()

    def read(self, chunk: bytes) -> None:
        """Look at the next bytes of the body.

        Raises:
            Refused: 422 where the form is broken, has too many parts, a field twice that is no list, a
                file in another field than `file`, or a text that is too long or not in UTF-8.
        """
        try:
            for found in self._parser.parse(chunk):
                if isinstance(found, MultipartSegment):
                    self._begin(found)
                elif found:
                    self._go_on(len(found))
        except MultipartError as error:
            said = _short(str(error.args[0])) if error.args else type(error).__name__
            raise Refused(422, f"not a well-formed multipart form: {said}") from None

    def _begin(self, part: MultipartSegment) -> None:
        self._part, self._text_bytes = part, 0
        name = _short(part.name or "")
        if name in self._seen and not name.endswith("[]"):
            raise Refused(422, f"{name}: sent more than once")
        self._seen.add(name)
        if part.filename:
            if name != _FILE:
                raise Refused(422, f"{name}: a file is sent in the field `{_FILE}`")
        elif (part.charset or "utf-8").lower() not in _CHARSETS:
            raise Refused(422, f"{name}: in charset {_short(part.charset or '')!r}; text is sent as UTF-8")

    def _go_on(self, size_bytes: int) -> None:
        if self._part is None or self._part.filename:
            return
        self._text_bytes += size_bytes
        if self._text_bytes > MAX_TEXT_BYTES:
            name = _short(self._part.name or "")
            hint = "; a recording is sent with a file name" if name == _FILE else ""
            raise Refused(422, f"{name}: a text of more than {MAX_TEXT_BYTES >> 10} KiB{hint}")


class GuardedRequest(Request[Any, Any, Any]):
    """A request whose form is watched while it is read."""

    @override
    async def stream(self) -> AsyncGenerator[bytes, None]:
        kind, options = self.content_type
        boundary = options.get("boundary", "")
        if kind != RequestEncodingType.MULTI_PART or not boundary:
            raise Refused(422, "the recording is sent as a form, `multipart/form-data`, in its field `file`")
        if (coding := self.headers.get("content-encoding", "").strip().lower()) in _CODINGS:
            raise Refused(415, f"Content-Encoding: {coding} is not taken; the form is sent uncompressed")
        guard = FormGuard(boundary)
        try:
            async for chunk in super().stream():
                guard.read(chunk)
                yield chunk
        except InternalServerException as error:  # Litestar's word for a client that has gone
            raise HungUp from error


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
