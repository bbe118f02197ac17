"""The Lua scripts of the store, by name."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent

ADMIT: Final = (_FOLDER / "admit.lua").read_text()
ADD_CHUNK: Final = (_FOLDER / "add_chunk.lua").read_text()
KEEP: Final = (_FOLDER / "keep.lua").read_text()
ABANDON: Final = (_FOLDER / "abandon.lua").read_text()
BEGIN: Final = (_FOLDER / "begin.lua").read_text()
PROGRESS: Final = (_FOLDER / "progress.lua").read_text()
ADD_SEGMENT: Final = (_FOLDER / "add_segment.lua").read_text()
CLOSE_CUT: Final = (_FOLDER / "close_cut.lua").read_text()
FINISH_SEGMENT: Final = (_FOLDER / "finish_segment.lua").read_text()
SWEEP: Final = (_FOLDER / "sweep.lua").read_text()
END_JOB: Final = (_FOLDER / "end_job.lua").read_text()
