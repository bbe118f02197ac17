"""How the recipes show who they are, and whom they believe."""

from pathlib import Path
from ssl import SSLContext

import pytest
import trustme

from actors.settings import Settings
from deploy import client, running
from deploy.running import Running
from tests.unit.access.certificates import shakes_hands

#: As it was recorded before there were keys.
OLD = Running(url="http://127.0.0.1:5002", redis_url="", instances=1)


def test_a_service_of_before_there_were_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header without a key would not even be sent."""
    monkeypatch.setattr(running, "read", lambda: OLD)

    assert client.authorization() == {}
    assert client.trust() is True


def test_the_key_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent; without a service there is none."""
    service = running.describe(Settings(), "")
    monkeypatch.setattr(running, "read", lambda: service)
    assert client.authorization() == {"Authorization": f"Bearer {service.key}"}

    monkeypatch.setattr(running, "read", lambda: None)
    assert client.authorization() == {}


def test_a_certificate_that_is_renewed_under_a_running_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one of its start and the one that is there now are believed, and no other."""
    authority = trustme.CA()
    for name in ("old", "new", "other"):
        issued = authority.issue_cert("asr.example")
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
    cert = tmp_path / "cert.pem"
    cert.write_bytes((tmp_path / "old.pem").read_bytes())
    service = running.describe(Settings(tls_cert=str(cert), tls_key=str(cert)), "")
    monkeypatch.setattr(running, "read", lambda: service)

    def believed() -> list[str]:
        trust = client.trust()
        assert isinstance(trust, SSLContext)
        shown = (tmp_path / f"{name}.pem" for name in ("old", "new", "other"))
        return [pem.stem for pem in shown if shakes_hands(pem, pem, trust)]

    assert believed() == ["old"]
    cert.write_bytes((tmp_path / "new.pem").read_bytes())
    assert believed() == ["old", "new"]
    cert.unlink()
    assert believed() == ["old"]
