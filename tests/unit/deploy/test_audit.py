"""The audit: the real pip-audit, with a stand-in for the database of advisories."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from deploy import audit
from deploy.audit import Accepted
from deploy.locked import LOCK
from loadtest.versus.servers import free_port

#: As OSV answers, shortened.
ADVISORY = {
    "id": "GHSA-0000-0000-0001",
    "aliases": ["CVE-2026-0001"],
    "summary": "A crafted page number is a path",
    "affected": [
        {
            "package": {"name": "alpha", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}
LINE = "alpha 1.0: CVE-2026-0001, GHSA-0000-0000-0001, fixed in 1.1: A crafted page number is a path"


class _Osv(BaseHTTPRequestHandler):
    """Knows something about alpha, and nothing about others."""

    def do_POST(self) -> None:
        """As `/v1/query` answers."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = asked == {"package": {"name": "alpha", "ecosystem": "PyPI"}, "version": "1.0"}
        body = json.dumps({"vulns": [ADVISORY]} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def osv_url() -> Iterator[str]:
    """A database with one advisory."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three locked packages, one of them for another platform."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    entries = ("alpha==1.0", "beta==2.0", "gamma==3.0 ; sys_platform == 'win32'")
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"{entry} \\\n    --hash=sha256:{'0' * 64}\n" for entry in entries), "utf-8")
    return lock


def test_a_known_vulnerability_is_a_finding(lock: Path, osv_url: str) -> None:
    """With all its ids, and the version to go to."""
    report = audit.audit(osv_url, lock)

    assert [package.name for package in report.dependencies] == ["alpha", "beta"]
    assert report.findings([]) == [LINE]


@pytest.mark.parametrize("name", ["GHSA-0000-0000-0001", "CVE-2026-0001"])
def test_one_that_was_accepted_is_none(lock: Path, osv_url: str, name: str) -> None:
    """Under any of its ids, but for its package only."""
    report = audit.audit(osv_url, lock)

    assert report.findings([Accepted(name, "alpha", "no pages here")]) == []
    assert report.findings([Accepted(name, "beta", "no pages here")]) == [LINE]


@pytest.mark.parametrize(("options", "status"), [([], 2), (["--lenient"], 0)])
def test_a_machine_without_network_says_so_in_one_line(
    options: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` goes on there; `audit` does not call that a success."""
    url = f"http://127.0.0.1:{free_port()}/v1/query"

    assert audit.main([*options, "--osv-url", url]) == status

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"Not audited, as {url} cannot be asked: ")
    assert said.err.count("\n") == 1


def test_the_whole_lock_can_be_audited(
    monkeypatch: pytest.MonkeyPatch, osv_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip-audit reads every entry, and what nobody knows of is no finding."""
    monkeypatch.setattr(audit, "accepted", lambda: ())

    assert audit.main(["--osv-url", osv_url]) == 0
    assert capsys.readouterr().out.endswith(" locked packages audited: 0 known vulnerabilities.\n")


def test_a_finding_fails_the_audit(
    monkeypatch: pytest.MonkeyPatch, lock: Path, osv_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where a machine without network would pass."""
    report = audit.audit(osv_url, lock)
    monkeypatch.setattr(audit, "audit", lambda _: report)

    assert audit.main(["--lenient"]) == 1
    assert capsys.readouterr().out.startswith(f"{LINE}\n")


def test_every_accepted_advisory_has_a_reason_and_is_of_a_locked_package() -> None:
    """An entry whose package is gone is to be removed."""
    locked = LOCK.read_text(encoding="utf-8")

    for entry in audit.accepted():
        assert entry.reason.strip()
        assert f"\n{entry.package}==" in locked


def test_accepted_advisories_are_read_from_their_table(tmp_path: Path) -> None:
    """As the head of `deploy/advisories.toml` describes them."""
    table = tmp_path / "advisories.toml"
    table.write_text('[[accepted]]\nid = "CVE-1"\npackage = "alpha"\nreason = "unused"\n', encoding="utf-8")

    assert audit.accepted(table) == (Accepted("CVE-1", "alpha", "unused"),)
