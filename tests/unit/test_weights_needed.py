"""Set-up fetches what `ASR_MODEL` needs, and `auto` goes on without a hub."""

import http.server
import socket
import sys
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from actors.weights import __main__ as command_line
from actors.weights import probe
from actors.weights.manifest import File, HuggingFace, Model

CONTENTS = {"model.bin": b"what was learnt", "config.json": b"{}"}

#: The only model of these tests' manifest.
TINY = Model(
    name="tiny",
    title="Tiny",
    licence="MIT",
    files=tuple(
        File(path=path, size_bytes=len(content), sha256=sha256(content).hexdigest())
        for path, content in CONTENTS.items()
    ),
    sources=(HuggingFace(repo="nobody/tiny", revision="main"),),
    optional=True,
)

#: Nothing listens on the discard port.
NO_HUB = "http://127.0.0.1:9"


class Hub(http.server.BaseHTTPRequestHandler):
    """A hub that gives what it has, and goes on from any byte."""

    has: dict[str, bytes]
    #: What was asked for, and from which byte on.
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        """Answer like `resolve/<revision>/<file>`; of a file that is too short the connection breaks."""
        name = self.path.rpartition("/")[2]
        self.asked.append((name, self.headers["Range"]))
        start = int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
        self.send_response(206 if start else 200)
        self.end_headers()
        self.wfile.write(self.has[name][start:])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the base's name
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """A hub on loopback."""
    Hub.has, Hub.asked = dict(CONTENTS), []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield Hub
        server.shutdown()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the model is to lie; nothing is on disk, and it is what an operator left at `auto`."""
    monkeypatch.setattr("actors.weights.manifest.read", lambda: {TINY.name: TINY})
    monkeypatch.setattr("actors.settings.STATE_DIR", tmp_path)
    monkeypatch.setenv("ASR_MODEL", "auto")
    return tmp_path / "weights" / TINY.name


def set_up(*names: str) -> int:
    """The exit status of the command that set-up runs, or of the one that fetches by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["weights", "fetch", *names])
        return command_line.main()


def contents(folder: Path) -> dict[str, bytes]:
    """What was fetched."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.parametrize("model", ["auto", TINY.name])
@pytest.mark.usefixtures("hub")
def test_a_hub_that_answers_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    """For `auto` and for the model by its name."""
    monkeypatch.setenv("ASR_MODEL", model)

    assert set_up() == 0

    assert contents(folder) == CONTENTS


@pytest.mark.parametrize("endpoint", [NO_HUB, "no-scheme.example"])
def test_auto_goes_on_without_a_hub(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], endpoint: str
) -> None:
    """One line says who was asked, what runs instead and what to do; standard output stays clean."""
    monkeypatch.setenv("HF_ENDPOINT", endpoint)

    assert set_up() == 0

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"No answer from {endpoint}: ASR_MODEL=auto runs the embedded Whisper base. "
        "Get the better model later: ./justw models fetch tiny\n"
    )
    assert not folder.parent.exists()


def test_nothing_is_asked_when_it_is_on_disk(hub: type[Hub], capsys: pytest.CaptureFixture[str]) -> None:
    """A second set-up neither asks nor says anything."""
    set_up()
    hub.asked.clear()
    capsys.readouterr()

    assert set_up() == 0

    assert hub.asked == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("model", ["whisper-base", "/models/mine", "module:Class"])
def test_no_hub_is_asked_for_another_model(
    hub: type[Hub], monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """Who names a model gets no other."""
    monkeypatch.setenv("ASR_MODEL", model)

    assert set_up() == 0

    assert hub.asked == []


def test_settings_that_start_will_refuse_fetch_nothing_optional(
    hub: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip in a name must not cost a long download."""
    monkeypatch.setenv("ASR_MODLE", "whisper-base")

    assert set_up() == 0

    assert hub.asked == []


def test_auto_goes_on_when_a_download_breaks(
    folder: Path, hub: type[Hub], capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends in a line, and the next set-up fetches the rest only."""
    hub.has["model.bin"] = CONTENTS["model.bin"][:4]

    assert set_up() == 0

    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("Fetching tiny, 0 MB; ")
    assert "model.bin: the connection broke after 4 of 15 bytes" in said[1]
    assert "runs the embedded Whisper base" in said[1]
    assert len(said) == 2
    assert not folder.exists()

    hub.has = dict(CONTENTS)
    assert set_up() == 0
    assert contents(folder) == CONTENTS
    assert ("model.bin", "bytes=4-") in hub.asked


def test_auto_never_uses_what_differs(
    folder: Path, hub: type[Hub], capsys: pytest.CaptureFixture[str]
) -> None:
    """A hub with other content is as good as none; it is downloaded again only for who asks by name."""
    hub.has["model.bin"] = CONTENTS["model.bin"].upper()

    assert set_up() == 0
    assert "(Hugging Face (nobody/tiny): model.bin differs from the manifest)" in capsys.readouterr().err
    assert not folder.exists()

    hub.asked.clear()
    assert set_up() == 0
    said = capsys.readouterr().err
    assert said.startswith("What the hubs have as tiny differs from the manifest: ASR_MODEL=auto runs the ")
    assert said.count("\n") == 1
    assert hub.asked == []

    hub.has = dict(CONTENTS)
    assert set_up(TINY.name) == 0
    assert contents(folder) == CONTENTS


@pytest.mark.usefixtures("hub")
def test_auto_goes_on_when_nothing_can_be_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights that came with a read-only installation are enough."""
    folder.parent.write_text("no folder can be made here")

    assert set_up() == 0

    assert "tiny could not be fetched" in capsys.readouterr().err


def test_a_named_model_must_be_had(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a hub set-up fails, and says which files to put where by hand."""
    monkeypatch.setenv("ASR_MODEL", TINY.name)
    monkeypatch.setenv("HF_ENDPOINT", NO_HUB)

    assert set_up() == 1

    said = capsys.readouterr().err
    assert f"put these files into {folder}:\n  model.bin  (15 bytes, sha256 " in said


def test_a_silent_hub_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes the connection and says nothing costs the patience and no more."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started_s = time.monotonic()

        assert not probe.answers(TINY, patience_s=0.2)

        assert time.monotonic() - started_s < 8


def test_a_slow_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that takes long not to be found costs the patience and no more."""
    found = threading.Event()

    def look_up(*_: object) -> None:
        found.wait()
        raise socket.gaierror

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    started_s = time.monotonic()

    assert not probe.answers(TINY, patience_s=0.2)

    assert time.monotonic() - started_s < 8
    found.set()
