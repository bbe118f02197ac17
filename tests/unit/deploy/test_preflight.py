"""What is checked before anything is started."""

import socket

import pytest

from actors.errors import StartupError
from deploy import preflight
from loadtest.versus.servers import free_port


def test_a_free_port_passes() -> None:
    """Nothing is said about a port that can be had."""
    preflight.check_port("127.0.0.1", free_port())


def test_a_taken_port_is_named_with_another_one() -> None:
    """The sentence has the port, and a command that works."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StartupError, match=rf"Port {port} is taken .* ASR_PORT=\d+ ./justw start"):
            preflight.check_port("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    """The sentence blames ASR_HOST, not the port."""
    with pytest.raises(StartupError, match=r"ASR_HOST=192\.0\.2\.1 is not an address of this machine"):
        preflight.check_port("192.0.2.1", 5002)
