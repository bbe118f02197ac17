"""What is known of a recording that is sent."""

from pathlib import Path

from msgspec import Struct

from actors.records import Language


class Recording(Struct, frozen=True, kw_only=True):
    """A file, and what is said in it."""

    name: str
    path: Path
    #: `auto` where several languages are spoken, or nobody says which.
    language: Language
    audio_s: float
    #: What is said; null where nobody says.
    text: str | None = None
    #: Beginning and end of each utterance in seconds; empty where nobody says.
    speech_s: tuple[tuple[float, float], ...] = ()
