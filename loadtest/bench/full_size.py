"""SenseVoiceSmall's real architecture with random weights, in FunASR's folder format, for parity and speed.

Run as `python -m loadtest.bench.full_size FOLDER`. What it recognises is gibberish of a realistic number of
tokens.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from actors.audio.filter_bank import MELS
from actors.engines.base import Samples
from actors.engines.sensevoice_features import LFR_STACKED, Frontend
from actors.records import SAMPLE_RATE_HZ
from actors.settings import STATE_DIR

#: What the folder should be called: it is the model's name wherever the service shows it.
NAME = "sensevoice-random-weights"

VOCABULARY = 25_055
#: Where the tags lie in the real vocabulary (`lid_int_dict`, `emo_dict`, `textnorm_int_dict` in FunASR).
TAGS = {
    24_884: "zh", 24_885: "en", 24_888: "yue", 24_892: "ja", 24_896: "ko", 24_992: "nospeech",
    24_993: "Speech", 24_995: "BGM", 24_997: "Laughter", 24_999: "Applause",
    25_001: "HAPPY", 25_002: "SAD", 25_003: "ANGRY", 25_004: "NEUTRAL", 25_009: "EMO_UNKNOWN",
    25_016: "withitn", 25_017: "woitn",
}  # fmt: skip

CONFIG = """\
model: SenseVoiceSmall
model_conf: {{length_normalized_loss: true, sos: 1, eos: 2, ignore_id: -1}}
encoder: SenseVoiceEncoderSmall
encoder_conf:
  output_size: {size}
  attention_heads: 4
  linear_units: {linear_units}
  num_blocks: {blocks}
  tp_blocks: {tp_blocks}
  dropout_rate: 0.1
  positional_dropout_rate: 0.1
  attention_dropout_rate: 0.1
  input_layer: pe
  pos_enc_class: SinusoidalPositionEncoder
  normalize_before: true
  kernel_size: 11
  sanm_shfit: 0
  selfattention_layer_type: sanm
frontend: WavFrontend
frontend_conf:
  {{fs: 16000, window: hamming, n_mels: 80, frame_length: 25, frame_shift: 10, lfr_m: 7, lfr_n: 6}}
tokenizer: SentencepiecesTokenizer
tokenizer_conf: {{bpemodel: null, unk_symbol: <unk>, split_with_space: true}}
"""

FILES = {
    "init_param": "model.pt",
    "config": "config.yaml",
    "tokenizer_conf": {"bpemodel": "bpe.model"},
    "frontend_conf": {"cmvn_file": "am.mvn"},
}

#: Shift and scale of the order of the real ones.
CMVN = (-8.0, 0.2)

#: Of the frames, about these carry no token: Chinese has 4 to 5 characters in a second's 16.7 frames.
BLANK_SHARE = 0.72


def write(folder: Path, *, seed: int = 0, blocks: int = 50, tp_blocks: int = 20, size: int = 512) -> Path:
    """Fill `folder`; the same arguments give the same weights."""
    folder.mkdir(parents=True, exist_ok=True)
    config = CONFIG.format(size=size, linear_units=4 * size, blocks=blocks, tp_blocks=tp_blocks)
    (folder / "config.yaml").write_text(config)
    (folder / "configuration.json").write_text(json.dumps({"file_path_metas": FILES}))
    (folder / "am.mvn").write_text(_cmvn())
    (folder / "bpe.model").write_bytes(_sentencepieces())
    unfinished = folder / "model.unfinished"
    torch.save(_weights(config, seed), unfinished)
    unfinished.replace(folder / "model.pt")
    return folder


def kept() -> Path:
    """The full-size folder of this checkout, written when it is not there yet."""
    folder = STATE_DIR / "bench" / NAME
    return folder if (folder / "model.pt").is_file() else write(folder)


def _weights(config: str, seed: int) -> dict[str, torch.Tensor]:
    from omegaconf import OmegaConf

    from actors.funasr_quiet import quiet

    with quiet():
        from funasr.models.sense_voice.model import SenseVoiceSmall

    conf: Any = OmegaConf.to_container(OmegaConf.create(config))
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = SenseVoiceSmall(
            encoder=conf["encoder"],
            encoder_conf=conf["encoder_conf"],
            input_size=MELS * LFR_STACKED,
            vocab_size=VOCABULARY,
            **conf["model_conf"],
        ).eval()
        _tame(model)
        _bias_blank(model)
    weights: dict[str, torch.Tensor] = model.state_dict()
    return weights


@torch.inference_mode()
def _tame(model: Any) -> None:
    """Damp each block's output by 1/sqrt(2·blocks), as GPT-2 does, so that rounding does not grow.

    Trained weights do not amplify it either; undamped random ones do a hundredfold.
    """
    blocks = [*model.encoder.encoders, *model.encoder.tp_encoders]
    for block in blocks:
        for last in (block.self_attn.linear_out, block.self_attn.fsmn_block, block.feed_forward.w_2):
            last.weight.mul_((2 * len(blocks)) ** -0.5)


@torch.inference_mode()
def _bias_blank(model: Any) -> None:
    """Shift the blank's logit so that it wins in `BLANK_SHARE` of the frames of a synthetic voice."""
    features, frames = Frontend(_cmvn_values(), torch.device("cpu"))([voice(10.0, np.random.default_rng(0))])
    hidden, _ = model.encoder(features, torch.tensor(frames))
    logits = model.ctc.ctc_lo(hidden[0])
    lead = logits[:, 1:].amax(1) - logits[:, 0]
    model.ctc.ctc_lo.bias[0] += lead.quantile(BLANK_SHARE)


def voice(duration_s: float, rng: np.random.Generator) -> Samples:
    """Something with the pitch, the pauses and the noise of speech, of random loudness."""
    times_s = np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pitch_hz = rng.uniform(80, 300) + np.cumsum(rng.standard_normal(len(times_s))) * 0.1
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    harmonics = sum(np.sin(phase * order) / order for order in range(1, 12))
    syllables = np.maximum(0.0, np.sin(2 * np.pi * rng.uniform(2, 5) * times_s))
    noise = rng.standard_normal(len(times_s)) * 10 ** rng.uniform(-4, -2)
    samples = harmonics * syllables * 10 ** rng.uniform(-2, -0.7) + noise
    return np.clip(samples, -1.0, 0.9999).astype(np.float32)


def _cmvn_values() -> torch.Tensor:
    return torch.tensor(CMVN)[:, None].expand(2, MELS * LFR_STACKED).contiguous()


def _cmvn() -> str:
    size = MELS * LFR_STACKED

    def component(name: str, value: float) -> str:
        return f"<{name}> {size} {size}\n<LearnRateCoef> 0 [ {' '.join([str(value)] * size)} ]\n"

    return f"<Nnet>\n{component('AddShift', CMVN[0])}{component('Rescale', CMVN[1])}</Nnet>\n"


def _sentencepieces() -> bytes:
    """A sentencepiece model, written by hand: field numbers from `sentencepiece_model.proto`."""
    pieces = b"".join(_field(1, piece) for piece in _pieces())
    unigram, identity = b"\x18\x01", _field(1, b"identity")
    return pieces + _field(2, unigram) + _field(3, identity)


def _pieces() -> Iterator[bytes]:
    normal, unknown, control, user_defined = b"\x18\x01", b"\x18\x02", b"\x18\x03", b"\x18\x04"
    score = b"\x15" + np.float32(-1.0).tobytes()
    for index in range(VOCABULARY):
        if index < 3:
            kind = unknown if index == 0 else control
            yield _field(1, ("<unk>", "<s>", "</s>")[index].encode()) + score + kind
        elif index in TAGS:
            yield _field(1, f"<|{TAGS[index]}|>".encode()) + score + user_defined
        else:
            yield _field(1, _text(index).encode()) + score + normal


def _text(index: int) -> str:
    """CJK characters for the most part, then syllables that begin a word or go on with one."""
    if index < 20_000:
        return chr(0x4E00 + index)
    letters = "".join(chr(ord("a") + index // 26**place % 26) for place in range(4))
    return f"▁{letters}" if index % 2 else letters


def _field(number: int, content: bytes) -> bytes:
    length, varint = len(content), b""
    while length > 0x7F:
        varint += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + varint + bytes([length]) + content


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help=f"where to write; call it {NAME}")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(write(arguments.folder, seed=arguments.seed))
