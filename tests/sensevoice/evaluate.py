# ruff: noqa: T201 (it talks to people)
"""How well the small SenseVoice hears digit strings it was not trained on, through FunASR's `AutoModel`.

Needs the program espeak-ng (`apt-get install espeak-ng`).

    python -m tests.sensevoice.evaluate [--number 500] [--folder tests/sensevoice/model]
"""

import argparse
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

from funasr import AutoModel
from msgspec import Struct

from tests.sensevoice import MODEL
from tests.sensevoice.folder import tag
from tests.sensevoice.synthesize import LANGUAGES, Clip, held_out

_TAGS: Final = re.compile(r"<\|([^|]*)\|>")


class Mode(Struct, frozen=True):
    """One way to ask: with the language or without, in words or in digits."""

    name: str
    told: bool
    with_itn: bool


MODES: Final = (
    Mode("auto, words", told=False, with_itn=False),
    Mode("told, words", told=True, with_itn=False),
    Mode("auto, digits", told=False, with_itn=True),
    Mode("told, digits", told=True, with_itn=True),
)


def load(folder: Path) -> Any:
    """The model as FunASR loads it, without dither."""
    quiet = {"disable_update": True, "disable_pbar": True, "log_level": "ERROR"}
    model = AutoModel(model=str(folder), device="cpu", **quiet)
    model.kwargs["frontend"].dither = 0.0
    return model


def say(model: Any, clip: Clip, mode: Mode) -> str:
    """What FunASR returns for a clip: tags and text."""
    language = clip.utterance.language if mode.told else "auto"
    heard = model.generate(input=clip.samples, language=language, use_itn=mode.with_itn, batch_size=1)
    return str(heard[0]["text"])


def score(model: Any, clips: list[Clip], mode: Mode) -> Counter[tuple[str, str]]:
    """Language and what came out right → number of clips."""
    right: Counter[tuple[str, str]] = Counter()
    for clip in clips:
        said, utterance = say(model, clip, mode), clip.utterance
        expected = utterance.digits if mode.with_itn else utterance.text
        right[utterance.language, "clips"] += 1
        right[utterance.language, "text"] += _TAGS.sub("", said) == expected
        right[utterance.language, "language"] += said.startswith(tag(utterance.language))
        right[utterance.language, "emotion"] += tag("HAPPY" if utterance.happy else "NEUTRAL") in said
        right[utterance.language, "event"] += tag("Speech") in said
        right[utterance.language, "norm"] += tag("withitn" if mode.with_itn else "woitn") in said
    return right


def print_table(mode: Mode, right: Counter[tuple[str, str]]) -> None:
    """Percentages by language and in all."""
    names = ("text", "language", "emotion", "event", "norm")
    print(f"{mode.name:14}{'clips':>9}" + "".join(f"{name:>10}" for name in names))
    for row in (*((language,) for language in LANGUAGES), LANGUAGES):
        clips = sum(right[language, "clips"] for language in row)
        shares = [100 * sum(right[language, name] for language in row) / clips for name in names]
        label = row[0] if len(row) == 1 else "all"
        print(f"{label:14}{clips:9}" + "".join(f"{share:9.1f}%" for share in shares))
    print()


def main() -> None:
    """Reads the command line, prints a table for each mode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=MODEL)
    parser.add_argument("--number", type=int, default=500)
    arguments = parser.parse_args()
    model, clips = load(arguments.folder), list(held_out(arguments.number))
    for mode in MODES:
        print_table(mode, score(model, clips, mode))


if __name__ == "__main__":
    main()
