"""Who may import whom, from `actors` up to `loadtest`; and no model library in the API process."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Package → packages of ours it may import besides itself.
MAY_IMPORT = {
    "actors": set(),
    "monitoring": {"actors"},
    "api": {"actors", "monitoring"},
    "deploy": {"actors", "monitoring"},
    "loadtest": {"actors", "monitoring", "deploy"},
}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_import_direction(package: str) -> None:
    """No module reaches up."""
    ours = {*MAY_IMPORT, "tests"}
    reached = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / package).rglob("*.py")
        for module in imported(path)
        if module in ours - MAY_IMPORT[package] - {package}
    }

    assert reached == set()


def imported(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


HEAVY = {"torch", "funasr", "ctranslate2", "faster_whisper", "av", "numba", "transformers"}


@pytest.mark.parametrize("modules", ["api.app, monitoring.monitor", "actors.courier"])
def test_who_loads_no_model_library(modules: str) -> None:
    """Whatever the API and the courier import, they stay small and start at once."""
    code = f"import sys, {modules}; print(*{HEAVY!r} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
