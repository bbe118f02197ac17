"""What OpenAI's clients read: the answers of `/v1/audio/transcriptions`, made of a transcript.

What a model does not know is null, not made up.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import UNSET, Struct, UnsetType

from actors.records import Transcript
from api import render
from api.results import main_language

#: The languages as `verbose_json` has them.
_NAMES: Final = {"zh": "chinese", "en": "english", "ja": "japanese", "ko": "korean", "yue": "cantonese"}


class Usage(Struct, frozen=True):
    """What was used, as OpenAI counts it for models that are paid by time."""

    seconds: float
    type: Literal["duration"] = "duration"


class Transcription(Struct, frozen=True):
    """The answer in `json`."""

    text: str
    usage: Usage


class VerboseSegment(Struct, frozen=True, kw_only=True):
    """A segment in `verbose_json`; times in seconds. What Whisper's decoder would say is null."""

    id: int
    start: float
    end: float
    text: str
    #: Not OpenAI's: the language heard in this segment.
    language: str | None
    tokens: tuple[int, ...] = ()
    temperature: float = 0.0
    seek: int | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None


class VerboseWord(Struct, frozen=True):
    """A word in `verbose_json`; times in seconds."""

    word: str
    start: float
    end: float


class VerboseTranscription(Struct, frozen=True, kw_only=True):
    """The answer in `verbose_json`."""

    task: Literal["transcribe"] = "transcribe"
    language: str
    duration: float
    text: str
    usage: Usage
    segments: tuple[VerboseSegment, ...] | UnsetType = UNSET
    words: tuple[VerboseWord, ...] | UnsetType = UNSET


class Delta(Struct, frozen=True):
    """More of the text, in a stream."""

    delta: str
    type: Literal["transcript.text.delta"] = "transcript.text.delta"


class Done(Struct, frozen=True):
    """The whole text, at the end of a stream: all that came before, joined."""

    text: str
    usage: Usage
    type: Literal["transcript.text.done"] = "transcript.text.done"


def brief(transcript: Transcript) -> Transcription:
    """The answer in `json`."""
    return Transcription(render.plain_text(transcript), usage(transcript))


def verbose(transcript: Transcript, *, segments: bool, words: bool) -> VerboseTranscription:
    """The answer in `verbose_json`; the language is the one that was spoken longest."""
    known = render.details(transcript)
    spoken = main_language(transcript)
    return VerboseTranscription(
        language=_NAMES.get(spoken, spoken) if spoken else "",
        duration=transcript.audio_ms / 1000,
        text=render.plain_text(transcript),
        usage=usage(transcript),
        segments=tuple(_segments(known)) if segments else UNSET,
        words=tuple(_words(known)) if words else UNSET,
    )


def usage(transcript: Transcript) -> Usage:
    """How much was used for a transcript."""
    return Usage(transcript.audio_ms / 1000)


def _segments(segments: Iterable[render.SegmentDetails]) -> Iterable[VerboseSegment]:
    said = (segment for segment in segments if segment.text)
    for number, segment in enumerate(said):
        yield VerboseSegment(
            id=number,
            start=segment.start_ms / 1000,
            end=segment.end_ms / 1000,
            text=segment.text,
            language=segment.language,
        )


def _words(segments: Iterable[render.SegmentDetails]) -> Iterable[VerboseWord]:
    for segment in segments:
        for word in segment.words or ():
            yield VerboseWord(word.text, word.start_ms / 1000, word.end_ms / 1000)
