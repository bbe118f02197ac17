"""What comes from Redis, a client or a file is data: nothing of ours runs what it reads."""

import ast
from collections.abc import Iterator
from pathlib import Path

import dramatiq
import pytest
from dramatiq.results.backends.redis import RedisBackend

from actors.queue import broker, sender
from actors.queue.messages import deliver_callback, recognize_segment, segment_job
from actors.records import Lane
from tests.unit.test_layers import ROOT, imported

#: They make objects, or run code, out of bytes.
RUN_WHAT_THEY_READ = {"pickle", "cPickle", "dill", "cloudpickle", "jsonpickle", "joblib", "marshal", "shelve"}

PACKAGES = ("actors", "api", "monitoring", "deploy", "loadtest")


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_imports_pickle(package: str) -> None:
    """Nor what is like it; nor is anything evaluated."""
    for path in (ROOT / package).rglob("*.py"):
        assert not RUN_WHAT_THEY_READ & set(imported(path)), path
        assert not {"eval", "exec"} & set(called(path)), path


@pytest.mark.parametrize("package", PACKAGES)
def test_loaders_are_told_not_to(package: str) -> None:
    """`torch.load` reads weights only, `numpy.load` no objects, YAML no tags."""
    for path in (ROOT / package).rglob("*.py"):
        for call in calls(path):
            said = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            match ast.unparse(call.func):
                case "torch.load":
                    assert said.get("weights_only") == "True", path
                case "np.load" | "numpy.load":
                    assert said.get("allow_pickle", "False") == "False", path
                case "yaml.load" | "yaml.unsafe_load" | "yaml.full_load":
                    raise AssertionError(path)
                case _:
                    pass


def test_messages_and_results_are_json() -> None:
    """Dramatiq could be told to pickle; it has not been."""
    assert isinstance(dramatiq.get_encoder(), dramatiq.JSONEncoder)
    assert isinstance(RedisBackend(url="redis://127.0.0.1:1").encoder, dramatiq.JSONEncoder)  # type: ignore[no-untyped-call]
    assert not [name for module in (broker, sender) for name in vars(module) if "Encoder" in name]
    for message in (segment_job("j", Lane.SHORT), recognize_segment("j", 1), deliver_callback("j")):
        assert message.encode().startswith(b"{")


def calls(path: Path) -> Iterator[ast.Call]:
    """All calls in a file."""
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def called(path: Path) -> Iterator[str]:
    """The functions that a file calls by a plain name."""
    return (call.func.id for call in calls(path) if isinstance(call.func, ast.Name))
