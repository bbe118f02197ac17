"""A Redis with Sentinels: the service goes on by itself when another server becomes the master."""

import math
import random
import time
from pathlib import Path

from msgspec import Struct

from tests.chaos.faults import Struck
from tests.chaos.target import Target
from tests.chaos.trial import Load, Trial
from tests.e2e.test_chaos import recording
from tests.replicated import Replicated, replicated


class MasterKilled(Struct, frozen=True):
    """SIGKILL of the master, which comes back when another one has taken over."""

    servers: Replicated
    name: str = "master-killed"

    def strike(self, target: Target, rng: random.Random) -> Struck:  # noqa: ARG002 - nothing is left to chance
        """Wait until the Sentinels name another master."""
        self.servers.await_replica()
        lost = self.servers.master()
        lost.process.kill()
        lost.process.wait()
        while self.servers.master() is lost:
            time.sleep(0.05)
        lost.come_back()
        done = target.service.run("deploy.service", "logs", "--job", "0")
        return Struck(wrong=[f"logs exits with {done.returncode}: {done.stderr}"] * bool(done.stderr))


def test_another_master(tmp_path: Path) -> None:
    """No accepted job is lost, ends twice or gets another's text, and all is well again by itself."""
    home = tmp_path / "service"
    home.mkdir()
    with replicated(tmp_path / "redis") as servers:
        target = Target(home, ASR_REDIS_URL=servers.url, ASR_INSTANCES="2")
        load = Load(
            shorts=[recording(tmp_path, "en.m4a", 1), recording(tmp_path, "zh.flac", 1)],
            long=recording(tmp_path, "long-zh.mp3", 7),
            users=4,
            pause_s=1,
            refused_within_s=math.inf,
        )
        result = Trial(target, load).run([MasterKilled(servers)])

    assert not result.broken
    assert len(result.rounds) == 1
