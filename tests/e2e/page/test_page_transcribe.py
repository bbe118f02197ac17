"""Recordings transcribed by people: with a mouse, with the keyboard, with a microphone."""

import json
import re
from pathlib import Path

import pysubs2
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Service
from tests.e2e.page.conftest import Opened, finished, handed_in, lines

SAID = ["421", "881", "9114"]


def downloaded(page: Page, fmt: str) -> str:
    """The file behind a button."""
    with page.expect_download() as download:
        page.click(f"#get-{fmt}")
    assert download.value.suggested_filename == f"talk.{fmt}"
    return Path(download.value.path()).read_text(encoding="utf-8")


def edited(page: Page, row: int, text: str) -> None:
    """Edit a line."""
    page.hover(f"#lines li:nth-child({row})")
    page.click(f"#lines li:nth-child({row}) .edit")
    page.fill("#lines textarea", text)
    page.keyboard.press("Enter")


def test_transcribe(opened: Opened, talk: Path) -> None:
    """The words are there with all that the model knows of them, and a click plays from a line."""
    page = opened()

    handed_in(page, talk)
    finished(page)

    assert lines(page) == SAID
    expect(page.locator("#lines .badges").nth(1)).to_have_text("Englishhappyspeech")
    expect(page.locator("#job-name")).to_have_text("talk.wav")
    page.evaluate("document.querySelector('audio').muted = true")
    page.click("#lines li:nth-child(3) .text")
    page.wait_for_function("() => !document.querySelector('audio').paused")
    expect(page.locator("#lines li").nth(2)).to_have_attribute("aria-current", "true")
    begin_s = page.evaluate("document.querySelector('audio').currentTime")
    assert 5 < begin_s < 9
    page.wait_for_function(f"() => document.querySelector('audio').currentTime > {begin_s} + 0.3")


def test_progress(opened: Opened, lecture: Path) -> None:
    """While a long recording is recognised its lines come one after the other, and the bar grows."""
    page = opened()
    page.evaluate("""() => {
        window.seen = [];
        const bar = document.getElementById("bar");
        const text = document.getElementById("progress-text");
        const note = () => seen.push({
            value: bar.hasAttribute("value") ? bar.value : null,
            text: text.textContent,
            lines: document.querySelectorAll("#lines li").length,
        });
        new MutationObserver(note).observe(text, { childList: true });
    }""")

    handed_in(page, lecture)
    finished(page)

    assert page.locator("#lines li").count() == 400
    seen = page.evaluate("seen")
    running = [one for one in seen if one["text"].startswith("Segments: ")]
    assert any("uploaded" in one["text"] or "takes the recording in" in one["text"] for one in seen)
    assert any(0 < one["lines"] < 400 for one in running), seen
    known = [one["value"] for one in running if one["value"] is not None]
    assert known
    assert known == sorted(known)


def test_edit_and_download(opened: Opened, talk: Path) -> None:
    """Unedited files are the service's; an edited one has the edit, and the other cues as they were."""
    page = opened()
    handed_in(page, talk)
    finished(page)
    expect(page.locator("#downloads-note")).to_contain_text("As the service recognised it")
    served = downloaded(page, "srt")

    edited(page, 2, "eight <b>eight</b> one")

    expect(page.locator("#downloads-note")).to_contain_text("made in this browser")
    before, after = (
        list(pysubs2.SSAFile.from_string(text, format_="srt")) for text in (served, downloaded(page, "srt"))
    )
    assert "eight &lt;b&gt;eight&lt;/b&gt; one" in downloaded(page, "vtt")
    assert downloaded(page, "txt") == "421 eight <b>eight</b> one 9114\n"
    segments = json.loads(downloaded(page, "json"))["segments"]
    assert [cue.plaintext for cue in before] == SAID
    assert (after[0], after[2]) == (before[0], before[2])
    assert (after[1].start, after[1].end) == (segments[1]["start_ms"], segments[1]["end_ms"])
    assert [segment["text"] for segment in segments] == ["421", "eight <b>eight</b> one", "9114"]
    assert segments[1]["words"] is None
    assert page.locator("#lines b").count() == 0

    page.reload()
    finished(page)
    assert lines(page)[1] == "eight <b>eight</b> one"
    page.click("#undo")
    assert lines(page) == SAID
    assert downloaded(page, "srt") == served


def test_escape_drops_an_edit(opened: Opened, talk: Path) -> None:
    """Esc leaves the line as it was, and the focus on its pencil."""
    page = opened()
    handed_in(page, talk)
    finished(page)

    page.click("#lines li:nth-child(1) .edit")
    page.fill("#lines textarea", "nothing of this")
    page.keyboard.press("Escape")

    assert lines(page) == SAID
    expect(page.locator("#lines li:nth-child(1) .edit")).to_be_focused()


def test_keyboard_only(opened: Opened, talk: Path) -> None:
    """Tab, Enter and Space suffice, from the address bar to an edited line."""
    page = opened()
    # Listened for from here on: Chromium is told so in a message that a key pressed at once may overtake.
    page.on("filechooser", lambda chooser: chooser.set_files(talk))

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        pytest.fail(f"{selector} cannot be reached with Tab")

    tab_to("#skip")
    page.keyboard.press("Enter")
    tab_to("#file")
    page.keyboard.press("Enter")
    expect(page.locator("#drop-title")).to_have_text(talk.name)
    tab_to("#start")
    page.keyboard.press("Enter")
    finished(page)
    tab_to("#lines li:nth-child(2) .at")
    page.keyboard.press("Enter")
    page.wait_for_function("() => !document.querySelector('audio').paused")
    tab_to("#lines li:nth-child(2) .edit")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type("by hand")
    page.keyboard.press("Enter")

    assert lines(page) == ["421", "by hand", "9114"]


def test_record(opened: Opened) -> None:
    """What the microphone hears can be transcribed, and played from any place."""
    page = opened()

    page.click("#record")
    page.wait_for_function("() => document.getElementById('record-time').textContent >= '0:02'")
    page.click("#record")
    expect(page.locator("#drop-title")).to_contain_text("Recording")
    page.click("#start")
    page.wait_for_selector("#job-state.done", timeout=60_000)

    duration_s = page.evaluate("document.querySelector('audio').duration")
    assert 1.5 < duration_s < 30
    expect(page.locator("#problem")).to_be_hidden()


def test_cancel(opened: Opened, lecture: Path) -> None:
    """A running job can be cancelled."""
    page = opened()
    handed_in(page, lecture)
    page.wait_for_selector("#lines li")

    page.click("#cancel")

    expect(page.locator("#job-state")).to_have_text("cancelled")
    expect(page.locator("#progress")).to_be_hidden()


def test_refused(opened: Opened, tmp_path: Path) -> None:
    """A file that is no recording: what that means, and what the service says."""
    page = opened()
    note = tmp_path / "note.wav"
    note.write_text("this is no recording")

    handed_in(page, note)

    expect(page.locator("#problem strong")).to_have_text("This is not a recording that the service can read.")
    expect(page.locator("#problem")).to_have_text(re.compile("such as wav, mp3, flac or m4aHTTP 415$"))
    expect(page.locator("#transcript")).to_be_hidden()


def test_away(opened: Opened, talk: Path) -> None:
    """An upload whose connection breaks is sent again with the same name: there is one job."""
    page = opened()
    keys: list[str | None] = []

    def fail_once(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        keys.append(route.request.headers.get("idempotency-key"))
        return route.abort() if len(keys) == 1 else route.continue_()

    page.route("**/jobs", fail_once)

    handed_in(page, talk)
    expect(page.locator("#problem strong")).to_have_text("The service does not answer.")
    page.click("#problem button")
    finished(page)

    assert lines(page) == SAID
    assert keys[0] == keys[1]


def test_recent_jobs(opened: Opened, talk: Path) -> None:
    """A job can be opened again, with its recording chosen anew, and deleted."""
    page = opened()
    handed_in(page, talk)
    finished(page)
    address = page.url

    page.click("#job-new")
    expect(page.locator("#composer")).to_be_visible()
    row = page.locator("#recent-list li").first
    expect(row.locator(".name")).to_have_text("talk.wav")
    row.locator("a").click()
    finished(page)
    assert page.url == address
    assert lines(page) == SAID
    page.set_input_files("#listen-file", talk)
    page.wait_for_function("() => document.querySelector('audio').duration > 5")

    count = page.locator("#recent-list li").count()
    row.locator(".delete").click()
    row.locator(".delete").click()
    expect(page.locator("#recent-list li")).to_have_count(count - 1)
    expect(page.locator("#composer")).to_be_visible()


def test_two_languages(opened: Opened, talk: Path) -> None:
    """The browser's language is spoken first; the switch changes everything, and is remembered."""
    page = opened(locale="zh-CN")
    handed_in(page, talk)
    finished(page)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("#lines .badges").nth(1)).to_have_text("英语开心语音")

    page.click("#language")

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#lines .badges").nth(1)).to_have_text("Englishhappyspeech")
    expect(page.locator("#job-state")).to_have_text("done")
    for route in ("#/", "#/dashboard"):
        page.goto(page.url.partition("#")[0] + route)
        shown = page.evaluate("document.body.innerText")
        left = {sign for sign in shown.replace("中文", "") if "\u4e00" <= sign <= "\u9fff"}
        assert left == set()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_nothing_beyond_the_edge(opened: Opened, talk: Path, width: int) -> None:
    """No view scrolls sideways."""
    page = opened(width=width)
    views = {"form": None, "job": None, "dashboard": None}

    views["form"] = page.evaluate("document.documentElement.scrollWidth")
    handed_in(page, talk)
    finished(page)
    views["job"] = page.evaluate("document.documentElement.scrollWidth")
    page.click("#to-dashboard")
    page.wait_for_selector("#instances tbody tr")
    views["dashboard"] = page.evaluate("document.documentElement.scrollWidth")

    assert views == dict.fromkeys(views, width)


def test_key(opened: Opened, locked: Service, talk: Path) -> None:
    """Where keys are needed the page asks for one, and sends it with everything until the tab is closed."""
    page = opened(service=locked)
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status == 401 else None)

    expect(page.locator("#key-dialog")).to_be_visible()
    page.fill("#key", "a-wrong-key")
    page.keyboard.press("Enter")
    expect(page.locator("#key-wrong")).to_have_text("This key was not accepted.")
    page.keyboard.press("Escape")
    expect(page.locator("#key-needed")).to_be_visible()
    page.click("#to-dashboard")
    page.wait_for_selector("#tiles .healthy")
    page.click("#to-transcribe")
    page.click("#key-enter")
    page.fill("#key", "the-right-key")
    page.click("#key-dialog button[type=submit]")
    expect(page.locator("#key-needed")).to_be_hidden()
    expect(page.locator("#recent-note")).to_have_text("None yet.")
    count = len(refused)
    handed_in(page, talk)
    page.wait_for_selector("#lines li:nth-child(3)")
    page.wait_for_selector("#job-state.done")
    assert "samples" in downloaded(page, "srt")
    page.click("#to-dashboard")
    page.wait_for_selector("#instances tbody tr")

    assert refused[count:] == []
    assert count > 0
    kept = page.evaluate("[localStorage['quintet.key'], sessionStorage['quintet.key']]")
    assert kept == [None, '"the-right-key"']
