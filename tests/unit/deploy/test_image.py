"""The Dockerfile and compose.yaml."""

import configparser
import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from actors import settings
from actors.worker import STOP_GRACE_S
from deploy.paths import SUPERVISORD_CONF
from tests.checkouts import ROOT
from tests.containers import compose
from tests.containers.compose import COMPOSE, Missing
from tests.containers.container import (
    DOCKERFILE,
    PACKAGES,
    SERVICE,
    copied,
    image_env,
    image_health,
    settings_in,
)

FILE = compose.read({"REDIS_PASSWORD": "secret"})
SERVICES: dict[str, Any] = FILE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("quintet:")}
WORKERS = [f"instance-{number}" for number in range(1, 6)]
GPU_WORKERS = [f"gpu-{name}" for name in WORKERS]


def test_compose_follows_the_specification() -> None:
    """Its own schema, which names every field."""
    spec = find_spec("check_jsonschema")
    assert spec
    assert spec.submodule_search_locations
    vendored = Path(spec.submodule_search_locations[0]) / "builtin_schemas" / "vendor" / "compose-spec.json"

    jsonschema.validate(yaml.safe_load(COMPOSE.read_text()), json.loads(vendored.read_text()))


@pytest.mark.parametrize("profiles", [(), ("cpu",), ("gpu",), ("cpu", "observe"), ("gpu", "observe")])
def test_docker_compose_reads_it_as_these_tests_do(profiles: tuple[str, ...]) -> None:
    """Where there is one: the same services, with the same commands and environments."""
    reader = next((one for one in (["docker", "compose"], ["docker-compose"]) if _works(one)), None)
    if reader is None:
        pytest.skip("no Docker Compose here")
    command = [*reader, "-f", str(COMPOSE), *(f"--profile={one}" for one in profiles), "config"]
    env = {"PATH": str(Path(shutil.which(reader[0]) or "").parent), "REDIS_PASSWORD": "secret"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    read = yaml.safe_load(done.stdout)["services"]

    ours = compose.services(FILE, frozenset(profiles) or compose.NO_PROFILE)
    assert read.keys() == ours.keys()
    for name, service in ours.items():
        assert read[name].get("command") == service.get("command")
        assert service.get("environment", {}).items() <= read[name].get("environment", {}).items()


def test_the_dockerfile_has_no_lint() -> None:
    """Nor a base image without a version."""
    folder = str(Path(sys.executable).parent)
    hadolint = shutil.which("hadolint", path=folder) or shutil.which("hadolint")
    assert hadolint, "hadolint is not installed: run ./justw setup"

    done = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_what_installs_has_all_that_it_needs(tmp_path: Path) -> None:
    """Nothing else is there then; and what is copied later is all that `.dockerignore` lets in."""
    for path in copied(PACKAGES):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    command = [sys.executable, "-I", "-c", "import runpy, sys; sys.path[:] = [*sys.path, '.']; "]
    command[-1] += "sys.argv = ['install', '--help']; runpy.run_module('deploy.install', run_name='__main__')"

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    let_in = (ROOT / ".dockerignore").read_text().split("\n!")[1:]

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "deploy" / "requirements.lock").exists()
    assert set(copied(SERVICE)) == {line.split("\n")[0] for line in let_in}


def test_no_profile_means_cores() -> None:
    """Neither starts what the other one does, and what is no instance is started by both."""
    without, cpu, gpu = (
        set(compose.services(FILE, profiles))
        for profiles in (compose.NO_PROFILE, frozenset({"cpu"}), frozenset({"gpu"}))
    )

    assert without == cpu
    assert cpu - gpu == set(WORKERS)
    assert gpu - cpu == set(GPU_WORKERS)


@pytest.mark.parametrize("names", [WORKERS, GPU_WORKERS])
def test_five_instances(names: list[str]) -> None:
    """Numbered from 1, and each is told how many there are."""
    assert [SERVICES[name]["command"] for name in names] == [
        ["python", "-m", "actors.instance", str(number)] for number in range(1, 6)
    ]
    assert {SERVICES[name]["environment"]["ASR_INSTANCES"] for name in names} == {"5"}


def test_each_instance_is_pinned_to_a_gpu() -> None:
    """To one of the machine, which `.env` may change: number 0 in its container, and never to cores."""
    chosen = {f"GPU_{number}": str(number) for number in range(1, 6)}
    pinned = compose.read({"REDIS_PASSWORD": "secret"} | chosen)["services"]

    for number, name in enumerate(GPU_WORKERS, start=1):
        (device,) = pinned[name]["deploy"]["resources"]["reservations"]["devices"]
        assert device == {"driver": "nvidia", "device_ids": [str(number)], "capabilities": ["gpu"]}
        assert pinned[name]["environment"]["ASR_DEVICES"] == "0"
        assert pinned[name]["image"] == "quintet:cuda"
    assert {SERVICES[name]["environment"]["ASR_DEVICES"] for name in WORKERS} == {"cpu"}
    (built,) = (SERVICES[name]["build"] for name in GPU_WORKERS if "build" in SERVICES[name])
    assert built["args"] == {"VARIANT": "cuda"}


def test_every_program_of_one_machine_is_a_service() -> None:
    """What supervisord starts, Redis aside, which comes as an image."""
    conf = configparser.RawConfigParser()
    conf.read(SUPERVISORD_CONF)
    programs = {
        re.findall(r"-m (\S+)", conf.get(section, "command"))[0]
        for section in conf.sections()
        if section.startswith("program:")
    }
    modules = {one["command"][2] for one in OURS.values()}

    assert programs - {"deploy.redis_server"} == modules - {"actors.weights"}


def test_every_setting_in_the_files_is_one() -> None:
    """Else no process would start."""
    named = set[str]().union(*(settings_in(one["environment"]) for one in OURS.values()))
    in_text = set(re.findall(r"\bASR_[A-Z_]*[A-Z]\b", COMPOSE.read_text() + DOCKERFILE.read_text()))

    assert named | settings_in(image_env()) | in_text <= set(settings.names())


@pytest.mark.parametrize("name", OURS)
def test_a_process_has_more_time_to_end_than_it_takes(name: str) -> None:
    """What is in hand, and then its threads, before it is killed."""
    assert float(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= STOP_GRACE_S + 5


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_little(name: str) -> None:
    """Whatever gets in finds no privileges, and an image without a version is none."""
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name not in OURS or service["read_only"] is True
    assert re.search(r":(v?\d+\.\d+\.\d+|cpu|cuda)", service["image"])


def test_the_image_runs_as_nobody_special() -> None:
    """By a number, which Kubernetes can tell from root."""
    assert re.search(r"^USER 10001$", DOCKERFILE.read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("name", [name for name, one in SERVICES.items() if "ports" in one])
def test_what_is_published_is_for_this_machine_only(name: str) -> None:
    """Unless `.env` says otherwise."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


def test_the_api_is_published_where_the_settings_say() -> None:
    """`ASR_HOST` and `ASR_PORT` mean what they mean without containers."""
    there = compose.read({"REDIS_PASSWORD": "secret", "ASR_HOST": "192.0.2.1", "ASR_PORT": "80"})

    assert there["services"]["api"]["ports"] == ["192.0.2.1:80:5002"]
    assert there["services"]["api"]["environment"]["ASR_PORT"] == "5002"


def test_redis_needs_a_password() -> None:
    """Without one nothing starts, and it is said how to make one."""
    with pytest.raises(Missing, match=r"^REDIS_PASSWORD is missing. .*openssl rand .*\.env$"):
        compose.read({})


def test_who_hangs_is_killed_by_the_health_check_of_the_image() -> None:
    """Which therefore must not look at number 1 of its container."""
    assert image_health() == ["python", "-m", "deploy.alive", "--end"]
    assert all(one["init"] is True for one in OURS.values())


def test_what_is_observed_is_mounted() -> None:
    """The dashboard and the rules of this checkout; the names in the configurations are services."""
    mounts = [volume for name in ("prometheus", "grafana") for volume in SERVICES[name]["volumes"]]
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    (folder,) = yaml.safe_load((provisioning / "dashboards" / "quintet.yml").read_text())["providers"]

    for mount in filter(lambda one: one.startswith("./"), mounts):
        assert (ROOT / mount.split(":")[0]).exists()
    assert scrape["rule_files"] == ["rules.yml"]
    assert scrape["scrape_configs"] == [
        {"job_name": "quintet", "static_configs": [{"targets": ["api:5002"]}]}
    ]
    assert source["url"] == "http://prometheus:9090"
    assert f"./deploy/grafana/quintet.json:{folder['options']['path']}/quintet.json:ro" in mounts


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
