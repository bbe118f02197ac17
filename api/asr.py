"""`POST /asr` and `POST /asr_simple`: a recording in, subtitles or text out."""

import asyncio
from typing import Annotated, Any

from litestar import post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body
from msgspec import UNSET, Meta, Struct, UnsetType

from actors import languages, replacements
from actors.records import Options, Stats, Transcript
from api import render
from api.callers import Caller
from api.error_answers import UPLOAD_ERRORS, AsrFailure
from api.form_guard import GuardedRequest
from api.intake import WAITED_FOR, Recognizer, has_room


class RecordingForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields that all multipart forms of ours with a recording share; an unknown one is refused.

    Else `language=en` would go unheard: it is called `lang`.
    """

    file: Annotated[UploadFile, Meta(description="The recording: wav, mp3, flac, m4a, or another container.")]
    lang: Annotated[
        str,
        Meta(
            description="The language spoken: `auto` (or nothing) detects it, `zh`, `en`, `ja`, `ko`, `yue`; "
            "in any case, as a tag or name too: `zh-TW`, `en_US`, `jp`, `Cantonese`, `zh-HK` (as `yue`).",
            examples=["auto", "zh", "en-US", "cantonese"],
        ),
    ] = "auto"
    itn: Annotated[
        bool,
        Meta(
            description="True writes numbers in digits, false leaves them in words; "
            "refused if the model has no such choice."
        ),
    ] = True
    punctuation: Annotated[
        bool,
        Meta(description="False removes punctuation, but not within words and numbers: `don't`, `3.14`."),
    ] = True
    replace: Annotated[
        str,
        Meta(
            description="What the model mishears and what it shall be, `misheard=right`: a pair a line, or "
            f"separated by commas; at most {replacements.MAX_PAIRS} of {replacements.MAX_CHARS} characters. "
            "Whole words in any case, or anywhere in Chinese, Japanese and Korean; at each place the longest "
            "that fits, and what was put right is not looked at again.",
            examples=["quin tet=Quintet,昆特=Quintet"],
        ),
    ] = ""

    def options(self, *, vad: bool) -> Options:
        """What the form asks of the job.

        Raises:
            BadOption: `lang` means no language of ours, or `replace` cannot be read.
        """
        return Options(
            language=languages.code(self.lang),
            itn=self.itn,
            punctuation=self.punctuation,
            replacements=replacements.parse(self.replace),
            vad=vad,
        )


class AsrForm(RecordingForm, frozen=True, kw_only=True):
    """The multipart form of `/asr` and `/asr_simple`."""

    details: Annotated[bool, Meta(description="True adds `segments` to the answer.")] = False


class AsrAnswer(Struct, frozen=True, kw_only=True):
    """What was heard, and how the segments fared."""

    code: Annotated[int, Meta(description="0: the job is done.", examples=[0])] = 0
    msg: Annotated[str, Meta(examples=["ok"])] = "ok"
    data: Annotated[
        str,
        Meta(
            description="SubRip subtitles, or plain text from `/asr_simple`; empty where nothing was said.",
            examples=["1\n00:00:00,330 --> 00:00:03,120\nHello, world.\n"],
        ),
    ]
    stats: Stats
    segments: Annotated[
        tuple[render.SegmentDetails, ...] | UnsetType,
        Meta(
            description="With `details` only: each segment, in order of time, with all that the model knows "
            "of it. Times are milliseconds from the start of the recording; null is what the model does not "
            "know; `error` says why a segment failed, else it is null."
        ),
    ] = UNSET


_ERRORS = UPLOAD_ERRORS | {
    409: "The job was cancelled by `DELETE /jobs/{id}`.",
    415: "Not a supported container.",
    422: "The form or a field is bad, the audio cannot be read, or the model cannot do what is asked.",
    504: "No progress within `ASR_REQUEST_TIMEOUT_S`; the job named goes on at `/jobs/{id}`.",
}

_FormBody = Annotated[AsrForm, Body(media_type=RequestEncodingType.MULTI_PART)]

_RESPONSES = {
    status: ResponseSpec(
        AsrFailure,
        description=meaning,
        generate_examples=False,
        examples=[Example(value={"code": status, "msg": meaning})],
    )
    for status, meaning in _ERRORS.items()
}

_options: dict[str, Any] = {
    "status_code": 200,
    "responses": _RESPONSES,
    "tags": ["Recognition"],
    "guards": [has_room],
    "opt": {WAITED_FOR: True},
}


@post("/asr", summary="Subtitles of a recording", **_options)
async def asr(data: _FormBody, recognizer: Recognizer, caller: Caller, request: GuardedRequest) -> AsrAnswer:
    """Cut the recording by voice activity, recognise its segments in parallel, answer with SubRip."""
    transcript = await recognizer.transcribe(data.file, data.options(vad=True), caller, request.receive)
    return _answer(await asyncio.to_thread(render.srt, transcript), transcript, data)


@post("/asr_simple", summary="Text of a recording", **_options)
async def asr_simple(
    data: _FormBody, recognizer: Recognizer, caller: Caller, request: GuardedRequest
) -> AsrAnswer:
    """Recognise the whole recording, pauses included, and answer with plain text."""
    transcript = await recognizer.transcribe(data.file, data.options(vad=False), caller, request.receive)
    return _answer(render.plain_text(transcript), transcript, data)


def _answer(text: str, transcript: Transcript, form: AsrForm) -> AsrAnswer:
    segments = render.details(transcript) if form.details else UNSET
    return AsrAnswer(data=text, stats=transcript.stats, segments=segments)
