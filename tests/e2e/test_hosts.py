"""A host with the API and two with workers: one is cut off under load, and comes back."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.chaos.ledger import Ledger
from tests.chaos.target import until
from tests.chaos.users import alone
from tests.e2e.test_chaos import recording
from tests.hosts.cluster import Cluster, cluster
from tests.hosts.loopback import loopback
from tests.hosts.network import network, possible
from tests.hosts.trial import PATIENCE_S, broken, cut_off, using

SETTINGS = {
    "ASR_MODEL": "tests.doubles.engines:FaultyEngine",
    "ASR_INSTANCES": "2",
    "ASR_MONITOR_INTERVAL_S": "1",
}


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Cluster]:
    """Three hosts, started; on a network of their own where that can be made. Nothing is left of them."""
    with contextlib.ExitStack() as made:
        joined = made.enter_context(network(2)) if possible() else loopback(2)
        found = made.enter_context(cluster(tmp_path, joined, **SETTINGS))
        try:
            assert not found.start(*found.hosts)
            yield found
        finally:
            left = found.stop()
        assert not left


def test_a_host_is_cut_off_and_comes_back(hosts: Cluster, tmp_path: Path) -> None:
    """No job is lost or ends twice, every text is right, and it comes back by itself."""
    names = {"en.m4a": 1, "zh.flac": 1, "long-zh.mp3": 7}
    recordings = [recording(tmp_path, name, times) for name, times in names.items()]
    url, ledger = hosts.api.service.url, Ledger()
    assert until(lambda: hosts.health()["status"] == "healthy", PATIENCE_S)

    with using(url, alone(url, recordings), ledger, users=4):
        descriptors = hosts.descriptors()
        cut = cut_off(hosts, hosts.workers[0], ledger)

    assert not cut.wrong
    assert not broken(hosts, ledger, descriptors)
    check_commands(hosts)


def check_commands(hosts: Cluster) -> None:
    """The recipes on a host without the API: what they are of, and what they leave to that one."""
    here = hosts.workers[0]
    before = here.pids()
    shown, rolled = here.do("status"), here.do("restart", "--rolling")
    tried = here.service.run("deploy.demo")

    assert (shown.returncode, rolled.returncode) == (0, 0), rolled.stderr
    assert f"a, at work for redis://{urlsplit(hosts.redis_url).hostname}" in shown.stdout
    assert str(urlsplit(hosts.redis_url).password) not in shown.stdout
    assert [name for name, pid in here.pids().items() if pid == before[name]] == ["supervisord"]
    assert "leaves the API to another host" in tried.stderr
