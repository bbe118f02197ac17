"""A folder in FunASR's format, looked at without any of its libraries."""

from pathlib import Path

from actors.errors import StartupError

WEIGHTS = "model.pt"
CONFIG = "config.yaml"
CMVN = "am.mvn"


def check(folder: Path) -> Path:
    """The folder, if it has the files that every SenseVoice has.

    Raises:
        StartupError: a file is missing.
    """
    # FunASR would look in its hub for a model of that name.
    missing = [name for name in (CONFIG, WEIGHTS, CMVN) if not (folder / name).is_file()]
    if missing:
        raise StartupError(
            f"{folder} lacks {', '.join(missing)}: it must be a SenseVoice folder in FunASR's format"
        )
    return folder
