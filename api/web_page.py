"""The web page at `/`: its files as they lie in `api/page`, with headers that keep everything foreign out."""

import asyncio
import hashlib
from pathlib import Path
from typing import Final

from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from api.callers import unless_public
from api.errors import NoKey

FOLDER: Final = Path(__file__).resolve().parent / "page"
_CLOSED: Final = FOLDER / "closed.html"

_MEDIA_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

#: Nothing but the page's own files runs, is shown or is asked; `blob:` is the recording that is played.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    # A browser keeps the files and asks each time whether they are still the same.
    "Cache-Control": "no-cache",
}

_Request = Request[object, object, State]


@get("/")
async def index(request: _Request) -> Response[bytes]:
    """The page."""
    return await _answer(request, "index.html")


@get("/page/{name:str}")
async def asset(request: _Request, name: str) -> Response[bytes]:
    """A file of the page."""
    return await _answer(request, name)


async def _answer(request: _Request, name: str) -> Response[bytes]:
    """The file, or 304 where the browser has it already."""
    path = _FILES.get(name)
    if path is None:
        raise NotFoundException(f"no such file of the page: {name[:100]!r}")
    content = await asyncio.to_thread(path.read_bytes)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = _HEADERS | {"ETag": etag}
    if etag in request.headers.get("If-None-Match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=_MEDIA_TYPES[path.suffix], headers=headers)


def _closed(_: _Request, error: NoKey) -> Response[bytes]:
    """For who opens it in a browser: why there is nothing to see, and who can change that."""
    headers = _HEADERS | {"WWW-Authenticate": "Bearer"}
    content = _CLOSED.read_bytes()
    return Response(content, status_code=error.status, media_type="text/html", headers=headers)


#: The names that can be asked for: no other path is ever opened.
_FILES: Final = {path.name: path for path in FOLDER.iterdir() if path.suffix in _MEDIA_TYPES}


def router() -> Router:
    """The page and its files."""
    return Router(
        path="/",
        route_handlers=[index, asset],
        guards=[unless_public("page")],
        exception_handlers={NoKey: _closed},
        include_in_schema=False,
    )
