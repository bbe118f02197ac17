"""Files that are whole or not there, under names that nobody else has taken."""

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def check(folder: Path) -> None:
    """See that files can be written to a folder that may not exist yet, before it takes an hour to fill them.

    Raises:
        OSError: they cannot.
    """
    there = next(one for one in (folder, *folder.parents) if one.exists())
    with tempfile.TemporaryFile(dir=there):
        pass


def write(folder: Path, prefix: str, at: dt.datetime, contents: Mapping[str, bytes]) -> list[Path]:
    """Write contents by the ends of their names, `<prefix>_YYYYMMDD_HHMMSS<end>`, and return the paths.

    Where one is taken, all get the next second that is free.

    Raises:
        OSError: they cannot be written; none of them is left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        stem = f"{prefix}_{at:%Y%m%d_%H%M%S}"
        paths = [folder / f"{stem}{end}" for end in contents]
        parts = [path.with_name(f".{path.name}.part") for path in paths]
        try:
            taken = os.open(parts[0], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            at += dt.timedelta(seconds=1)
            continue
        os.close(taken)
        try:
            if not any(path.exists() for path in paths):
                _write(paths, parts, contents)
                return paths
        finally:
            for part in parts:
                part.unlink(missing_ok=True)
        at += dt.timedelta(seconds=1)


def _write(paths: list[Path], parts: list[Path], contents: Mapping[str, bytes]) -> None:
    try:
        for part, content in zip(parts, contents.values(), strict=True):
            part.write_bytes(content)
        for part, path in zip(
            parts[::-1], paths[::-1], strict=True
        ):  # the first keeps the name until the end
            part.replace(path)
    except OSError:
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
