"""The OpenAPI document, and Swagger UI at `/docs` from files of our own, so that it works offline."""

from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from litestar import Request
from litestar.datastructures import CacheControlHeader, ResponseHeader
from litestar.exceptions import InternalServerException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.router import Router
from litestar.static_files import create_static_files_router
from typing_extensions import override

from api.callers import SCHEME
from api.error_answers import not_found

_PATH: Final = "/docs"
_PAGE: Final = Path(__file__).resolve().parent / "docs_page"

#: Nothing but files from here runs; Swagger UI draws some of its marks from `data:`.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Page(OpenAPIRenderPlugin):
    """Litestar's own has its script in the page, where the policy lets none run."""

    @override
    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return (_PAGE / "index.html").read_bytes()


def openapi(version: str) -> OpenAPIConfig:
    """The document at `/docs/openapi.json`, the page at `/docs`."""
    return OpenAPIConfig(
        title="Quintet",
        version=version,
        description="Self-hosted speech recognition: a recording in, subtitles, text or JSON out.",
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                SCHEME: SecurityScheme(
                    type="http", scheme="bearer", description="An API key, where the service asks for one."
                )
            }
        ),
        render_plugins=[_Page(path="/")],
        openapi_router=Router(
            _PATH,
            route_handlers=[],
            include_in_schema=False,
            response_headers=[ResponseHeader(name="Content-Security-Policy", value=_POLICY)],
        ),
    )


def assets() -> Router:
    """The files of Swagger UI, and what begins it."""
    return create_static_files_router(
        path=f"{_PATH}/assets",
        directories=[str(files("swagger_ui") / "static"), _PAGE],
        include_in_schema=False,
        cache_control=CacheControlHeader(no_cache=True),
        # Litestar wraps an OSError of the lookup into an InternalServerException.
        exception_handlers={InternalServerException: not_found, ValueError: not_found},
    )
