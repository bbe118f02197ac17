"""What the simulation repeats of the service is what the service does."""

import math
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from actors import segmenter
from actors.audio.recording import CHUNK_SAMPLES
from actors.batcher import Limits, usual_limits
from actors.records import SAMPLE_RATE_HZ
from loadtest.capacity import validation
from loadtest.capacity.demand import Demand, Speech, dues, mix
from loadtest.capacity.measured import Cost, Costs, EngineTimes, Recording
from loadtest.capacity.simulation import hosts, pipeline
from loadtest.capacity.simulation.hosts import Gpu, Host
from loadtest.capacity.simulation.pipeline import Due, open_loop
from loadtest.plan import plan
from tests.doubles.engines import InstantEngine

ROOT = Path(__file__).resolve().parents[4]

FREE = Costs(**dict.fromkeys(Costs.__struct_fields__, Cost(0.0, 0.0)))

#: A second for a batch, however many are in it.
BY_THE_BATCH = EngineTimes(threads=1, per_batch_s=1.0, per_row_s=0.0, per_audio_s=0.0)


def host(cores: int, instances: int, express: int = 0) -> Host:
    """One whose engine alone takes time."""
    return Host(
        cores=cores, instances=instances, express=express, segmenters=9, costs=FREE, engine=BY_THE_BATCH
    )


def at_once(count: int, audio_s: float = 1.0) -> list[Due]:
    """So many recordings of one segment at the same moment."""
    return [Due(0.0, Recording(name="", audio_s=audio_s, segments=((audio_s, audio_s),)))] * count


def test_constants() -> None:
    """Those that are repeated, so that a plan loads no torch."""
    assert (pipeline.THREADS, pipeline.LONG_THREADS) == (segmenter.THREADS, segmenter.LONG_THREADS)
    assert pipeline.WINDOW_POLL_S == segmenter.WINDOW_POLL_S
    assert pipeline.BLOCK_S * SAMPLE_RATE_HZ == CHUNK_SAMPLES
    assert usual_limits("cpu", InstantEngine()) == hosts.CPU_LIMITS
    gpu = usual_limits("cuda", InstantEngine())
    assert Limits(gpu.rows, gpu.audio_s) == hosts.GPU_LIMITS


def test_a_plan_loads_no_model_library() -> None:
    """It answers in seconds."""
    code = "import sys, loadtest.capacity.__main__; print(*{'torch', 'funasr', 'av'} & sys.modules.keys())"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


def test_one_batch_of_what_waits() -> None:
    """A single instance takes the first alone or with what came meanwhile, then eight at a time."""
    service = open_loop(host(1, 1), at_once(17))

    (instance,) = service.instances
    assert instance.rows == 17
    assert instance.batches == 3  # the first, and twice eight


def test_turns_share_the_cores() -> None:
    """Five instances on two cores: two calculate at once, and no more; batches grow with what waits."""
    service = open_loop(host(2, 5), at_once(16))

    assert sum(one.rows for one in service.instances) == 16
    batches = sum(one.batches for one in service.instances)
    assert batches < 6
    assert service.env.now == pytest.approx(math.ceil(batches / 2))


def test_a_batch_is_of_twenty_seconds() -> None:
    """However many wait, no more audio than a batch has room for."""
    service = open_loop(host(2, 5), at_once(8, audio_s=10.0))

    assert max(one.rows / one.batches for one in service.instances if one.batches) <= 2


def test_short_ones_do_not_wait_for_a_long_one() -> None:
    """The express instance answers a clip while the others have an hour in hand."""
    hour = Recording(name="", audio_s=3600.0, segments=tuple((10.0 * n, 9.0) for n in range(1, 361)))
    clip = at_once(1)[0].recording
    service = open_loop(host(2, 5, express=1), [Due(0.0, hour), Due(20.0, clip)])

    took_s = {one.recording.audio_s: one.latency_s for one in service.served}
    assert took_s[1.0] < 2.5
    assert took_s[3600.0] > 30


def test_a_window_bounds_what_waits() -> None:
    """The segmenter does not cut an hour before the instances are near."""
    hour = Recording(name="", audio_s=3600.0, segments=tuple((10.0 * n, 10.0) for n in range(1, 361)))
    service = pipeline.Service(host(2, 5))
    job = service.submit(hour)
    most_s = 0.0
    while not job.answered.processed:
        service.env.step()
        most_s = max(most_s, job.ahead_s)

    assert 600 < most_s <= 620


def test_a_gpu_is_shared() -> None:
    """What it calculates takes as long by five instances as by one; launching overlaps."""
    took_s = []
    for instances in (1, 5):
        chosen = host(8, instances)
        chosen = Host(
            cores=chosen.cores,
            instances=instances,
            express=0,
            segmenters=99,
            costs=FREE,
            engine=BY_THE_BATCH,
            limits=Limits(rows=1, audio_s=600.0),
            gpu=Gpu(rtfx=100.0, launch_s=0.1),
        )
        took_s.append(open_loop(chosen, at_once(50, audio_s=10.0)).env.now)

    assert took_s[0] == pytest.approx(50 * 0.2, rel=0.05)
    assert 50 * 0.1 <= took_s[1] < 50 * 0.13


def test_the_recordings_of_a_run() -> None:
    """The simulation sends what the load test sends, in its order."""
    known = [Recording(name=str(number), audio_s=1.0, segments=()) for number in range(20)]
    order = np.random.default_rng(plan("seed", {"seed": 7}).seed).permutation(20)

    sent = [one.name for one in islice(validation.order(known, 7), 25)]

    assert sent == [str(order[number % 20]) for number in range(25)]


def test_arrivals_have_the_rate_and_the_mix() -> None:
    """As much audio a second as is asked for, and of each length its share."""
    demand = Demand(hours_per_day=24, peak=1, p95_s=1, mix=mix("8s=50,5min=50"))
    speech = Speech(lengths_s=(2.0, 4.0), share=0.8)

    sent = dues(demand, speech, rtfx=10.0, count=4000)

    total_s = sum(one.recording.audio_s for one in sent)
    short_s = sum(one.recording.audio_s for one in sent if one.recording.audio_s <= 60)
    spoken_s = sum(one.recording.speech_s for one in sent)
    assert total_s / sent[-1].at_s == pytest.approx(10.0, rel=0.15)
    assert short_s / total_s == pytest.approx(0.5, rel=0.15)
    assert spoken_s / total_s == pytest.approx(0.8, rel=0.05)
