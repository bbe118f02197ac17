"""API keys as texts: how they are made, and what is kept of them.

Only the SHA-256 of a key is kept. A hash that is slow on purpose (scrypt, Argon2) protects passwords, which
can be guessed: it makes each guess dear. A key of ours is 256 random bits, which nobody guesses however fast
the hash is, and a slow one would cost each request what it is to cost a guess. Keys that operators think up
themselves, `ASR_API_KEYS`, lie as they are in their settings: no hash would hide them.
"""

import hashlib
import secrets
from typing import Final

#: So that a key is known for what it is where it should not be, by people and by scanners of repositories.
PREFIX: Final = "qk_"

_RANDOM_BYTES: Final = 32

#: So much of the hash names a key; it tells nothing of the other 224 bits.
_ID_CHARS: Final = 8


def mint() -> str:
    """A new key."""
    return PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def digest(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def id_of(sha256: str) -> str:
    """How people name the key with this hash."""
    return sha256[:_ID_CHARS]
