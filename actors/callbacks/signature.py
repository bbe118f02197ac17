"""Signatures as Standard Webhooks has them, https://www.standardwebhooks.com."""

import base64
import hashlib
import hmac


def key(secret: str) -> bytes:
    """The key of `ASR_CALLBACK_SECRET`: what is base64 behind `whsec_`."""
    encoded = secret.removeprefix("whsec_")
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)


def headers(key: bytes, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of a message sent at Unix time `at_s`; sent again it keeps its id."""
    signed = f"{message_id}.{at_s}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{signature}",
    }
