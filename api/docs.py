"""The OpenAPI document, and Swagger UI at `/docs` from files of our own, so that it works offline."""

from importlib.resources import files
from typing import Final

from litestar.exceptions import InternalServerException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.router import Router
from litestar.static_files import create_static_files_router

from api.callers import SCHEME
from api.error_answers import not_found

_ASSETS: Final = "/docs/assets"


def openapi(version: str) -> OpenAPIConfig:
    """The document at `/docs/openapi.json`, the page at `/docs`."""
    return OpenAPIConfig(
        title="Quintet",
        version=version,
        description="Self-hosted speech recognition: a recording in, subtitles, text or JSON out.",
        path="/docs",
        components=Components(
            security_schemes={
                SCHEME: SecurityScheme(
                    type="http", scheme="bearer", description="A key of `ASR_API_KEYS`, where these are set."
                )
            }
        ),
        render_plugins=[
            SwaggerRenderPlugin(
                path="/",
                favicon=f'<link rel="icon" href="{_ASSETS}/favicon-32x32.png">',
                js_url=f"{_ASSETS}/swagger-ui-bundle.js",
                css_url=f"{_ASSETS}/swagger-ui.css",
                standalone_preset_js_url=f"{_ASSETS}/swagger-ui-standalone-preset.js",
            )
        ],
    )


def assets() -> Router:
    """The files of Swagger UI."""
    folder = str(files("swagger_ui") / "static")
    return create_static_files_router(
        path=_ASSETS,
        directories=[folder],
        include_in_schema=False,
        # Litestar wraps an OSError of the lookup into an InternalServerException.
        exception_handlers={InternalServerException: not_found, ValueError: not_found},
    )
