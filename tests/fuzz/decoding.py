"""Files straight through decode and VAD, in a child process that may die of them.

The child is this module: `python -m tests.fuzz.decoding` reads paths, a line each, and answers each with one.
"""

import contextlib
import io
import itertools
import queue
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Final, Self, cast

import msgspec
import psutil
from typing_extensions import override

from actors import weights
from actors.audio.memory_bound import ROOM_BYTES, bound_memory
from actors.audio.recording import open_recording
from actors.audio.segments import by_speech
from actors.audio.vad import VoiceActivityDetector
from actors.errors import JobError
from actors.store.keys import CHUNK_BYTES
from actors.store.uploads import Chunks, UploadFile
from tests.fuzz.verdict import Outcome, Verdict

#: A file of three seconds takes a twentieth of a second; what has no answer after this hangs.
HANGS_S: Final = 60.0

#: A file may add so much to the most that the child has ever taken: its bound, and what holds the file here.
GROWTH_MB: Final = (ROOM_BYTES >> 20) + 300

#: What a child does before its first answer, on a slow machine.
_LOADS_S: Final = 120.0

#: Audio of one file that is looked at, in place of ASR_MAX_AUDIO_S.
_ENOUGH_MS: Final = 600_000


class Decoding:
    """A child that judges files; it is replaced when it dies or hangs."""

    def __init__(self) -> None:
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def __call__(self, path: Path) -> Verdict:
        """What becomes of a file."""
        with contextlib.suppress(BrokenPipeError):
            self._questions.write(f"{path}\n".encode())
            self._questions.flush()
        try:
            answer = self._answers.get(timeout=HANGS_S)
        except queue.Empty:
            verdict = Verdict(Outcome.HANGS, took_s=HANGS_S)
        else:
            if answer:
                return msgspec.json.decode(answer, type=Verdict)
            verdict = Verdict(Outcome.DIED, f"of signal {-self._process.wait()}")
        self._end()
        self._start()
        return verdict

    def _start(self) -> None:
        command = [sys.executable, "-m", "tests.fuzz.decoding"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._questions = cast("IO[bytes]", self._process.stdin)
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        lines = cast("IO[bytes]", self._process.stdout)
        self._listener = threading.Thread(target=_listen, args=(lines, self._answers), daemon=True)
        self._listener.start()
        self._answers.get(timeout=_LOADS_S)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        with contextlib.suppress(BrokenPipeError):
            self._questions.close()


def _listen(lines: IO[bytes], answers: "queue.SimpleQueue[bytes]") -> None:
    """Hands on each line, and an empty one when the child has ended."""
    with lines:
        for line in lines:
            answers.put(line)
    answers.put(b"")


def judged(path: Path, vad: VoiceActivityDetector) -> Verdict:
    """Decode a file and look for speech in it, as a segmenter does."""
    before_mb, began_s = _peak_mb(), time.perf_counter()
    outcome, said = _outcome(path, vad)
    took_s, peak_mb = time.perf_counter() - began_s, _peak_mb()
    if peak_mb - before_mb > GROWTH_MB:
        outcome, said = Outcome.SWELLS, f"by {peak_mb - before_mb} MB; {outcome}: {said}"
    return Verdict(outcome, said, round(took_s, 3), peak_mb)


def _outcome(path: Path, vad: VoiceActivityDetector) -> tuple[Outcome, str]:
    try:
        with io.BufferedReader(_upload(path)) as file, open_recording(file) as recording:
            chunks = itertools.takewhile(lambda _: recording.decoded_ms < _ENOUGH_MS, recording.chunks())
            return Outcome.HEARD, f"{len(list(by_speech(chunks, vad.stream())))} segments"
    except JobError as error:
        return Outcome.REFUSED, str(error)
    except MemoryError as error:  # tried again, and then refused
        return Outcome.REFUSED, f"too much memory: {error!r}"
    except Exception as error:  # noqa: BLE001 - what else may come is what is looked for
        return Outcome.BROKEN, repr(error)


def _upload(path: Path) -> UploadFile:
    """A file as a segmenter reads it, its chunks from the disk instead of Redis."""
    content = path.read_bytes()

    class Disk(Chunks):
        @override
        def upload_chunk(self, job_id: str, number: int) -> bytes:
            return content[number * CHUNK_BYTES : (number + 1) * CHUNK_BYTES]

    return UploadFile(Disk(), "", len(content))


def _peak_mb() -> int:
    """The most memory that this process has ever taken."""
    if psutil.LINUX:  # where `ru_maxrss` is at least that of the parent
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20


def main() -> None:
    """Answer for one file after the other, until there are no more."""
    vad = VoiceActivityDetector.load(weights.folder("fsmn-vad"), threads=1)
    bound_memory()
    print(flush=True)  # noqa: T201 - it is ready
    for line in sys.stdin:
        verdict = judged(Path(line.removesuffix("\n")), vad)
        print(msgspec.json.encode(verdict).decode(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
