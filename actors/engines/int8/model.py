"""SenseVoice in integers: a batch of segments to the token of each frame."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import torch
from torch import Tensor

from actors.engines.base import Row
from actors.engines.int8.encoder import Encoder
from actors.engines.int8.room import Room
from actors.engines.int8.weights import Weights
from actors.engines.sensevoice_encoder import placed
from actors.engines.sensevoice_features import Frontend
from actors.engines.sensevoice_model import Path, queries


class Int8Model:
    """As `SenseVoiceModel`, on a CPU; each of its threads has rows of its own."""

    def __init__(self, weights: Weights, frontend: Frontend, threads: int) -> None:
        self._queries = weights.queries
        self._encoder = Encoder(weights)
        self._encoder.compile()
        self._frontend = frontend
        self._rooms = [Room() for _ in range(threads)]
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="int8")

    def paths(self, rows: Sequence[Row]) -> list[Path]:
        """The greedy CTC path of each row; it does not depend on the rows beside it."""
        shares = shared([len(row.samples) for row in rows], len(self._rooms))
        threads_each = len(self._rooms) // len(shares)
        parts = [
            self._pool.submit(self._paths, [rows[index] for index in share], room, threads_each)
            for share, room in zip(shares, self._rooms, strict=False)
        ]
        wait(parts)  # all, also where one fails: until then their rooms are taken
        order = [index for share in shares for index in share]
        paths = dict(zip(order, (path for part in parts for path in part.result()), strict=True))
        return [paths[index] for index in range(len(rows))]

    @torch.inference_mode()
    def _paths(self, rows: Sequence[Row], room: Room, threads: int) -> list[Path]:
        torch.set_num_threads(threads)  # of this one
        return self._encoder.paths(list(self._inputs(rows)), room)

    def _inputs(self, rows: Sequence[Row]) -> Iterator[Tensor]:
        features = self._frontend.each([row.samples for row in rows])
        for row, heard in zip(rows, features, strict=True):
            asked = self._queries[list(queries(row))]
            yield placed(torch.cat((asked, heard)), self._encoder.size)


def shared(lengths: Sequence[int], shares: int) -> list[list[int]]:
    """The numbers of rows in so many shares of about the same length in all, or fewer: none is empty."""
    found: list[list[int]] = [[] for _ in range(shares)]
    totals = [0] * shares
    for number in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        least = totals.index(min(totals))
        found[least].append(number)
        totals[least] += lengths[number]
    return [share for share in found if share]
