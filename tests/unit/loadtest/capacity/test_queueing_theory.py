"""Where queueing theory has an answer, the simulation gives it."""

import math

import numpy as np
import pytest
from simpy import Environment

from actors.batcher import Limits
from loadtest.capacity.measured import Cost, Costs, EngineTimes, Recording
from loadtest.capacity.simulation.cores import NICE, NORMAL, Cores
from loadtest.capacity.simulation.hosts import Host
from loadtest.capacity.simulation.instance import Steps
from loadtest.capacity.simulation.pipeline import Due, open_loop

NOTHING = Cost(0.0, 0.0)

FREE = Costs(**dict.fromkeys(Costs.__struct_fields__, NOTHING))

REQUESTS = 12_000

#: Of the answers of theory: so many requests that depend on each other tell no more.
TOLERANCE = 0.1


def waits_s(instances: int, lengths_s: list[float], per_s: float) -> float:
    """The mean wait of recordings that are one segment each, of instances with a core each, one by one."""
    chance = np.random.default_rng(1)
    at_s = np.cumsum(chance.exponential(1 / per_s, len(lengths_s))).tolist()
    host = Host(
        cores=instances,
        instances=instances,
        express=0,
        segmenters=10**6,
        costs=FREE,
        engine=EngineTimes(threads=1, per_batch_s=0.0, per_row_s=0.0, per_audio_s=1.0),
        limits=Limits(rows=1, audio_s=1e9, padded=False),
    )
    dues = [
        Due(due_s, Recording(name="", audio_s=length_s, segments=((length_s, length_s),)))
        for due_s, length_s in zip(at_s, lengths_s, strict=True)
    ]
    served = open_loop(host, dues).served
    return float(np.mean([one.latency_s - one.recording.audio_s for one in served]))


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_one_server_with_even_service(load: float) -> None:
    """M/D/1, by Pollaczek and Khinchine: a wait of load ÷ 2(1 - load) services."""
    service_s = 0.5  # beside which the 5 ms that a batcher lingers are little

    wait_s = waits_s(1, [service_s] * REQUESTS, load / service_s)

    assert wait_s == pytest.approx(service_s * load / (2 * (1 - load)), rel=TOLERANCE)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (3, 0.7), (5, 0.85)])
def test_several_servers(servers: int, load: float) -> None:
    """M/M/c, by Erlang's C formula."""
    mean_s = 0.5
    lengths_s = np.random.default_rng(2).exponential(mean_s, REQUESTS).clip(0.01).tolist()
    offered = servers * load

    wait_s = waits_s(servers, lengths_s, offered / mean_s)

    assert wait_s == pytest.approx(
        erlang_c(servers, offered) * mean_s / (servers - offered), rel=2 * TOLERANCE
    )


def erlang_c(servers: int, offered: float) -> float:
    """The share of arrivals that wait: Erlang, "Solution of some problems" (1917)."""
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (math.fsum(offered**n / math.factorial(n) for n in range(servers)) + last)


def test_a_core_that_is_shared() -> None:
    """M/G/1 with processor sharing: a task of s takes s ÷ (1 - load) on average, whatever the others are."""
    env, load, took = Environment(), 0.6, list[float]()
    core, chance = Cores(env, 1), np.random.default_rng(3)

    def task(size_s: float) -> Steps:
        began_s = env.now
        yield core.work(size_s)
        took.append((env.now - began_s) / size_s)

    def arrive() -> Steps:
        for size_s in chance.choice([0.2, 2.0, 5.0], REQUESTS):
            yield env.timeout(chance.exponential(2.4 / load))
            env.process(task(float(size_s)))

    env.process(arrive())
    env.run()

    assert np.mean(took) == pytest.approx(1 / (1 - load), rel=TOLERANCE)


def test_weights() -> None:
    """On a core that both want, a nice task gets its weight's share; alone it gets all."""
    env, ended = Environment(), dict[str, float]()
    core = Cores(env, 1)

    def task(name: str, weight: float) -> Steps:
        yield core.work(1.0, weight=weight)
        ended[name] = env.now

    env.process(task("normal", NORMAL))
    env.process(task("nice", NICE))
    env.run()

    assert ended["normal"] == pytest.approx(1 + NICE / NORMAL)
    assert ended["nice"] == pytest.approx(2.0)


def test_threads() -> None:
    """A task is on no more cores than it has threads; what it leaves goes to the others."""
    env, ended = Environment(), dict[str, float]()
    cores = Cores(env, 4)

    def task(name: str, threads: int) -> Steps:
        yield cores.work(3.0, threads=threads)
        ended[name] = env.now

    env.process(task("one", 1))
    env.process(task("four", 4))
    env.run()

    assert ended["four"] == pytest.approx(1.0)
    assert ended["one"] == pytest.approx(3.0)
    assert cores.spent_s == pytest.approx(6.0)
