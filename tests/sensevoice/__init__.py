"""A small SenseVoice for the tests, recordings that it hears, and the scripts that made both."""

from pathlib import Path
from typing import Final

MODEL: Final = Path(__file__).parent / "model"

#: `<language>/<digits>.wav`, beside each its `.txt`, the digits in words; the model was not trained on them.
SAMPLES: Final = Path(__file__).parent / "samples"
