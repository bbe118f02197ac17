"""A model folder in FunASR's format: tokenizer, CMVN, config and weights, named as SenseVoiceSmall's are."""

import io
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import sentencepiece
import torch
import yaml
from numpy.typing import NDArray

from tests.sensevoice.features import FRONTEND_CONF, Heard
from tests.sensevoice.synthesize import WORDS, words

BPE_NAME: Final = "chn_jpn_yue_eng_ko_spectok.bpe.model"

EMOTIONS: Final = ("NEUTRAL", "HAPPY", "EMO_UNKNOWN")
EVENTS: Final = ("Speech", "BGM", "Event_UNK")
TEXT_NORMS: Final = ("withitn", "woitn")

#: Language → row of the model's query embedding, as in FunASR's `lid_dict`.
LANGUAGE_ROWS: Final = {"zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12, "nospeech": 13}
TEXT_NORM_ROWS: Final = {"withitn": 14, "woitn": 15}

#: With these pieces every word of every language is one token. Ids go to 124, which FunASR's timestamps use
#: for a piece that they cannot encode.
_PIECES: Final = 125

MODEL_CONF: Final[dict[str, Any]] = {
    "length_normalized_loss": True,
    "sos": 1,
    "eos": 2,
    "ignore_id": -1,
}
ENCODER_CONF: Final[dict[str, Any]] = {
    "output_size": 128,
    "attention_heads": 4,
    "linear_units": 512,
    "num_blocks": 4,
    "tp_blocks": 2,
    "dropout_rate": 0.0,
    "positional_dropout_rate": 0.0,
    "attention_dropout_rate": 0.0,
    "input_layer": "pe",
    "pos_enc_class": "SinusoidalPositionEncoder",
    "normalize_before": True,
    "kernel_size": 11,
    "sanm_shfit": 0,
    "selfattention_layer_type": "sanm",
}


def tag(name: str) -> str:
    """The token of a language, an emotion, an event or a text norm."""
    return f"<|{name}|>"


def train_tokenizer(path: Path) -> None:
    """A BPE of the ten words of each language, the ten digits, and the tags as symbols of their own."""
    english = [f"{first} {second}" for first in WORDS["en"] for second in WORDS["en"]]
    others = [word for language in ("ja", "ko", "zh") for word in WORDS[language]]
    names = (*LANGUAGE_ROWS, *EMOTIONS, *EVENTS, *TEXT_NORMS)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(3 * (others + list("0123456789") + english)),
        model_writer=model,
        model_type="bpe",
        vocab_size=_PIECES,
        user_defined_symbols=[tag(name) for name in names],
        add_dummy_prefix=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())


def write_cmvn(path: Path, features: NDArray[np.float32]) -> None:
    """Mean and variance of LFR features [frames, 560], in the text format of Kaldi's nnet1."""
    shift, scale = -features.mean(0, dtype=np.float64), 1 / features.std(0, dtype=np.float64)
    size = features.shape[1]
    path.write_text(
        "<Nnet> \n"
        f"<Splice> {size} {size} \n[ 0 ]\n"
        f"<AddShift> {size} {size} \n<LearnRateCoef> 0 [ {_row(shift)} ] \n"
        f"<Rescale> {size} {size} \n<LearnRateCoef> 0 [ {_row(scale)} ] \n"
        "</Nnet> \n"
    )


def _row(values: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.7g}" for value in values)


def write_config(folder: Path) -> None:
    """`config.yaml` and `configuration.json`."""
    config = {
        "encoder": "SenseVoiceEncoderSmall",
        "encoder_conf": ENCODER_CONF,
        "model": "SenseVoiceSmall",
        "model_conf": MODEL_CONF,
        "tokenizer": "SentencepiecesTokenizer",
        "tokenizer_conf": {"bpemodel": None, "unk_symbol": "<unk>", "split_with_space": True},
        "frontend": "WavFrontend",
        "frontend_conf": {**FRONTEND_CONF, "cmvn_file": None},
        "ctc_conf": {"dropout_rate": 0.0, "ctc_type": "builtin", "reduce": True, "ignore_nan_grad": True},
        "normalize": None,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    files = {
        "init_param": "model.pt",
        "config": "config.yaml",
        "tokenizer_conf": {"bpemodel": BPE_NAME},
        "frontend_conf": {"cmvn_file": "am.mvn"},
    }
    configuration = {
        "framework": "pytorch",
        "task": "auto-speech-recognition",
        "model": {"type": "funasr"},
        "pipeline": {"type": "funasr-pipeline"},
        "file_path_metas": files,
    }
    (folder / "configuration.json").write_text(json.dumps(configuration, indent=2) + "\n")


def write_weights(folder: Path, model: torch.nn.Module) -> None:
    """`model.pt`: the state dict, float32."""
    torch.save(model.state_dict(), folder / "model.pt")


def written(example: Heard, norm: str) -> str:
    """What the model says of an example: four tags, then the text in words or, with ITN, in digits."""
    tags = "".join(map(tag, (example.language, example.emotion, example.event, norm)))
    return tags + (example.digits if norm == "withitn" else words(example.language, example.digits))
