"""What a browser is told of every answer, and which pages may have it ask."""

import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from actors.access import key_file
from actors.settings import Settings
from actors.store.limits import Quota
from api.callers import Callers
from api.hardened import Hardened
from api.origins import Names

#: What Litestar would rather have written in another way.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

HERE = "http://127.0.0.1:5002"
ALIVE = "/health/live"

#: As a browser marks what the user himself asks for by following a link.
FOLLOWED = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Where there is no key file yet."""
    return tmp_path / "keys.json"


@pytest.fixture
async def web(keys: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The application as it is served; what needs no Redis."""
    from api.app import create_app

    settings = Settings(redis_url="redis://127.0.0.1:1/0")
    app = create_app(settings, Callers(settings, key_file=keys))
    transport = httpx.ASGITransport(app=Hardened(app))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


PATHS = ["/", "/page/main.js", "/docs", "/docs/openapi.json", "/docs/assets/begin.js", ALIVE, "/jobs", "/x"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_is_hardened(web: httpx.AsyncClient, path: str) -> None:
    """Pages, files, data and failures: each header once, and nothing for other origins."""
    answer = await web.get(path, headers={"Origin": HERE})

    for name in (
        "content-security-policy",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
        "cache-control",
    ):
        assert len(answer.headers.get_list(name)) == 1, name
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/asr", "/asr_simple", "/jobs", "/v1/audio/transcriptions"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": ""},
        {"origin": "file://"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8000"},
        FOLLOWED | {"origin": HERE},
    ],
)
async def test_a_form_on_a_page_from_elsewhere(
    web: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    """It is refused before anything of it is read, in the words of each endpoint."""
    answer = await web.post(path, files={"file": ("a.wav", b"RIFF")}, headers=headers)

    assert answer.status_code == 403
    assert "a web page from elsewhere" in answer.text


@pytest.mark.parametrize("path", ["/asr", "/jobs", "/health/live", "/metrics", "/docs/assets/begin.js"])
async def test_no_preflight_succeeds(web: httpx.AsyncClient, path: str) -> None:
    """So a page from elsewhere can send no key either."""
    answer = await web.options(
        path,
        headers={
            "Origin": "https://elsewhere.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization",
        },
    )

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": HERE}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "same-origin", "origin": "https://behind-a-proxy.example"}, 200),
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, 200),
        (FOLLOWED, 200),
        (FOLLOWED | {"sec-fetch-dest": "iframe"}, 403),
        (FOLLOWED | {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
async def test_who_may_read(web: httpx.AsyncClient, headers: dict[str, str], status: int) -> None:
    """Programs, pages of ours, and people who follow a link; no page that takes parts of ours into it."""
    assert (await web.get(ALIVE, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:5002", 200),
        ("[::1]:5002", 200),
        ("192.168.1.7", 200),
        ("localhost:5002", 200),
        ("LOCALHOST.", 200),
        ("quintet.localhost", 200),
        ("elsewhere.example:5002", 403),
        ("127.0.0.1.elsewhere.example", 403),
        ("localhost.elsewhere.example", 403),
        ("[::1", 403),
    ],
)
async def test_a_name_that_somebody_makes_lead_here(web: httpx.AsyncClient, host: str, status: int) -> None:
    """A page of that name would be of the same origin, and read everything."""
    assert (await web.get(ALIVE, headers={"Host": host})).status_code == status


async def test_with_keys_any_name_will_do(web: httpx.AsyncClient, keys: Path) -> None:
    """That page has none."""
    key_file.add("ann", Quota(), keys)

    assert (await web.get(ALIVE, headers={"Host": "elsewhere.example"})).status_code == 200
    assert (await web.get("/jobs", headers={"Host": "elsewhere.example"})).status_code == 401


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        (Settings(names="asr.example,b.example"), True),
        (Settings(names="*"), True),
        (Settings(names="b.example"), False),
        (Settings(host="localhost"), False),
        (Settings(host="::1"), False),
        (Settings(host="LOCALHOST"), False),
        (Settings(host="127.1"), False),
        (Settings(host="::ffff:127.0.0.1"), False),
        (Settings(host="0.0.0.0"), True),
        (Settings(host="0.0.0.0", names="api"), False),
        (Settings(host="0.0.0.0", names="api,asr.example"), True),
    ],
)
def test_names_of_the_service(settings: Settings, known: bool) -> None:  # noqa: FBT001
    """The operator's; where he gives none the network may call it as it likes, his own machine not."""
    assert Names(settings).has("ASR.example:5002") is known


@pytest.mark.parametrize(
    ("leads_to", "known"),
    [(("127.0.0.1", "::1"), False), (("127.0.0.1", "192.0.2.1"), True), (("fe80::1%eth0",), True)],
)
def test_a_host_by_name(leads_to: tuple[str, ...], known: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """What counts is where it leads, such as `ip6-localhost`; the service may always be called by it."""
    found = [(socket.AF_UNSPEC, socket.SOCK_STREAM, 0, "", (address, 0)) for address in leads_to]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    names = Names(Settings(host="Here.example"))

    assert names.has("here.example:5002")
    assert names.has("elsewhere.example") is known
