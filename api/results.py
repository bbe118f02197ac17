"""The result of a job in every format it can be had in."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, OpenAPIType, Operation, Schema
from msgspec import Meta, Struct

from actors.records import Stats, Transcript
from api import render


class Result(Struct, frozen=True, kw_only=True):
    """Everything that is known of a recording."""

    text: Annotated[str, Meta(description="All that was said.", examples=["Hello, world."])]
    language: Annotated[
        str | None,
        Meta(description="What was spoken longest; null where nothing was heard.", examples=["en"]),
    ]
    duration_s: Annotated[float, Meta(description="Length of the recording.", examples=[3.12])]
    stats: Stats
    segments: Annotated[
        tuple[render.SegmentDetails, ...],
        Meta(description="Each segment, in order of time, as with `details` of `/asr`."),
    ]


class Format(Struct, frozen=True):
    """How a transcript is written, and what the file is."""

    render: Callable[[Transcript], str | bytes]
    #: Litestar adds the charset to those of text.
    media_type: str


def as_json(transcript: Transcript) -> bytes:
    """All of it, as `Result`."""
    result = Result(
        text=render.plain_text(transcript),
        language=main_language(transcript),
        duration_s=transcript.audio_ms / 1000,
        stats=transcript.stats,
        segments=render.details(transcript),
    )
    return msgspec.json.encode(result)


def main_language(transcript: Transcript) -> str | None:
    """The language of which most was spoken, by the time of the segments in which something was said."""
    spoken_ms: Counter[str] = Counter()
    for line in transcript.lines:
        if line.utterance and line.utterance.text:
            spoken_ms[line.utterance.language] += line.segment.duration_ms
    return max(spoken_ms, key=spoken_ms.__getitem__) if spoken_ms else None


FormatName = Literal["json", "srt", "vtt", "tsv", "txt"]


@dataclass
class AnyFormat(Operation):
    """An operation that answers 200 with a text of any of the formats."""

    def __post_init__(self) -> None:
        answer = (self.responses or {})["200"]
        if isinstance(answer, OpenAPIResponse):
            text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
            kinds = {form.media_type: text for form in FORMATS.values()}
            answer.content = kinds | (answer.content or {})


#: Every format: another one is another line here and another name above.
FORMATS: Final[dict[FormatName, Format]] = {
    "json": Format(as_json, "application/json"),
    "srt": Format(render.srt, "application/x-subrip; charset=utf-8"),
    "vtt": Format(render.vtt, "text/vtt"),
    "tsv": Format(render.tsv, "text/tab-separated-values"),
    "txt": Format(render.plain_text, "text/plain"),
}
