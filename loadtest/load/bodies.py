"""What is sent: forms with a recording, encoded once and sent many times."""

import os
from typing import Final

import httpx
from msgspec import Struct

from loadtest.corpus import Recording
from loadtest.plan import Endpoint, Plan

#: Where each endpoint is; that of OpenAI streams if the form asks for it.
PATHS: Final = {
    Endpoint.ASR: "/asr",
    Endpoint.ASR_SIMPLE: "/asr_simple",
    Endpoint.JOBS: "/jobs",
    Endpoint.OPENAI: "/v1/audio/transcriptions",
    Endpoint.STREAM: "/v1/audio/transcriptions",
}

#: A name of OpenAI's, which every server that speaks its contract takes for its own model.
MODEL: Final = "whisper-1"


class Body(Struct, frozen=True):
    """A multipart form."""

    content_type: str
    content: bytes


def body(recording: Recording, plan: Plan) -> Body:
    """The form that hands a recording in.

    Raises:
        OSError: the recording cannot be read.
    """
    name = os.fsencode(recording.path.name).decode(errors="replace")  # a name need not be UTF-8
    file = (name, recording.path.read_bytes())
    form = httpx.Request("POST", plan.api_url, data=_fields(plan), files={"file": file})
    return Body(form.headers["content-type"], form.read())


def _fields(plan: Plan) -> dict[str, str]:
    match plan.endpoint:
        case Endpoint.OPENAI | Endpoint.STREAM:
            known = {} if plan.language == "auto" else {"language": plan.language}
            streamed = {"stream": "true"} if plan.endpoint is Endpoint.STREAM else {}
            return {"model": MODEL} | known | streamed
        case _:
            return {"lang": plan.language}
