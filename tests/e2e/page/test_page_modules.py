"""What the page is made of: its files and their headers, and the modules that compute something."""

import itertools
from typing import Any

import httpx
from playwright.sync_api import Browser, Route, expect

from tests.e2e.conftest import Service
from tests.e2e.page.conftest import Opened

SUBTITLES = "async ([call, ...given]) => (await import('./page/subtitles.js'))[call](...given)"


def test_headers(sensevoice: Service) -> None:
    """Nothing foreign is let in; a browser that has a file gets no second copy; nothing else can be had."""
    with sensevoice.client() as client:
        page = client.get("/")
        files = {path: client.get(path) for path in ("/page/main.js", "/page/base.css", "/page/icon.svg")}
        again = client.get("/page/main.js", headers={"If-None-Match": files["/page/main.js"].headers["etag"]})
        strange = [client.get(f"/page/{name}") for name in ("nothing.js", "..%2fapp.py", "%00", "x" * 5_000)]
        described = client.get("/docs/openapi.json").json()["paths"]

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert {name: answer.headers["content-type"].partition(";")[0] for name, answer in files.items()} == {
        "/page/main.js": "text/javascript",
        "/page/base.css": "text/css",
        "/page/icon.svg": "image/svg+xml",
    }
    for answer in (page, *files.values(), again):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["content-security-policy"] == policy
    assert (again.status_code, again.content) == (304, b"")
    assert {answer.status_code for answer in strange} == {404}
    assert not {path for path in described if path == "/" or path.startswith("/page")}


def test_documents(opened: Opened) -> None:
    """Swagger UI shows the endpoints under a policy that lets only our files run."""
    page = opened("docs")

    expect(page.locator("#docs")).to_contain_text("/asr_simple")
    page.locator("#docs .opblock-summary", has_text="/health/live").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator("#docs .live-responses-table")).to_contain_text("alive")


def test_a_page_from_elsewhere(chromium: Browser, sensevoice: Service) -> None:
    """It can neither hand anything in nor read anything, though it runs in a browser on this machine."""
    form = f'<form method="post" enctype="multipart/form-data" action="{sensevoice.url}/jobs"><button>'
    with chromium.new_context() as context:
        page = context.new_page()
        page.route(
            "http://elsewhere.example/", lambda route: route.fulfill(content_type="text/html", body=form)
        )
        page.goto("http://elsewhere.example/")
        read = page.evaluate(
            "(url) => fetch(url).then((answer) => answer.text(), (error) => error.name)",
            f"{sensevoice.url}/health",
        )
        with page.expect_navigation() as sent:
            page.click("button")

    assert read == "TypeError"
    assert sent.value
    assert sent.value.status == 403


def test_offline(opened: Opened, sensevoice: Service) -> None:
    """Everything comes from the service itself."""
    page = opened()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.reload()
    page.wait_for_selector("#recent-list li, #recent-note:not(:empty)")

    assert {httpx.URL(url).netloc.decode() for url in asked} == {httpx.URL(sensevoice.url).netloc.decode()}


def test_every_text_in_both_languages(opened: Opened) -> None:
    """No text is missing, and its placeholders are the same."""
    page = opened()

    wrong = page.evaluate("""async () => {
        const { STRINGS } = await import("./page/strings.js");
        const { DASHBOARD_STRINGS } = await import("./page/dashboard_strings.js");
        const holes = (text) => (text.match(/\\{\\w+\\}/g) ?? []).sort().join();
        const all = { ...STRINGS, ...DASHBOARD_STRINGS };
        const named = [...document.querySelectorAll("[data-t], [data-t-label]")]
            .flatMap((node) => [node.dataset.t, node.dataset.tLabel]).filter(Boolean);
        return [
            ...Object.keys(all).filter((name) => !all[name].every(Boolean)),
            ...Object.keys(all).filter((name) => holes(all[name][0]) !== holes(all[name][1])),
            ...named.filter((name) => !(name in all)),
        ];
    }""")

    assert wrong == []


def test_event_parser(opened: Opened) -> None:
    """Events come out whole, however the stream is cut, with any kind of line end."""
    page = opened()
    stream = ": hello\r\nid: a-1\r\nevent: one\r\ndata: x\r\ndata: y\r\n\r\nid: a-2\ndata:z\n\ndata: lost"

    cut = page.evaluate(
        """async (stream) => {
            const { EventParser } = await import("./page/sse.js");
            const all = [];
            for (let size = 1; size <= stream.length; size++) {
                const parser = new EventParser();
                const events = [];
                for (let at = 0; at < stream.length; at += size) {
                    events.push(...parser.push(stream.slice(at, at + size)));
                }
                all.push(JSON.stringify(events));
            }
            return [...new Set(all)].map(JSON.parse);
        }""",
        stream,
    )

    assert cut == [
        [{"event": "one", "data": "x\ny", "id": "a-1"}, {"event": "message", "data": "z", "id": "a-2"}]
    ]


def test_stream_is_taken_up_again(opened: Opened) -> None:
    """A stream that breaks off goes on behind the last event; one that is refused ends."""
    page = opened()
    heard: list[str | None] = []

    def broken(route: Route) -> None:
        heard.append(route.request.headers.get("last-event-id"))
        if len(heard) == 3:
            return route.fulfill(status=204)
        if len(heard) == 2:
            return route.abort()
        return route.fulfill(
            content_type="text/event-stream", body="id: a-1\ndata: 1\n\nid: a-2\ndata: 2\n\n"
        )

    page.route("**/some/events", broken)
    page.route("**/monitoring/refused", lambda route: route.fulfill(status=404, json={"detail": "gone"}))

    got = page.evaluate("""async () => {
        const { follow } = await import("./page/sse.js");
        const data = [];
        const signal = new AbortController().signal;
        await follow("some/events", { signal, onEvent: (event) => data.push(event.data) });
        await follow("monitoring/refused", { signal, onEvent: () => {} })
            .catch((error) => data.push(error.status, error.detail));
        return data;
    }""")

    assert got == ["1", "2", 404, "gone"]
    assert heard == [None, "a-2", "a-2"]


def line(start_ms: int, end_ms: int, text: str, edited: str | None = None) -> dict[str, Any]:
    """A line of a transcript."""
    return {"start_ms": start_ms, "end_ms": end_ms, "text": text, "edited": edited}


def test_edited_cues(opened: Opened) -> None:
    """An edited line is divided within its time, in cues that can be read; the others keep theirs."""
    page = opened()
    long = "The quick brown fox jumps over the lazy dog. " * 8
    chinese = "今天的天气很好,我们去公园散步。" * 6
    lines = [
        line(0, 2_000, "kept"),
        line(3_000, 23_000, "?", long),
        line(30_000, 40_000, "?", chinese),
        line(50_000, 51_000, "?", " "),
    ]
    # Made a little longer than its line, as short cues are.
    served = [
        {"start_ms": 0, "end_ms": 2_900, "text": "kept"},
        {"start_ms": 3_000, "end_ms": 9_000, "text": "?"},
    ]

    cues = page.evaluate(SUBTITLES, ["cuesOf", lines, served])

    assert cues[0] == served[0]
    english = [cue for cue in cues if 3_000 <= cue["start_ms"] < 30_000]
    wide = [cue for cue in cues if cue["start_ms"] >= 30_000]
    assert " ".join(" ".join(cue["text"].split("\n")) for cue in english) == long.strip()
    assert "".join(cue["text"].replace("\n", "") for cue in wide) == chinese
    for group, end_ms, columns in ((english, 23_000, 42), (wide, 40_000, 20)):
        assert group[-1]["end_ms"] == end_ms
        for before, after in itertools.pairwise(group):
            assert before["end_ms"] == after["start_ms"]
        for cue in group:
            assert 0 < cue["end_ms"] - cue["start_ms"] <= 8_000
            rows = cue["text"].split("\n")
            assert len(rows) <= 2
            assert max(map(len, rows)) <= columns
    assert len(cues) == 1 + len(english) + len(wide)


def test_subrip_is_read_as_written(opened: Opened) -> None:
    """Cues survive being written and read."""
    page = opened()
    cues = [
        {"start_ms": 0, "end_ms": 1_001, "text": "a\nb"},
        {"start_ms": 3_723_004, "end_ms": 3_724_000, "text": "c"},
    ]

    written = page.evaluate(SUBTITLES, ["srt", cues])

    assert "01:02:03,004 --> 01:02:04,000" in written
    assert page.evaluate(SUBTITLES, ["parseSrt", written]) == cues
