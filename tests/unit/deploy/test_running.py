"""The record of the running service."""

import stat
from pathlib import Path

import pytest
import trustme

from actors.settings import Settings
from deploy import running


def test_the_record_comes_back_and_is_private(tmp_path: Path) -> None:
    """It holds the password of Redis, so only its user may read it."""
    record = tmp_path / "service.json"
    service = running.describe(Settings(port=5003), "redis://:secret@127.0.0.1:1/0")

    running.write(service, record)

    assert running.read(record) == service
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_without_a_record_nothing_runs(tmp_path: Path) -> None:
    """A missing file is no error."""
    assert running.read(tmp_path / "service.json") is None


def test_a_record_lost_with_the_power(tmp_path: Path) -> None:
    """What was never written whole is no record: the service starts as it does after any such end."""
    record = tmp_path / "service.json"
    record.write_bytes(b"")

    assert running.read(record) is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5002"),
        ("0.0.0.0", "http://127.0.0.1:5002"),
        ("::", "http://[::1]:5002"),
        ("speech.example", "http://speech.example:5002"),
    ],
)
def test_the_address_can_be_opened(host: str, url: str) -> None:
    """Every-address hosts are shown as one that a client can connect to."""
    assert running.url_of(Settings(host=host)) == url


def test_with_a_certificate_it_is_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes know the certificate, wherever they run."""
    monkeypatch.chdir(tmp_path)
    trustme.CA().cert_pem.write_to_path("cert.pem")
    secured = Settings(tls_cert="cert.pem", tls_key="key.pem")

    service = running.describe(secured, "unix:///redis.sock")

    assert service.url == "https://127.0.0.1:5002"
    assert Path(service.certificate) == Path.cwd() / "cert.pem"
    assert service.shown == Path("cert.pem").read_text()
