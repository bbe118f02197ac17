"""Recordings of the user's own."""

from pathlib import Path

from actors.audio.recording import open_recording
from actors.errors import UnreadableAudio, UnsupportedContainer
from loadtest.corpus.recording import Recording
from loadtest.plan import BadPlan


def folder(path: Path) -> list[Recording]:
    """A recording, or those that lie in a folder, by name; `a.txt` beside `a.mp3` is what is said in it.

    Anything that the service takes is a recording, whatever its name; other files are left out.

    Raises:
        BadPlan: there is none, or one or its text cannot be read; the message names it.
    """
    if path.is_file():
        found = [_recording(path)]
    elif path.is_dir():
        found = [_recording(one) for one in sorted(path.iterdir()) if one.is_file()]
    else:
        raise BadPlan(f"{path}: there is no such file or folder")
    recordings = [one for one in found if one]
    if not recordings:
        raise BadPlan(f"{path}: there is no recording in it, in any audio or video format that is known")
    return recordings


def _recording(path: Path) -> Recording | None:
    """What is known of a file; nothing where it is no recording."""
    text = path.with_suffix(".txt")
    try:
        return Recording(
            name=path.name,
            path=path,
            language="auto",
            audio_s=_length_ms(path) / 1000,
            text=(text.read_text(encoding="utf-8").strip() or None) if text.is_file() else None,
        )
    except UnsupportedContainer:
        return None
    except UnreadableAudio as error:
        if path.suffix == ".txt":  # an empty one
            return None
        raise BadPlan(f"{path}: {error}") from error
    except OSError as error:
        raise BadPlan(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadPlan(f"{text}: it is not in UTF-8") from error


def _length_ms(path: Path) -> int:
    """As the file claims; where it does not, all of it is decoded."""
    with path.open("rb") as file, open_recording(file) as recording:
        if not recording.claimed_ms:
            for _ in recording.chunks():
                pass
        return recording.claimed_ms or recording.decoded_ms
