"""A client that is slow to say what it wants, or to take its answer, must not hold its connection for good.

uvicorn ends connections that idle between two requests, but waits without end for the head of a request, for
its body, and for the client to take the answer.
"""

import asyncio
import socket
from typing import Final

from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.divided import PIECE_BYTES

#: How long a client may be silent, or take nothing, when it is its turn.
SILENCE_S: Final = 30.0

#: What makes up for a second of silence: slower than that no recording is sent.
BYTES_PER_S: Final = 1000

#: How often it is looked at.
LOOK_S: Final = 1.0

_TIMEOUT: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class ImpatientProtocol(H11Protocol):
    """Closes a connection whose client has been silent for `SILENCE_S` of its turns.

    Whatever it sends makes up for some of its silence. It is its turn until its request is complete, unless
    what it has sent still waits to be read here, or it waits to be asked for the body. It is again while
    nothing more can be written to it: then it may take nothing for as long.
    """

    _silence_s = 0.0
    _stuck_s = 0.0
    _unsent_bytes = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Little waits here or, unsent, in the kernel, so that it shows soon whether the client takes any.
        transport.set_write_buffer_limits(high=PIECE_BYTES)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            found: socket.socket = transport.get_extra_info("socket")
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, PIECE_BYTES)
        self.loop.call_later(LOOK_S, self._look)

    @override
    def data_received(self, data: bytes) -> None:
        self._silence_s = max(0.0, self._silence_s - len(data) / BYTES_PER_S)
        super().data_received(data)

    @override
    def on_response_complete(self) -> None:
        self._silence_s = 0.0
        super().on_response_complete()

    @override
    def resume_writing(self) -> None:
        self._stuck_s = 0.0  # what waits next may be as much as before
        super().resume_writing()

    def _look(self) -> None:
        closing = self.transport.is_closing()
        if closing and self.scheme == "https":
            return  # asyncio itself waits for no more than 30 s
        unsent_bytes, before_bytes = self.transport.get_write_buffer_size(), self._unsent_bytes
        if closing and not unsent_bytes:
            return
        waits = closing or self.flow.write_paused
        self._stuck_s = self._stuck_s + LOOK_S if waits and unsent_bytes >= before_bytes else 0.0
        self._unsent_bytes = unsent_bytes
        if self._stuck_s >= SILENCE_S:
            self.transport.abort()
            return
        if not closing:
            self._look_for_request()
        self.loop.call_later(LOOK_S, self._look)

    def _look_for_request(self) -> None:
        if self._is_clients_turn():
            self._silence_s += LOOK_S
        if self._silence_s < SILENCE_S:
            return
        cycle = self._cycle
        if cycle is None or not cycle.response_started:
            self.transport.write(_TIMEOUT)
        self.transport.close()

    def _is_clients_turn(self) -> bool:
        cycle = self._cycle
        if cycle is None or cycle.response_complete:
            return True
        return cycle.more_body and not self.flow.read_paused and not cycle.waiting_for_100_continue

    @property
    def _cycle(self) -> RequestResponseCycle | None:
        """The request in hand; uvicorn hides that there may be none."""
        return self.cycle
