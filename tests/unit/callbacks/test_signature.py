"""Signatures, as an independent implementation of Standard Webhooks sees them."""

import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from actors.callbacks.signature import headers, key
from tests.receiver import SECRET

BODY = '{"type":"job.done","text":"你好"}'.encode()


@pytest.mark.parametrize("secret", [SECRET, SECRET.rstrip("="), "whsec_" + "Zm9v" * 8])
def test_verified(secret: str) -> None:
    """The library accepts what we sign with the same secret, padded or not."""
    signed = headers(key(secret), "0b4f", int(time.time()), BODY)

    assert Webhook(secret).verify(BODY, signed) == {"type": "job.done", "text": "你好"}


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_anything_else_is_not(part: str) -> None:
    """Id, time, body and key are all signed."""
    now = int(time.time())
    signed = headers(key(SECRET), "0b4f", now, BODY)
    other = {"webhook-id": "0b40", "webhook-timestamp": str(now - 1)}
    body = BODY + b" " if part == "body" else BODY
    receiver = Webhook("whsec_" + "Zm9v" * 8 if part == "secret" else SECRET)

    with pytest.raises(WebhookVerificationError):
        receiver.verify(body, signed | ({part: other[part]} if part in other else {}))


def test_the_example_of_the_specification() -> None:
    """Another computation of the same, with the values that its libraries are tested with."""
    signed = headers(
        key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
