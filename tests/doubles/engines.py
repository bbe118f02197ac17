"""Engines that answer at once, fail, hang, or kill their process, as the audio or a file tells them to."""

import hashlib
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from typing_extensions import override

from actors.engines import sensevoice
from actors.engines.base import Hypothesis, Row
from actors.errors import DeviceLost, RecognitionFailed, StartupError
from actors.records import SAMPLE_RATE_HZ, Capabilities


class InstantEngine:
    """Answers at once with the number of samples it was given."""

    pads = False

    capabilities = Capabilities(
        model="instant",
        languages=("auto", "zh", "en", "ja", "ko", "yue"),
        itn=True,
        emotion=False,
        words=False,
    )

    def load(self, device: str, threads: int) -> None:
        """There is nothing to load."""

    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Say how long each row is."""
        return [Hypothesis(text=f"{len(row.samples)} samples", language=row.language) for row in batch]


class BrokenEngine(InstantEngine):
    """Cannot be loaded."""

    REASON = "there is not enough memory on this GPU"

    @override
    def load(self, device: str, threads: int) -> None:
        """Refuse."""
        raise StartupError(self.REASON)


class EndlessEngine(InstantEngine):
    """Is never done loading."""

    @override
    def load(self, device: str, threads: int) -> None:
        """Wait until the process is killed."""
        signal.pause()


class SlowEngine(InstantEngine):
    """Takes a second for each batch."""

    @override
    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Say how long each row is, after a second."""
        time.sleep(1)
        return super().recognize(batch)


class GrowingEngine(InstantEngine):
    """Loses memory with each batch."""

    LOST_MB = 32

    def __init__(self) -> None:
        self._lost: list[bytes] = []

    @override
    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Keep what nobody needs."""
        self._lost.append(b"x" * (self.LOST_MB << 20))
        return super().recognize(batch)


class MoodyEngine(InstantEngine):
    """Fails on samples of `FAILS`, loses its device on `LOSES`, and kills its process on `KILLS`."""

    FAILS = 1_000
    KILLS = 2_000
    LOSES = 3_000

    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Obey the first sample of each row."""
        for row in batch:
            match round(float(np.round(row.samples[0] * 32_768))):
                case self.FAILS:
                    raise RecognitionFailed("this segment always fails")
                case self.LOSES:
                    raise DeviceLost("unspecified launch failure")
                case self.KILLS:
                    os.kill(os.getpid(), signal.SIGKILL)
                case _:
                    pass
        return super().recognize(batch)


class FaultyEngine(InstantEngine):
    """Answers with a digest of each row, so that no two recordings are mistaken for each other.

    It takes a twentieth of their length. A file `hang-instance-2` where the service runs makes it hang in
    that instance, `lose-instance-2` lets it lose its device there: once, for the file goes.
    """

    HANG = "hang"
    LOSE = "lose"

    @override
    def recognize(self, batch: Sequence[Row]) -> list[Hypothesis]:
        """Obey the files, else name each row."""
        if self._told_to(self.HANG):
            signal.pause()
        if self._told_to(self.LOSE):
            import torch

            lost = torch.AcceleratorError("CUDA error: unspecified launch failure")
            raise sensevoice._failure(lost)
        time.sleep(sum(len(row.samples) for row in batch) / SAMPLE_RATE_HZ / 20)
        return [Hypothesis(text=self._name(row), language=row.language) for row in batch]

    def _told_to(self, what: str) -> bool:
        try:
            Path(f"{what}-{os.environ['SUPERVISOR_PROCESS_NAME']}").unlink()
        except FileNotFoundError:
            return False
        return True

    def _name(self, row: Row) -> str:
        return hashlib.blake2b(row.samples.tobytes(), digest_size=6).hexdigest()


class HeldEngine(InstantEngine):
    """Is not done loading as long as there is a file `hold` where the service runs."""

    HOLD = Path("hold")

    @override
    def load(self, device: str, threads: int) -> None:
        """Wait for the file to go."""
        while self.HOLD.exists():
            time.sleep(0.1)
