"""From the token of each frame to tokens with times, and from those to words."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from actors.engines.sensevoice_tags import is_tag
from actors.records import Word

BLANK = 0

#: The queries' own output frames, which come first: language, emotion, event and ITN.
QUERIES = 4

#: An output frame is `LFR_STEP` frames of 10 ms.
FRAME_MS = 60
#: A frame is centred on its time: FunASR's `SenseVoiceSmall.inference` takes half of it off.
_CENTRE_MS = FRAME_MS // 2

#: Sentencepiece's mark of a word's beginning, and what `CharTokenizer` writes for a space.
_BEGINS, _SPACE = "▁", "<space>"


class Token(Struct, frozen=True):
    """A token of a greedy CTC path; frames count from the path's beginning, the end is exclusive."""

    id: int
    start_frame: int
    end_frame: int


class Piece(Struct, frozen=True):
    """A token's text with its times, counted from the beginning of the segment."""

    text: str
    start_ms: int
    end_ms: int


def tokens(path: NDArray[np.int32]) -> list[Token]:
    """The path's runs that are not blank: it is the likeliest of all, so it is the alignment as well."""
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    ends = np.append(starts[1:], len(path))
    return [
        Token(token, start, end)
        for token, start, end in zip(path[starts].tolist(), starts.tolist(), ends.tolist(), strict=True)
        if token != BLANK
    ]


def piece(text: str, token: Token) -> Piece:
    """Give a token its times; the queries' frames are before the segment."""
    return Piece(text, _time_ms(token.start_frame), _time_ms(token.end_frame))


def _time_ms(frame: int) -> int:
    return max(0, (frame - QUERIES) * FRAME_MS - _CENTRE_MS)


def words(pieces: Iterable[Piece]) -> tuple[Word, ...]:
    """Join pieces to words: by their marks where words have spaces, each character alone where not.

    Punctuation belongs to the word before it, or to the first word if there is none. Tags are left out.
    """
    found: list[Word] = []
    before = ""
    apart = True
    for part in _parts(pieces):
        text = part.text
        if not text:
            apart = True
        elif all(_is_punctuation(character) for character in text):
            if found:
                found[-1] = Word(found[-1].text + text, found[-1].start_ms, found[-1].end_ms)
            else:
                before += text
        elif apart or not found or _stands_alone(text) or _stands_alone(_last_letter(found[-1].text)):
            found.append(Word(before + text, part.start_ms, part.end_ms))
            before, apart = "", False
        else:
            found[-1] = Word(found[-1].text + text, found[-1].start_ms, part.end_ms)
    return tuple(found)


def _parts(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Pieces whose text is a single ideograph, or has none; an empty one says that a word ended."""
    for part in pieces:
        if is_tag(part.text) or part.text == _SPACE or part.text.startswith(_BEGINS):
            yield Piece("", part.start_ms, part.start_ms)
        if not is_tag(part.text) and part.text != _SPACE:
            yield from _split(Piece(part.text.replace(_BEGINS, ""), part.start_ms, part.end_ms))


def _split(part: Piece) -> Sequence[Piece]:
    """A piece of several ideographs, its time shared out evenly."""
    if len(part.text) < 2 or not any(map(_stands_alone, part.text)):
        return [part] if part.text else []
    step_ms = (part.end_ms - part.start_ms) / len(part.text)
    edges_ms = [part.start_ms + round(step_ms * index) for index in range(len(part.text) + 1)]
    return [
        Piece(character, start_ms, end_ms)
        for character, start_ms, end_ms in zip(part.text, edges_ms, edges_ms[1:], strict=False)
    ]


def _stands_alone(text: str) -> bool:
    """Whether a character is of a script without spaces: Han, Hiragana or Katakana."""
    return len(text) == 1 and (
        "\u3041" <= text <= "\u30ff"
        or "\u3400" <= text <= "\u9fff"
        or "\uf900" <= text <= "\ufaff"
        or "\uff66" <= text <= "\uff9f"
        or text in "々〆〇"
        or text >= "\U00020000"
    )


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] == "P" and character != "・"


def _last_letter(word: str) -> str:
    return next((character for character in reversed(word) if not _is_punctuation(character)), "")
