"""What recordings cost a service and its Redis besides the engine, and what the engine costs in it."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from msgspec import Struct

from actors.metrics import AUDIO_S, BATCH_ROWS, SEGMENTS, Outcome
from actors.store.connection import connect
from deploy import running
from loadtest.bench import services, speech
from loadtest.bench.looks import Spent
from loadtest.bench.services import Service
from loadtest.capacity.effort import Effort
from loadtest.capacity.measured import Cost, Costs, EngineTimes
from loadtest.versus.measuring import carried_out

#: Two lengths, to tell what a request costs from what a second does.
WORD_S: Final = 1.5
TALK_S: Final = 12.0
DIFFERENT: Final = 12

#: Uploads whose memory is weighed while they wait.
QUEUED: Final = 40

#: Bytes a second of a kept result with the times of its words (tests/integration/test_redis_memory.py),
#: as a model with random weights says less than people do.
KEPT_PER_AUDIO_S: Final = 165.0

#: The idle service is looked at for so long.
IDLE_S: Final = 4.0

#: Names of costs that Redis itself counts, and what it calls them.
COUNTED: Final = {
    "redis_commands": "total_commands_processed",
    "redis_in_bytes": "total_net_input_bytes",
    "redis_out_bytes": "total_net_output_bytes",
}


#: The programs whose processor time is a cost, those with a number together.
PROGRAMS: Final = ("api", "segmenter", "instance", "redis")


class Moment(Struct, frozen=True):
    """What has been counted and spent until now."""

    at_s: float
    spent: Spent
    #: Name of a cost → what Redis has counted.
    counted: Mapping[str, float]
    #: What the engines have recognised.
    batches: float
    rows: float
    speech_s: float


class Passed(Struct, frozen=True):
    """What happened between two moments: name of a cost → so much, and the engines' processor seconds."""

    took_s: float
    costs: Mapping[str, float]
    engine_s: float


class Load(Struct, frozen=True):
    """Users who each send so many recordings of one length."""

    recordings: Path
    length_s: float
    users: int
    requests_each: int


class Weighed(Struct, frozen=True, kw_only=True):
    """So many requests with recordings of one length, and what they cost."""

    requests: int
    audio_s: float
    costs: Mapping[str, float]
    engine_s: float
    batches: float
    rows: float
    speech_s: float

    def crowding(self, engine: EngineTimes) -> float:
        """Processor time of its batches ÷ that of the same without a service around them."""
        alone_s = engine.per_batch_s * self.batches + engine.per_row_s * self.rows
        return self.engine_s / (alone_s + engine.per_audio_s * self.speech_s)


class Scales:
    """Reads a service's counters."""

    def __init__(self, service: Service) -> None:
        known = running.read(service.home / ".quintet" / "run" / running.RECORD.name)
        if known is None:
            raise ValueError("the service has been stopped by somebody else")
        self._service = service
        self.redis = connect(known.redis_url)
        self._programs = service.programs()
        self._instances = [name for name in self._programs if name.startswith("instance-")]

    def read(self) -> Moment:
        """The counters of now."""
        spent, info = Spent.of(self._programs, self._instances), self.redis.info()
        with self._service.client() as http:
            seen = services.metrics(http)
        return Moment(
            at_s=time.perf_counter(),
            spent=spent,
            counted={name: float(info[called]) for name, called in COUNTED.items()},
            batches=seen.value(f"{BATCH_ROWS.name}_count"),
            rows=seen.value(SEGMENTS.name, Outcome.RECOGNISED),
            speech_s=seen.value(AUDIO_S.name),
        )

    def memory_bytes(self) -> float:
        """What Redis holds."""
        return float(self.redis.info("memory")["used_memory"])


class Found(Struct, frozen=True):
    """What was measured of a service."""

    costs: Costs
    crowding: float
    redis_per_instance: float


def measure(folder: Path, model: str, engine: EngineTimes, effort: Effort) -> Found:
    """The costs, and how crowded the engines are; of five instances on all cores.

    Raises:
        NotServed: the service cannot be started or asked.
    """
    with services.service(folder, model, request_timeout_s=3600, max_backlog_s=86_400) as service:
        scales = Scales(service)
        kinds = {length_s: _recordings(folder / f"{length_s:g}", length_s) for length_s in (WORD_S, TALK_S)}
        for recordings in kinds.values():  # each length is compiled for once
            _load(service, recordings, effort.users, 3)
        idle = _idle(scales)
        loads = [
            Load(kinds[length_s], length_s, effort.users, requests)
            for length_s, requests in ((WORD_S, effort.words), (TALK_S, effort.talks))
        ]
        weighed = [_weighed(service, scales, load, idle) for load in loads]
        queued = [_queued(service, scales, recordings) for recordings in kinds.values()]
    lengths = [(one.requests, one.audio_s) for one in weighed]
    costs = {name: _cost(lengths, [one.costs[name] for one in weighed]) for name in weighed[0].costs}
    costs["queued_bytes"] = _cost([(QUEUED, QUEUED * length_s) for length_s in kinds], queued)
    kept = costs["kept_bytes"]
    costs["kept_bytes"] = Cost(kept.per_request, max(kept.per_audio_s, KEPT_PER_AUDIO_S))
    crowding = float(np.mean([one.crowding(engine) for one in weighed]))
    return Found(Costs(**costs), crowding, idle["redis"] / services.INSTANCES)


def _cost(lengths: Sequence[tuple[float, float]], spent: Sequence[float]) -> Cost:
    """So much a request and so much a second, by two loads; neither below 0."""
    (requests, audio_s), (more_requests, more_audio_s) = lengths
    found = np.linalg.solve([[requests, audio_s], [more_requests, more_audio_s]], spent)
    if found[0] < 0:
        return Cost(0.0, spent[1] / more_audio_s)
    if found[1] < 0:
        return Cost(spent[0] / requests, 0.0)
    return Cost(float(found[0]), float(found[1]))


def _passed(before: Moment, after: Moment) -> Passed:
    """An engine is the thread of its instance that spent most: nothing else in it calculates."""
    engines = {
        name: max(spent_s - before.spent.threads[name].get(thread, 0) for thread, spent_s in threads.items())
        for name, threads in after.spent.threads.items()
    }
    costs = {name: total - before.counted[name] for name, total in after.counted.items()}
    for name, total_s in after.spent.programs.items():
        spent_s = total_s - before.spent.programs[name] - engines.get(name, 0)
        kind = name.partition("-")[0]
        if kind in PROGRAMS:
            costs[kind] = costs.get(kind, 0.0) + spent_s
    return Passed(after.at_s - before.at_s, costs, sum(engines.values()))


def _idle(scales: Scales) -> Mapping[str, float]:
    """What the service costs each second for being there."""
    before = scales.read()
    time.sleep(IDLE_S)
    passed = _passed(before, scales.read())
    return {name: total / passed.took_s for name, total in passed.costs.items()}


def _weighed(service: Service, scales: Scales, load: Load, idle: Mapping[str, float]) -> Weighed:
    memory_bytes, before = scales.memory_bytes(), scales.read()
    load_s = _load(service, load.recordings, load.users, load.requests_each)
    time.sleep(1)  # the instances say once a second what they have done
    after = scales.read()
    passed, requests = _passed(before, after), load.users * load.requests_each
    costs = {name: max(0.0, total - idle[name] * passed.took_s) for name, total in passed.costs.items()}
    kept_bytes = max(0.0, scales.memory_bytes() - memory_bytes)
    return Weighed(
        requests=requests,
        audio_s=requests * load.length_s,
        costs=costs | {"load": load_s, "kept_bytes": kept_bytes},
        engine_s=passed.engine_s,
        batches=after.batches - before.batches,
        rows=after.rows - before.rows,
        speech_s=after.speech_s - before.speech_s,
    )


def _load(service: Service, recordings: Path, users: int, requests: int) -> float:
    """Send, and return what sending cost, in processor seconds."""
    report = carried_out(
        api_url=service.url,
        test_file=recordings,
        serial_texts=False,
        concurrent_users=users,
        requests_per_user=requests,
        delay_between_requests=0,
        timeout=3600,
    )
    return report.run.runner_cpu_s


def _queued(service: Service, scales: Scales, recordings: Path) -> float:
    """What uploads take in Redis while no segmenter works."""
    with service.hold_segmenters(), service.client() as http:
        before = scales.memory_bytes()
        for number in range(QUEUED):
            file = recordings / f"{number % DIFFERENT:02}.wav"
            http.post("/jobs", files={"file": (file.name, file.read_bytes())}).raise_for_status()
        return scales.memory_bytes() - before


def _recordings(folder: Path, length_s: float) -> Path:
    """A folder with stretches of English of one length."""
    folder.mkdir()
    samples = speech.talk(DIFFERENT * length_s)
    size = len(samples) // DIFFERENT
    for number in range(DIFFERENT):
        part = samples[number * size : (number + 1) * size]
        (folder / f"{number:02}.wav").write_bytes(speech.wav(part))
    return folder
