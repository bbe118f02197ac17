"""The control socket and the folders."""

from pathlib import Path

from deploy import paths


def test_the_socket_lies_in_the_checkout() -> None:
    """A checkout at a usual depth keeps its socket to itself."""
    run_dir = Path("/srv/quintet/.quintet/run")

    assert paths.socket_path(run_dir) == run_dir / "supervisor.sock"


def test_a_deep_checkout_has_a_short_socket_of_its_own() -> None:
    """Where the path would not fit a socket address, the temporary folder holds it, one for each checkout."""
    deep = Path("/" + "d" * 120)

    first, second = paths.socket_path(deep / "a"), paths.socket_path(deep / "b")

    assert len(str(first)) <= paths.LONGEST_SOCKET_BYTES
    assert first != second
    assert first == paths.socket_path(deep / "a")


def test_a_path_is_measured_in_bytes() -> None:
    """Forty Chinese characters are 120 bytes, too many for a socket."""
    deep = Path("/" + "语" * 40)

    assert not paths.socket_path(deep).is_relative_to(deep)
