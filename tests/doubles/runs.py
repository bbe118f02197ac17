"""Runs of load tests whose truth is known."""

import random
from collections.abc import Iterable
from statistics import fmean
from typing import Any, Final

from actors import histogram
from actors.records import Language
from loadtest.plan import Plan
from loadtest.records import (
    OK,
    Counted,
    GpuUsage,
    Hardware,
    Look,
    Run,
    Sample,
    Service,
    Step,
    Usage,
)

HARDWARE: Final = Hardware(cpu="A processor", cores=4, memory_mb=16_000)
SERVICE: Final = Service(
    url="http://127.0.0.1:5002", model="whisper-base", instances=5, devices=("cpu",), version="0.1.0"
)
OPEN: Final = Plan(profile="short", rate_per_s=1, duration_s=100)
INSTANCES: Final = tuple(f"instance-{number}" for number in range(1, 6))


def sample(due_s: float, took_s: float, *, late_s: float = 0, **changes: Any) -> Sample:
    """A request that was answered well, but for these changes."""
    fields: dict[str, Any] = {
        "recording": "a.wav",
        "audio_s": 5.0,
        "due_s": due_s,
        "sent_s": due_s + late_s,
        "ended_s": due_s + late_s + took_s,
        "status": 200,
        "outcome": OK,
    }
    return Sample(**(fields | changes))


def refused(due_s: float, reason: str = "too much audio is waiting (ASR_MAX_BACKLOG_S)") -> Sample:
    """A request that was answered with 429."""
    return sample(due_s, 0.01, status=429, outcome="429", reason=reason)


def look(at_s: float, **changes: Any) -> Look:
    """The service, healthy and idle but for these changes."""
    fields: dict[str, Any] = {
        "at_s": at_s,
        "health_s": 0.004,
        "health": "healthy",
        "healthy_instances": 5,
        "waiting_jobs": 0,
        "running_jobs": 0,
        "segments_waiting": 0,
        "oldest_s": 0.0,
        "busy": dict.fromkeys(INSTANCES, False),
        "cpu": 0.2,
        "processes": {
            name: Usage(cpu_cores=0.05, rss_mb=300) for name in (*INSTANCES, "api", "segmenter-1", "redis")
        },
    }
    return Look(**(fields | changes))


def run(samples: Iterable[Sample] = (), looks: Iterable[Look] = (), **changes: Any) -> Run:
    """A closed loop of these, but for these changes."""
    known = tuple(samples)
    fields: dict[str, Any] = {
        "plan": Plan(),
        "service": SERVICE,
        "hardware": HARDWARE,
        "began_ms": 1_795_428_095_124,
        "took_s": max((one.ended_s for one in known), default=0.0),
        "interrupted": False,
        "samples": known,
        "looks": tuple(looks),
        "counted": None,
        "runner_cpu_s": 0.1,
    }
    return Run(**(fields | changes))


def counts(*values: float) -> tuple[int, ...]:
    """Values by bucket of `actors.histogram`."""
    found = [0] * histogram.BUCKETS
    for value in values:
        found[histogram.bucket(value)] += 1
    return tuple(found)


def counted(requests: int, audio_s: float, each_s: float = 0.5, **stages: tuple[int, ...]) -> Counted:
    """What the service has counted: so many requests of so many seconds each."""
    return Counted(requests={"2xx": requests}, audio_s=audio_s, stages=stages, answered_s=requests * each_s)


def saturated() -> Run:
    """Rates of 1, 2 and 4 a second for 20 s each; at the last the queue grows."""
    steps = tuple(
        Step(rate_per_s=rate, began_s=20.0 * at, ended_s=20.0 * (at + 1), borne=rate < 4)
        for at, rate in enumerate((1, 2, 4))
    )
    samples = [
        sample(step.began_s + number / step.rate_per_s, 0.5 if step.rate_per_s < 4 else 0.5 + number / 10)
        for step in steps
        for number in range(int(20 * step.rate_per_s))
    ]
    plan = Plan(profile="saturate", rate_per_s=1, duration_s=20, raise_by=2, limit_p95_s=2)
    return run(samples, [look(at) for at in range(60)], plan=plan, steps=steps)


def hurt(language: Language = "auto") -> Run:
    """Two minutes of an open loop; `instance-3` is gone from 50 to 70 s, and some uploads are refused."""
    chance = random.Random(3)
    samples: list[Sample] = []
    due_s = 0.0
    while due_s < 120:
        away = 50 <= due_s < 70
        took_s = chance.lognormvariate(-0.4, 0.35) * (2.2 if away else 1)
        late_s = chance.expovariate(400)
        name = f"{chance.choice(('en', 'zh', 'ja'))}-{chance.randrange(4)}.flac"
        texts = {"exact": chance.random() > 0.01, "error_rate": chance.choice((0.0, 0.0, 0.08))}
        one = sample(due_s, took_s, late_s=late_s, recording=name, audio_s=chance.uniform(2, 14), **texts)
        if away and chance.random() < 0.15:
            one = refused(due_s)
        samples.append(one)
        due_s += chance.expovariate(2)
    looks = [_hurt_look(at / 2, chance) for at in range(250)]
    stages = {
        "queue": counts(*(chance.lognormvariate(-4, 0.6) for _ in samples)),
        "decode": counts(*(chance.lognormvariate(-4.5, 0.4) for _ in samples)),
        "vad": counts(*(chance.lognormvariate(-2.5, 0.4) for _ in samples)),
        "wait": counts(*(chance.lognormvariate(-1.5, 1.1) for _ in samples)),
        "recognise": counts(*(chance.lognormvariate(-1, 0.4) for _ in samples)),
        "assemble": counts(*(chance.lognormvariate(-5.5, 0.4) for _ in samples)),
    }
    audio_s = sum(one.audio_s for one in samples if one.outcome == OK)
    plan = Plan(profile="mixed", corpus="mixed", rate_per_s=2, duration_s=120, language=language)
    return run(
        samples,
        looks,
        plan=plan,
        took_s=125.0,
        counted=counted(len(samples), audio_s * 0.86, fmean(one.service_s for one in samples), **stages),
        runner_cpu_s=4.1,
    )


def _hurt_look(at_s: float, chance: random.Random) -> Look:
    gone = 50 <= at_s < 70
    there = [name for name in INSTANCES if not (gone and name == "instance-3")]
    load = 0 if at_s > 122 else 0.9 if gone else 0.6
    processes = {name: Usage(cpu_cores=load * chance.uniform(0.5, 0.75), rss_mb=300) for name in there}
    processes |= {
        "api": Usage(cpu_cores=chance.uniform(0.05, 0.12), rss_mb=110),
        "segmenter-1": Usage(cpu_cores=load * chance.uniform(0.1, 0.3), rss_mb=420),
        "redis": Usage(cpu_cores=0.02, rss_mb=30 + at_s / 10),
    }
    return look(
        at_s,
        health_s=chance.lognormvariate(-5.4, 0.5),
        health="degraded" if gone else "healthy",
        healthy_instances=4 if gone else 5,
        waiting_jobs=chance.choice((0, 0, 1)) + (chance.randrange(3) if gone else 0),
        running_jobs=chance.randrange(1, 4) if load else 0,
        segments_waiting=chance.randrange(2) + (chance.randrange(6) if gone else 0),
        busy={name: chance.random() < load for name in there},
        cpu=min(1.0, load + 0.1 * chance.random()),
        processes=processes,
        gpus=(GpuUsage(index=0, utilisation=load * 0.5, memory_mb=4000),),
    )
