"""The web page in a real headless Chromium, on a service with the small SenseVoice."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from deploy import browser as browsers
from loadtest.corpus.clips import Clip, joined
from loadtest.corpus.encoding import encoded
from tests.e2e.conftest import Service, checkout, started
from tests.sensevoice import SAMPLES

#: A 404 of these is no error of the page's: a service without monitoring has none of them.
OPTIONAL = "/monitoring/"

#: How long a page may take to show something, on a busy machine.
PATIENCE_MS = 30_000

expect.set_options(timeout=PATIENCE_MS)

#: Opens the page at a hash route: `opened("#/dashboard", locale="zh-CN", width=360)`.
Opened = Callable[..., Page]

_WATCH_POLICY = """addEventListener('securitypolicyviolation', (event) =>
    console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`))"""


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that wants a key: `the-right-key`."""
    settings = {"ASR_MODEL": "tests.doubles.engines:InstantEngine", "ASR_INSTANCES": "1"}
    home = tmp_path_factory.mktemp("locked")
    yield from started(checkout(home, **settings, ASR_API_KEYS="bob:the-right-key", ASR_PUBLIC="page"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser. Of a module: while it is open, asyncio runs in this thread."""
    found = browsers.find()
    if found is None:
        reason = (
            f"NO BROWSER, THE PAGE IS NOT TESTED: python -m deploy.browser; if it fails, {browsers.REMEDY}"
        )
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=found.path,
            env={**os.environ, **found.env},
            args=["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser, sensevoice: Service) -> Iterator[Opened]:
    """Opens pages; after the test, none may have met an error or broken its content security policy."""
    errors: list[str] = []
    pages: list[Page] = []

    def heard(message: ConsoleMessage) -> None:
        network = message.text.startswith("Failed to load resource")
        if message.type == "error" and not network:
            errors.append(message.text)
        elif network and "404" in message.text and OPTIONAL not in message.location["url"]:
            errors.append(f"{message.text}: {message.location['url']}")

    def open_page(
        route: str = "", *, locale: str = "en-US", width: int = 1280, service: Service = sensevoice
    ) -> Page:
        context = chromium.new_context(
            locale=locale,
            viewport={"width": width, "height": 800},
            accept_downloads=True,
            permissions=["microphone"],
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(_WATCH_POLICY)
        page.on("console", heard)
        page.on("pageerror", lambda error: errors.append(f"{error.message}\n{error.stack}"))
        page.goto(f"{service.url}/{route}")
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert errors == []


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three things said in three languages, one of them happily, with pauses between."""
    return written(tmp_path_factory, "talk.wav", ["en/421", "en/881", "zh/9114"])


@pytest.fixture(scope="session")
def lecture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Something that takes the service a few seconds."""
    return written(tmp_path_factory, "lecture.flac", ["en/421", "en/881", "zh/9114", "yue/8427"] * 100)


def written(factory: pytest.TempPathFactory, name: str, samples: list[str]) -> Path:
    """A recording of these samples in a file."""
    parts = {one: Clip(SAMPLES / f"{one}.wav", "en", one) for one in set(samples)}
    path = factory.mktemp("recordings") / name
    path.write_bytes(encoded(joined([parts[one] for one in samples], 1_500), path.suffix[1:]))
    return path


def row(name: str) -> str:
    """The row of an instance."""
    return f"#instances tr[data-key='{name}']"


def handed_in(page: Page, recording: Path) -> None:
    """Choose a recording and begin."""
    page.set_input_files("#file", recording)
    page.click("#start")


def finished(page: Page) -> None:
    """Wait for the end of the job that is shown, and all that is known of it."""
    page.wait_for_selector("#job-state.done", timeout=120_000)
    page.wait_for_selector("#lines .badge.emotion, #transcript-empty:not(:empty)")


def lines(page: Page) -> list[str]:
    """What the transcript says."""
    return page.locator("#lines .text").all_text_contents()
