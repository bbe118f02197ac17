"""From Redis hashes back to records."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from actors.records import Job, Options


def encode_job(job: Job) -> dict[str, str | int]:
    """A job as the fields of its hash; what is None is left out."""
    fields: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(job).items() if value is not None
    }
    return fields | {
        "options": msgspec.json.encode(job.options).decode(),
        "cut": int(job.cut),
        "state": job.state.value,
    }


def pairs(flat: Sequence[Any]) -> dict[bytes, bytes]:
    """A hash from its fields and values in turn, as scripts hand it out."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def decode_job(fields: Mapping[Any, Any]) -> Job | None:
    """A job from the fields of its hash; None where there is no hash."""
    if not fields:
        return None
    values: dict[str, Any] = {name.decode(): value.decode() for name, value in fields.items()}
    values["options"] = msgspec.json.decode(values["options"], type=Options)
    return msgspec.convert(values, Job, strict=False)
