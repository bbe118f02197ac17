"""A folder of SenseVoice's weights is mapped, never executed, and refused where it does not fit."""

import pickle
import shutil
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from actors import settings, weights
from actors.engines import catalog
from actors.engines.int8.model import Int8Model
from actors.engines.sensevoice import SenseVoiceEngine
from actors.engines.sensevoice_model import SenseVoiceModel
from actors.errors import StartupError
from deploy import preflight
from tests.sensevoice import MODEL
from tests.sensevoice.marks import needs_avx2


def test_the_weights_are_the_file_itself() -> None:
    """On a CPU they are mapped, so that several instances hold them once together."""
    engine = SenseVoiceEngine(MODEL, "float32")
    engine.load("cpu", 1)
    assert isinstance(engine._model, SenseVoiceModel)

    weight = engine._model._model.encoder.encoders[0].feed_forward.w_1.weight

    assert _mapped_from(weight) == MODEL / "model.pt"


@needs_avx2
def test_weights_in_integers_are_a_file_too() -> None:
    """Made from the other by the first instance."""
    engine = SenseVoiceEngine(MODEL, "int8")
    engine.load("cpu", 1)
    assert isinstance(engine._model, Int8Model)

    levels = engine._model._encoder._layers[0].out.levels

    assert _mapped_from(levels).parent == settings.STATE_DIR / "int8"


def _mapped_from(tensor: torch.Tensor) -> Path:
    """The file whose pages a tensor is."""
    areas = psutil.Process().memory_maps(grouped=False)
    edges = [(area.path, [int(edge, 16) for edge in area.addr.split("-")]) for area in areas]
    return next(Path(path) for path, (start, end) in edges if start <= tensor.data_ptr() < end)


class _Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("/tmp/quintet-evil-pickle"),))  # pragma: no cover


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the trained model to be damaged."""
    return Path(shutil.copytree(MODEL, tmp_path / "mine"))


@pytest.mark.parametrize("unsafe", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_a_pickle_is_never_executed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, plain: bool, unsafe: bool
) -> None:
    """Weights that would run code are refused, also where torch was told to trust everything."""
    evil = Path("/tmp/quintet-evil-pickle")
    evil.unlink(missing_ok=True)
    if plain:
        (folder / "model.pt").write_bytes(pickle.dumps(_Evil()))
    else:
        torch.save({"state_dict": _Evil()}, folder / "model.pt")
    if unsafe:
        monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")

    with pytest.raises(StartupError, match="damaged, or holds more than weights"):
        SenseVoiceEngine(folder).load("cpu", 1)

    assert not evil.exists()


def test_code_in_the_folder_is_never_executed(folder: Path) -> None:
    """A configuration cannot ask for code of its own."""
    ran = folder / "ran"
    (folder / "model.py").write_text(f"open({str(ran)!r}, 'w')")
    with (folder / "config.yaml").open("a") as config:
        config.write(f"\ntrust_remote_code: true\nremote_code: {folder / 'model.py'}\n")

    SenseVoiceEngine(folder).load("cpu", 1)

    assert not ran.exists()


def test_weights_that_do_not_fit_are_refused(folder: Path) -> None:
    """FunASR would go on with random ones."""
    state = torch.load(folder / "model.pt", weights_only=True)
    del state["encoder.after_norm.weight"]
    torch.save(state, folder / "model.pt")

    with pytest.raises(StartupError, match=r"1 weights are missing .* encoder\.after_norm\.weight"):
        SenseVoiceEngine(folder).load("cpu", 1)


def test_a_folder_is_named_and_its_gaps_too(folder: Path) -> None:
    """A folder's model has the folder's name; the start names the file that it lacks."""
    assert catalog.create(str(folder)).capabilities.model == "mine"
    (folder / "model.pt").unlink()

    with pytest.raises(StartupError, match=r"mine lacks model\.pt"):
        catalog.create(str(folder)).load("cpu", 1)
    with pytest.raises(StartupError, match=r"mine lacks model\.pt"):
        preflight.check_model(str(folder))


def test_auto_takes_sensevoice_when_it_is_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the embedded Whisper; and the preflight looks at the one that is taken."""
    looked_at: list[str] = []
    monkeypatch.setattr(weights, "verify", looked_at.append)
    for present, expected in ((True, "sensevoice-small"), (False, "whisper-base")):
        monkeypatch.setattr(
            weights, "present", lambda name, here=present: here and name == "sensevoice-small"
        )

        assert catalog.create("auto").capabilities.model == expected
        preflight.check_model("auto")

        assert looked_at[-1] == expected


def test_missing_weights_are_a_startup_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its weights the engine refuses to load, and says how to get them."""
    monkeypatch.setattr("actors.settings.STATE_DIR", tmp_path)

    with pytest.raises(StartupError, match="fetch sensevoice-small"):
        catalog.create("sensevoice-small").load("cpu", 1)
