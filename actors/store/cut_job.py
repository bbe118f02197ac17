"""What a job is assembled from, as `cut_job.lua` hands it out."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from actors import results
from actors.records import Job, Line, Segment
from actors.store.hashes import decode_job, pairs

_spans = msgspec.json.Decoder(tuple[int, int])


class CutJob(Struct, frozen=True):
    """A job whose segments are all finished, and these in order of time."""

    job: Job
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, answer: Sequence[Sequence[bytes | None]] | None) -> "CutJob | None":
        """A job as the scripts answer it; None where it is not to be assembled."""
        if answer is None:
            return None
        fields, spans, outcomes, heard = answer
        job = decode_job(pairs(fields))
        if job is None:
            return None
        reasons = pairs(outcomes)
        parts = [
            (Segment(int(index), *_spans.decode(span)), reasons[index], stored)
            for (index, span), stored in zip(pairs(spans).items(), heard, strict=True)
        ]
        ordered = sorted(parts, key=lambda part: part[0].index)
        return cls(job, tuple(results.line(*part) for part in ordered))
