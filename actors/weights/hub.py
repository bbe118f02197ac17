"""Weights that lie on a model hub."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from actors.weights.manifest import File, HuggingFace, ModelScope
from actors.weights.progress import Progress, SourceError

#: Longest wait for a connection, and for the next bytes, in seconds.
TIMEOUT_S = 10

#: Ends the name of a file that is still being downloaded; a later fetch goes on from there.
PARTIAL = ".download"

_CHUNK_BYTES = 1 << 20


def get(source: HuggingFace | ModelScope, files: Sequence[File], into: Path, progress: Progress) -> None:
    """Download the wanted files into the folder `into`, going on where an earlier try broke off.

    Raises:
        SourceError: the hub does not answer, lacks a file, or the connection broke.
    """
    for file in files:
        target = into / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + PARTIAL)
        try:
            _download(source.url(file.path), file, partial, progress)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise SourceError(f"{file.path}: {error}") from error
        partial.replace(target)


def _download(url: str, file: File, partial: Path, progress: Progress) -> None:
    have = partial.stat().st_size if partial.exists() else 0
    if have >= file.size_bytes:
        have = 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - the manifest's hubs
        resumed = response.status == http.client.PARTIAL_CONTENT
        have = have if resumed else 0
        with partial.open("ab" if resumed else "wb") as content:
            while chunk := response.read(_CHUNK_BYTES):
                have += content.write(chunk)
                progress(file.path, have, file.size_bytes)
                if have > file.size_bytes:
                    break
    if have < file.size_bytes:
        raise SourceError(f"{file.path}: the connection broke after {have} of {file.size_bytes} bytes")
