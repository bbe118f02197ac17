"""OpenAI's `/v1/audio/transcriptions` and `/v1/models`, so that its clients work here with another base URL.

Contract: https://platform.openai.com/docs/api-reference/audio/createTranscription. What a parameter of it
cannot do here is refused, not ignored.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final, Literal

import anyio
import msgspec
import redis
from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Body
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Meta, Struct, field

from actors import languages
from actors.records import Capabilities, Job, Language, Options, Transcript
from api import render
from api.callers import SECURITY, Caller, known_caller, while_known
from api.error_answers import UPLOAD_ERRORS, OpenAiFailure, answer_openai, openai_error
from api.errors import Interrupted, Refused, UnknownModel
from api.failures import describe
from api.form_guard import GuardedRequest
from api.instances import InstancePool
from api.intake import WAITED_FOR, Recognizer, has_room
from api.job_events import JobStream
from api.openai_answers import Delta, Done, brief, usage, verbose
from api.results import FORMATS, AnyFormat

#: OpenAI's own names, which its clients have written into them: here they mean the model that runs.
ALIASES: Final = ("whisper-1", "gpt-transcribe", "gpt-4o-transcribe", "gpt-4o-mini-transcribe")

Granularity = Literal["word", "segment"]
ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]


class TranscriptionForm(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The multipart form of `/v1/audio/transcriptions`; unknown fields are refused."""

    file: Annotated[UploadFile, Meta(description="The recording: flac, mp3, mp4, m4a, ogg, wav, webm, …")]
    model: Annotated[str, Meta(description="A model of `/v1/models`.")]
    language: Annotated[str, Meta(description="The language spoken; without it, it is detected.")] = ""
    prompt: Annotated[str, Meta(description="Accepted; the models here cannot be guided by it.")] = ""
    response_format: ResponseFormat = "json"
    temperature: Annotated[float, Meta(description="Only 0: recognition is deterministic.")] = 0.0
    timestamp_granularities: Annotated[
        Granularity | list[Granularity],
        Meta(description="With `verbose_json`: `segment`, `word` if the model knows word times, or both."),
    ] = field(name="timestamp_granularities[]", default="segment")
    stream: Annotated[
        bool, Meta(description="With `json` and `text`: server-sent events, a segment's text as it is heard.")
    ] = False
    chunking_strategy: Annotated[
        Literal["auto"], Meta(description="Recordings are always cut by voice activity.")
    ] = "auto"

    def wants(self, granularity: Granularity) -> bool:
        """Whether the answer is to have times of that kind."""
        asked = self.timestamp_granularities
        return granularity in ([asked] if isinstance(asked, str) else asked)


class Model(Struct, frozen=True):
    """A model of `/v1/models`."""

    id: str
    created: int = 0
    object: Literal["model"] = "model"
    owned_by: str = "quintet"


class ModelList(Struct, frozen=True):
    """The answer of `/v1/models`."""

    data: tuple[Model, ...]
    object: Literal["list"] = "list"


_ERRORS: Final = UPLOAD_ERRORS | {
    400: "A parameter is bad, unknown or not supported, or the audio cannot be read; `param` names it.",
    404: "There is no such model.",
    409: "The job was cancelled by `DELETE /jobs/{id}`.",
    504: "No progress within `ASR_REQUEST_TIMEOUT_S`.",
}

_RESPONSES: Final = {
    status: ResponseSpec(
        OpenAiFailure,
        description=meaning,
        generate_examples=False,
        examples=[Example(value=msgspec.to_builtins(openai_error(status, meaning)))],
    )
    for status, meaning in _ERRORS.items()
}


@get(
    "/models",
    summary="The models",
    tags=["OpenAI"],
    responses={status: _RESPONSES[status] for status in (401, 503)},
)
async def models(pool: InstancePool) -> ModelList:
    """The model that runs, and the names of OpenAI's that mean it."""
    able = await pool.capabilities()
    return ModelList(tuple(map(Model, (able.model, *ALIASES))))


@get(
    "/models/{name:str}",
    summary="A model",
    tags=["OpenAI"],
    responses={status: _RESPONSES[status] for status in (401, 404, 503)},
)
async def model(name: str, pool: InstancePool) -> Model:
    """One of them."""
    _check_model(name, await pool.capabilities())
    return Model(name)


@post(
    "/audio/transcriptions",
    status_code=200,
    summary="Transcribe, in OpenAI's way",
    operation_class=AnyFormat,
    tags=["OpenAI"],
    responses=_RESPONSES,
    guards=[has_room],
    opt={WAITED_FOR: True},
)
async def transcriptions(
    data: Annotated[TranscriptionForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    recognizer: Recognizer,
    caller: Caller,
    request: GuardedRequest,
) -> Response[Any]:
    """A recording in; text, subtitles or text with times out, at once or as it is heard."""
    _check(data, await recognizer.pool.capabilities())
    options = Options(language=_language(data.language))
    if data.stream:
        job = await recognizer.submit(data.file, options, caller, waited_for=True)
        return ServerSentEvent(while_known(request, _deltas(recognizer, job)))
    transcript = await recognizer.transcribe(data.file, options, caller, request.receive)
    return await asyncio.to_thread(_answer, transcript, data)


def router(max_body_bytes: int) -> Router:
    """All of `/v1`."""
    return Router(
        path="/v1",
        route_handlers=[models, model, transcriptions],
        exception_handlers={Exception: answer_openai},
        guards=[known_caller],
        security=SECURITY,
        request_class=GuardedRequest,
        request_max_body_size=max_body_bytes,
    )


def _check(form: TranscriptionForm, able: Capabilities) -> None:
    _check_model(form.model, able)
    if form.temperature:
        raise Refused(400, "temperature: only 0 is supported; recognition is deterministic")
    if form.stream and form.response_format not in {"json", "text"}:
        raise Refused(400, "stream: only with response_format json or text")
    if form.wants("word") and form.response_format != "verbose_json":
        raise Refused(400, "timestamp_granularities[]: word times come with response_format verbose_json")
    if form.wants("word") and not able.words:
        raise Refused(400, f"timestamp_granularities[]: {able.model} does not know word times")


def _language(name: str) -> Language:
    try:
        return languages.code(name)
    except languages.UnknownLanguage as error:
        raise Refused(400, str(error).replace("lang:", "language:", 1)) from None


def _check_model(name: str, able: Capabilities) -> None:
    if name not in {able.model, *ALIASES}:
        raise UnknownModel(name, (able.model, *ALIASES))


def _answer(transcript: Transcript, form: TranscriptionForm) -> Response[Any]:
    match form.response_format:
        case "json":
            return Response(brief(transcript))
        case "verbose_json":
            segments, words = form.wants("segment"), form.wants("word")
            return Response(verbose(transcript, segments=segments, words=words))
        case "text":
            return Response(render.plain_text(transcript) + "\n", media_type=FORMATS["txt"].media_type)
        case "srt" | "vtt" as name:
            return Response(FORMATS[name].render(transcript), media_type=FORMATS[name].media_type)


async def _deltas(recognizer: Recognizer, job: Job) -> AsyncGenerator[ServerSentEventMessage, None]:
    """The text as it is heard, then all of it, or the error; a client that hangs up cancels the job."""
    stream = JobStream(recognizer.store, recognizer.follower, recognizer.listener)
    text = ""
    try:
        async for line in stream.lines(job.id):
            if line is None:
                await recognizer.check_progress(job.id)
                yield ServerSentEventMessage(data=None, comment="still here")
            elif line.utterance and line.utterance.text:
                longer = render.join(filter(None, (text, line.utterance.text)))
                yield _message(Delta(longer[len(text) :]))
                text = longer
        transcript = await _result(recognizer, job)
        yield _message(Done(text, usage(transcript)))
    except (GeneratorExit, asyncio.CancelledError):
        # Litestar cancels by a scope, in which every further wait would be cancelled too.
        with anyio.CancelScope(shield=True), contextlib.suppress(redis.RedisError):
            await recognizer.store.cancel(job.id)
        raise
    except Exception as error:  # noqa: BLE001 - the answer has begun: only the stream can say it
        failure = describe(error)
        yield _message(openai_error(failure.status, failure.message))


async def _result(recognizer: Recognizer, job: Job) -> Transcript:
    if recognizer.listener.closed:
        raise Interrupted(job)
    return await recognizer.result_of(job.id)


def _message(event: Struct) -> ServerSentEventMessage:
    return ServerSentEventMessage(data=msgspec.json.encode(event).decode())
