"""Many files before several judges at once."""

import itertools
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from tests.fuzz.mutations import Damaged
from tests.fuzz.verdict import Verdict

#: What makes a judge, which tells what becomes of a file.
OpenJudge = Callable[[], AbstractContextManager[Callable[[Path], Verdict]]]


class Judged(Struct, frozen=True):
    """A file, and what became of it."""

    file: Damaged
    verdict: Verdict


def tried(files: Iterable[Damaged], open_judge: OpenJudge, at_once: int) -> list[Judged]:
    """What becomes of files; the contents of those that break no promise are forgotten."""
    done: list[Judged] = []
    waiting, lock = iter(files), threading.Lock()

    def work(folder: str, worker: int) -> None:
        path = Path(folder) / str(worker)
        with open_judge() as judge:
            while True:
                with lock:
                    file = next(waiting, None)
                if file is None:
                    return
                path.write_bytes(file.content)
                verdict = judge(path)
                done.append(Judged(file if verdict.is_defect else file.without_content(), verdict))

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(at_once) as workers:
        list(workers.map(work, itertools.repeat(folder), range(at_once)))
    return done
