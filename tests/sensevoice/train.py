# ruff: noqa: T201 (it talks to people)
"""Trains the small SenseVoice of the tests and writes it as a folder that FunASR loads.

Needs the program espeak-ng (`apt-get install espeak-ng`), and what `./justw setup` installs. The same seed
gives the same model on the same machine with the same number of threads.

    python -m tests.sensevoice.train       # writes tests/sensevoice/model; about an hour on one core
    python -m tests.sensevoice.evaluate    # its accuracy on strings it was not trained on
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from funasr.frontends.wav_frontend import load_cmvn
from funasr.models.sense_voice.model import SenseVoiceSmall
from msgspec import Struct
from numpy.random import Generator
from sentencepiece import SentencePieceProcessor
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tests.sensevoice import MODEL
from tests.sensevoice.features import (
    Background,
    Heard,
    Spoken,
    background,
    hear,
    hear_nobody,
    lfr,
    log_mel,
    spoken,
)
from tests.sensevoice.folder import (
    BPE_NAME,
    ENCODER_CONF,
    LANGUAGE_ROWS,
    MODEL_CONF,
    TEXT_NORM_ROWS,
    TEXT_NORMS,
    tag,
    train_tokenizer,
    write_cmvn,
    write_config,
    write_weights,
    written,
)
from tests.sensevoice.synthesize import held_out

_UTTERANCES: Final = 14_000
_STEPS: Final = 8_000
_BATCH: Final = 32
_WARM_UP_STEPS: Final = 100
_PEAK_RATE: Final = 1.5e-3
_CHECK_STEPS: Final = 200

#: Share of steps in which no row is told its language; in the others FunASR hides it from one row in five.
_AUTO_SHARE: Final = 0.5
_NOBODY_SHARE: Final = 0.04


class Batch(Struct, frozen=True):
    """Padded examples: speech [rows, LFR frames, 560] after CMVN; text [rows, tags, then tokens, then -1]."""

    speech: Tensor
    speech_lengths: Tensor
    text: Tensor
    text_lengths: Tensor


class Collator(Struct, frozen=True):
    """Makes batches of examples."""

    tokenizer: SentencePieceProcessor
    cmvn: Tensor

    def collate(self, rows: list[Heard], norms: list[str]) -> Batch:
        """A batch of these rows, each with its text norm."""
        speech = [(torch.from_numpy(row.features) + self.cmvn[0]) * self.cmvn[1] for row in rows]
        text = [
            torch.tensor(self.tokenizer.encode(written(row, norm)))
            for row, norm in zip(rows, norms, strict=True)
        ]
        return Batch(
            speech=pad_sequence(speech, batch_first=True),
            speech_lengths=torch.tensor([len(row) for row in speech]),
            text=pad_sequence(text, batch_first=True, padding_value=-1),
            text_lengths=torch.tensor([len(row) for row in text]),
        )


def build_model(tokenizer: SentencePieceProcessor) -> Any:
    """FunASR's own model class, told where our vocabulary keeps the tags that its training looks up."""
    model = SenseVoiceSmall(
        encoder="SenseVoiceEncoderSmall",
        encoder_conf=ENCODER_CONF,
        input_size=560,
        vocab_size=tokenizer.get_piece_size(),
        **MODEL_CONF,
    )
    model.textnorm_int_dict = {tokenizer.piece_to_id(tag(name)): row for name, row in TEXT_NORM_ROWS.items()}
    return model


def batches(rng: Generator, clips: list[Spoken], behind: Background, collator: Collator) -> Iterator[Batch]:
    """Batches without end, of clips of about the same length.

    The first round goes from short to long: CTC learns to align on the short ones.
    """
    by_length = sorted(clips, key=lambda clip: len(clip.log_mel))
    starts = np.arange(0, len(clips) - _BATCH, _BATCH)
    while True:
        for start in starts:
            rows = [
                hear_nobody(rng, behind) if rng.random() < _NOBODY_SHARE else hear(rng, clip, behind)
                for clip in by_length[start : start + _BATCH]
            ]
            yield collator.collate(rows, [str(norm) for norm in rng.choice(TEXT_NORMS, len(rows))])
        starts = rng.permutation(np.arange(rng.integers(_BATCH), len(clips) - _BATCH, _BATCH))


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine down to nothing."""
    if step < _WARM_UP_STEPS:
        return (step + 1) / _WARM_UP_STEPS
    return 0.5 * (1 + math.cos(math.pi * (step - _WARM_UP_STEPS) / max(1, steps - _WARM_UP_STEPS)))


def exact_share(model: Any, collator: Collator, rows: list[Heard]) -> float:
    """Share of rows whose tokens all come out right, language unknown, without ITN."""
    model.eval()
    model.lid_int_dict = {}
    right = 0
    with torch.inference_mode():
        for start in range(0, len(rows), _BATCH):
            batch = collator.collate(part := rows[start : start + _BATCH], ["woitn"] * len(part))
            encoded, lengths = model.encode(batch.speech, batch.speech_lengths, batch.text)
            best = model.ctc.argmax(encoded)
            for row, length, text in zip(best, lengths, batch.text, strict=True):
                tokens = torch.unique_consecutive(row[4:length])
                right += tokens[tokens != 0].tolist() == text[4:][text[4:] >= 0].tolist()
    model.train()
    return right / len(rows)


def train(folder: Path, steps: int, seed: int, cache: Path | None) -> None:
    """The whole way: corpus, tokenizer, CMVN, training; the best model on the dev strings is kept."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    folder.mkdir(exist_ok=True)
    clips, behind = spoken(_UTTERANCES, seed, cache), background(seed)
    dev = [
        Heard(lfr(log_mel(clip.samples)), clip.utterance.language, "NEUTRAL", "Speech", clip.utterance.digits)
        for clip in held_out(250, seed=seed + 100, split="dev")
    ]
    heard = [hear(rng, clips[index], behind).features for index in rng.choice(len(clips), 2000)]
    write_cmvn(folder / "am.mvn", np.concatenate(heard))
    write_config(folder)
    train_tokenizer(folder / BPE_NAME)
    tokenizer = SentencePieceProcessor(model_file=str(folder / BPE_NAME))
    collator = Collator(tokenizer, load_cmvn(str(folder / "am.mvn")))
    model = build_model(tokenizer)
    source = batches(rng, clips, behind, collator)
    _fit(model, source, steps, lambda: exact_share(model, collator, dev), folder)


def _fit(model: Any, source: Iterator[Batch], steps: int, check: Callable[[], float], folder: Path) -> None:
    """Trains for that many steps, and keeps the weights that did best when checked."""
    tokenizer = SentencePieceProcessor(model_file=str(folder / BPE_NAME))
    language_rows = {tokenizer.piece_to_id(tag(name)): row for name, row in LANGUAGE_ROWS.items()}
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=_PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01, fused=True
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(step, steps))
    best, started_s = 0.0, time.monotonic()
    model.train()
    for step, batch in zip(range(1, steps + 1), source, strict=False):
        model.lid_int_dict = {} if torch.rand(1) < _AUTO_SHARE else language_rows
        with torch.autocast("cpu", torch.bfloat16):
            loss, stats, _ = model(batch.speech, batch.speech_lengths, batch.text, batch.text_lengths)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if step % _CHECK_STEPS == 0 or step == steps:
            share, wall_s = check(), time.monotonic() - started_s
            if share >= best:
                best = share
                write_weights(folder, model)
            ctc, tags = float(stats["loss_ctc"]), float(stats["acc_rich"])
            print(f"{step=} {wall_s=:.0f} {ctc=:.3f} {tags=:.3f} {share=:.3f}", flush=True)


def main() -> None:
    """Reads the command line and trains."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=MODEL)
    parser.add_argument("--steps", type=int, default=_STEPS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="where to keep the synthesised corpus between runs (.npz)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    train(arguments.folder, arguments.steps, arguments.seed, arguments.cache)


if __name__ == "__main__":
    main()
