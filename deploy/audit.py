"""Asks for known vulnerabilities of the locked packages, with pip-audit: `python -m deploy.audit`.

Exit status: 0 when none is known, 1 when one is, 2 when the database could not be asked.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from deploy.locked import LOCK

ACCEPTED: Final = Path(__file__).resolve().parent / "advisories.toml"

#: OSV knows PyPI's advisories and GitHub's, whichever package index this machine asks.
OSV_URL: Final = "https://api.osv.dev/v1/query"

#: For one package; the first that gets no answer ends the audit.
PATIENCE_S: Final = 10


class Advisory(Struct, frozen=True):
    """A known vulnerability, as pip-audit tells it."""

    id: str
    description: str
    aliases: tuple[str, ...] = ()
    fix_versions: tuple[str, ...] = ()


class Package(Struct, frozen=True):
    """A locked package with its vulnerabilities."""

    name: str
    version: str
    vulns: tuple[Advisory, ...]


class Accepted(Struct, frozen=True, forbid_unknown_fields=True):
    """An advisory that was looked at and does not concern this service."""

    id: str
    package: str
    reason: str


class Report(Struct, frozen=True):
    """What pip-audit writes."""

    dependencies: tuple[Package, ...]

    def findings(self, accepted: Iterable[Accepted]) -> list[str]:
        """A line for each vulnerability that is not accepted, for its package and under any of its ids."""
        reasons = {(entry.package, entry.id) for entry in accepted}
        return [
            f"{package.name} {package.version}: {_said(advisory)}"
            for package in self.dependencies
            for advisory in package.vulns
            if reasons.isdisjoint((package.name, id_) for id_ in (advisory.id, *advisory.aliases))
        ]


class NotAudited(Exception):
    """The database could not be asked, and why."""


def audit(osv_url: str = OSV_URL, lock: Path = LOCK) -> Report:
    """What is known of the locked packages that this platform needs.

    Raises:
        NotAudited: the database could not be asked.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes"]
        command += ["--disable-pip", "--vulnerability-service", "osv", "--osv-url", osv_url]
        command += ["--timeout", str(PATIENCE_S), "--progress-spinner", "off"]
        command += ["--format", "json", "--output", str(written)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        # Its exit status is 1 for a vulnerability and for a failure; only in the first case it writes.
        if not written.exists():
            raise NotAudited(done.stderr.strip().rpartition("\n")[2])
        return msgspec.json.decode(written.read_bytes(), type=Report)


def accepted(path: Path = ACCEPTED) -> tuple[Accepted, ...]:
    """The advisories that do not concern this service, each with its reason."""
    table = msgspec.toml.decode(path.read_bytes(), type=dict[str, tuple[Accepted, ...]])
    return table.get("accepted", ())


def _said(advisory: Advisory) -> str:
    ids = ", ".join((advisory.id, *sorted(advisory.aliases)))
    fixed = f"fixed in {', '.join(advisory.fix_versions)}" if advisory.fix_versions else "not fixed yet"
    return f"{ids}, {fixed}: {advisory.description}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, and tell what was found."""
    parser = argparse.ArgumentParser(prog="./justw audit", description="Known vulnerabilities of the lock.")
    parser.add_argument("--osv-url", default=OSV_URL, help="the query address of OSV or a mirror of it")
    parser.add_argument("--lenient", action="store_true", help="exit with 0 if it cannot be asked")
    asked = parser.parse_args(arguments)
    try:
        report = audit(asked.osv_url)
    except NotAudited as failure:
        print(f"Not audited, as {asked.osv_url} cannot be asked: {failure}", file=sys.stderr)
        return 0 if asked.lenient else 2
    findings = report.findings(accepted())
    print(*findings, sep="\n", end="\n" if findings else "")
    print(f"{len(report.dependencies)} locked packages audited: {len(findings)} known vulnerabilities.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
