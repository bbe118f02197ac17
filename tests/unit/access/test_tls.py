"""Certificates are refused at start where they cannot serve, and recognised where they do."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from actors.access import tls
from actors.errors import StartupError
from actors.settings import Settings
from tests.unit.access.certificates import shakes_hands


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two certificates of an authority and their keys: a and b."""
    authority = trustme.CA()
    for name in ("a", "b"):
        issued = authority.issue_cert(f"{name}.example")
        (tmp_path / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    return tmp_path


def settings(cert: Path, key: Path) -> Settings:
    """With these files."""
    return Settings(tls_cert=str(cert), tls_key=str(key))


def test_a_pair(folder: Path) -> None:
    """What belongs together is fine, and so is no certificate at all."""
    tls.check(settings(folder / "a.pem", folder / "a.key"))
    tls.check(Settings())


@pytest.mark.parametrize(
    ("cert", "key", "said"),
    [
        ("none.pem", "a.key", r"ASR_TLS_CERT=.*none\.pem cannot be read: No such file"),
        ("a.pem", "none.key", r"ASR_TLS_KEY=.*none\.key cannot be read: No such file"),
        ("", "a.key", "ASR_TLS_CERT=.* cannot be read: Is a directory"),
        ("a.pem", "b.key", "ASR_TLS_KEY is not the key of the certificate"),
        ("a.key", "a.key", "are not a certificate and its key in PEM"),
        ("a.pem", "a.pem", "are not a certificate and its key in PEM"),
    ],
)
def test_what_cannot_serve(folder: Path, cert: str, key: str, said: str) -> None:
    """A sentence names the setting, and nothing of the key."""
    with pytest.raises(StartupError, match=said) as refused:
        tls.check(settings(folder / cert, folder / key))

    assert "PRIVATE KEY" not in str(refused.value)


def test_a_key_with_a_passphrase(folder: Path) -> None:
    """Nobody is asked for it on a terminal."""
    key = serialization.load_pem_private_key((folder / "a.key").read_bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"a passphrase"),
    )
    (folder / "a.key").write_bytes(locked)

    with pytest.raises(StartupError, match="ASR_TLS_KEY has a passphrase"):
        tls.check(settings(folder / "a.pem", folder / "a.key"))


@pytest.mark.parametrize(("shown", "believed"), [("a", True), ("b", False)])
def test_the_recipes_know_its_certificate(folder: Path, shown: str, believed: bool) -> None:  # noqa: FBT001
    """By whatever name it is reached; another one of the same authority is not believed."""
    trusted = folder / "a.pem"
    trusted.write_text(trusted.read_text() + (folder / "authority.pem").read_text())

    assert shakes_hands(folder / f"{shown}.pem", folder / f"{shown}.key", tls.trust_of(trusted)) is believed


def test_what_tools_write_around_a_certificate(folder: Path) -> None:
    """Such as OpenSSL the name that it has in a keystore, in whatever encoding; the first one counts."""
    trusted = folder / "a.pem"
    around = ("    friendlyName: Schlüssel\n".encode("latin-1"), "    friendlyName: ключ\n".encode())
    trusted.write_bytes(around[0] + trusted.read_bytes() + around[1] + (folder / "b.pem").read_bytes())
    tls.check(settings(trusted, folder / "a.key"))

    trust = tls.trust_of(trusted)

    assert shakes_hands(trusted, folder / "a.key", trust)
    assert not shakes_hands(folder / "b.pem", folder / "b.key", trust)
