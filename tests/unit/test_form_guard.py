"""An upload that does not end."""

from typing import Annotated, Any

import pytest
from litestar import Litestar, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from api.error_answers import answer_asr
from api.form_guard import GuardedRequest

HALF = b'--x\r\nContent-Disposition: form-data; name="lang"\r\n\r\ne'


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("come", [[], [HALF]])
async def test_a_client_that_hangs_up(come: list[bytes]) -> None:
    """It is at fault, not the service, and nobody reads the answer."""

    @post("/asr")
    async def asr(data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.MULTI_PART)]) -> str:
        return str(data)

    app: Any = Litestar([asr], request_class=GuardedRequest, exception_handlers={Exception: answer_asr})
    messages = [{"type": "http.request", "body": body, "more_body": True} for body in come]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    scope = {"type": "http", "method": "POST", "path": "/asr", "headers": headers, "query_string": b""}
    await app(scope, receive, send)

    assert sent[0]["status"] == 499
