"""One line per process."""

import msgspec

from deploy.lines import lines
from deploy.supervisor import Process, ProcessState
from monitoring.health import Condition, Health, HealthReport, WorkerHealth


def test_a_process_is_good_once_it_runs() -> None:
    """A process that is not an instance needs nothing but supervisord's word."""
    starting, running = lines([_process("api", ProcessState.STARTING), _process("monitor")], None)

    assert (starting.good, running.good) == (False, True)


def test_an_instance_speaks_for_itself() -> None:
    """An instance that runs is good only when it says that it can take work."""
    loading, idle = lines(
        [_process("instance-1", pid=11), _process("instance-2", pid=12)],
        _report(_instance(1, 11, Condition.LOADING), _instance(2, 12, Condition.IDLE)),
    )

    assert (loading.state, loading.good) == ("loading", False)
    assert (idle.state, idle.good) == ("idle", True)


def test_a_successor_is_waited_for() -> None:
    """What became of the process before it stands beside `loading`, and is no failure of its own."""
    reason = "process 11 ended unexpectedly"
    loading = msgspec.structs.replace(_instance(1, 12, Condition.LOADING), reason=reason)

    (line,) = lines([_process("instance-1", pid=12)], _report(loading))

    assert (line.state, line.note, line.good) == ("loading", reason, False)


def test_the_memory_on_a_gpu_stands_beside_it() -> None:
    """The table has the host's memory in a column of its own."""
    on_gpu = msgspec.structs.replace(
        _instance(1, 11, Condition.IDLE), model="sensevoice-small", device="cuda:1", gpu_mb=1450
    )

    (line,) = lines([_process("instance-1", pid=11)], _report(on_gpu))

    assert line.note == "sensevoice-small, cuda:1 (1450 MiB)"


def test_what_an_instance_said_before_it_was_killed_does_not_count() -> None:
    """The report of another pid is not this process's."""
    (line,) = lines([_process("instance-1", pid=22)], _report(_instance(1, 11, Condition.IDLE)))

    assert not line.good


def test_each_host_shows_its_own_workers() -> None:
    """What an instance of another host says is not said by the one with its number here, nor by its pid."""
    said = [
        msgspec.structs.replace(_instance(1, 11, state), instance=f"instance-1@{host}")
        for host, state in (("a", Condition.IDLE), ("b", Condition.LOADING))
    ]

    shown = [
        lines([_process("instance-1", pid=11)], _report(*said), node)[0].state for node in ("a", "b", "")
    ]

    assert shown == ["idle", "loading", "starting"]


def test_an_exited_process_says_so() -> None:
    """The operator need do nothing: supervisord tries it again."""
    (line,) = lines([_process("instance-1", ProcessState.BACKOFF, pid=0)], None)

    assert line.state == "exited, tried again soon"


def test_a_request_meets_them_in_this_order() -> None:
    """Redis and the API stand on top, whatever order supervisord has."""
    names = ("monitor", "courier", "instance-1", "api", "segmenter-1", "redis")

    shown = [line.process.name for line in lines(map(_process, names), None)]

    assert shown == ["redis", "api", "segmenter-1", "instance-1", "courier", "monitor"]


def _process(name: str, state: ProcessState = ProcessState.RUNNING, pid: int = 1) -> Process:
    return Process(name=name, group=name, state=state, pid=pid, started_s=0, now_s=0, logfile="")


def _instance(number: int, pid: int, state: Condition) -> WorkerHealth:
    return WorkerHealth(instance=f"instance-{number}", pid=pid, state=state, healthy=state is Condition.IDLE)


def _report(*instances: WorkerHealth) -> HealthReport:
    return HealthReport(
        status=Health.DEGRADED,
        health_ratio=0,
        total_instances=len(instances),
        healthy_instances=0,
        unhealthy_instances=0,
        health_details=instances,
        segmenters=(),
        model=None,
    )
