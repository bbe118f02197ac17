"""SenseVoice's tokens as text."""

from collections.abc import Sequence
from typing import Any


class Tokenizer:
    """FunASR's `SentencepiecesTokenizer`, asked for pieces as well."""

    def __init__(self, loaded: Any) -> None:
        self._processor = loaded.sp

    def text(self, ids: Sequence[int]) -> str:
        """The text of tokens, tags included."""
        text: str = self._processor.DecodeIds([token for token in ids if not self._is_nothing(token)])
        return text

    def piece(self, token: int) -> str:
        """A token's own text, `▁` where a word begins; empty if it stands for none."""
        if self._is_nothing(token) or self._processor.IsByte(token):
            return ""
        text: str = self._processor.IdToPiece(token)
        return text

    def _is_nothing(self, token: int) -> bool:
        return bool(self._processor.IsUnknown(token) or self._processor.IsControl(token))
