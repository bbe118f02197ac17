"""How much memory the uploads that are being decoded may take.

Containers say in a few bytes how many packets or tracks there are, and FFmpeg makes room for as many; what
has no end that it knows, it collects until it has one. If it gets no memory it takes the file for damaged.
"""

import ctypes
import resource
from typing import Final

import av.frame
import psutil

#: The largest that is needed in one piece is the index of a day of film: 5 million packets of 24 bytes.
BLOCK_BYTES: Final = 128 << 20

#: Of all uploads together. A usual one takes a few megabytes.
ROOM_BYTES: Final = 1 << 30


def bound_memory() -> None:
    """From now on FFmpeg gets `BLOCK_BYTES` at once, and this process `ROOM_BYTES` more than it has.

    The second is for Linux only, which alone counts what a process has asked for.
    """
    # PyAV does not offer it, but finds it: in the libraries of any of its modules.
    ctypes.CDLL(av.frame.__file__).av_max_alloc(ctypes.c_size_t(BLOCK_BYTES))
    if psutil.LINUX:
        _, hard_bytes = resource.getrlimit(resource.RLIMIT_DATA)
        bound_bytes = psutil.Process().memory_info().data + ROOM_BYTES
        if hard_bytes == resource.RLIM_INFINITY or bound_bytes < hard_bytes:
            resource.setrlimit(resource.RLIMIT_DATA, (bound_bytes, hard_bytes))
