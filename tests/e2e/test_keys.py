"""A service whose keys are made and revoked while it runs, over TLS: who gets in, and what nobody learns."""

import json
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import psutil
import pytest
import redis
import trustme
from msgspec import Struct
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.e2e.conftest import Service, checkout, started
from tests.e2e.test_faults import pid_of
from tests.media import wav

QUIET: Final = wav(np.zeros(16_000))

#: The service tells callers apart by these, and of its own recipes none is needed.
SETTINGS: Final = {
    "ASR_MODEL": "tests.doubles.engines:InstantEngine",
    "ASR_INSTANCES": "1",
    "ASR_LOG_LEVEL": "debug",
    "ASR_PUBLIC": "metrics,stats",
}


class Closed(Struct, frozen=True):
    """A service with keys, the authority of its certificate, and how it answered without a key."""

    service: Service
    authority: Path
    before: int
    after: int

    def client(self, key: str | None = None) -> httpx.Client:
        """A client that believes the authority, and sends a key."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        url = self.service.url.replace("http://", "https://")
        trust = ssl.create_default_context(cafile=self.authority)
        return httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False, verify=trust)

    def add(self, name: str, *limits: str) -> str:
        """A new key."""
        return added(self.service, name, *limits)

    def asks(self, key: str | None, path: str = "/jobs") -> int:
        """The status of an answer."""
        with self.client(key) as client:
            return client.get(path).status_code


def added(service: Service, name: str, *limits: str) -> str:
    """A new key, as the recipe prints it."""
    done = service.run("deploy.keys", "add", name, *limits)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """A service that is open when it is started, and closed by its first key."""
    home = tmp_path_factory.mktemp("closed")
    authority = trustme.CA()
    issued = authority.issue_cert("asr.example", "127.0.0.1")
    authority.cert_pem.write_to_path(home / "authority.pem")
    (home / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(home / "key.pem")
    files = {"ASR_TLS_CERT": "cert.pem", "ASR_TLS_KEY": "key.pem"}
    for service in started(checkout(home, **SETTINGS, **files)):
        opened = Closed(service, home / "authority.pem", 0, 0)
        before = opened.asks(None)
        opened.add("first")
        yield Closed(service, opened.authority, before, opened.asks(None))


def test_the_first_key_closes_a_running_service(closed: Closed) -> None:
    """From the next request on."""
    assert (closed.before, closed.after) == (200, 401)


def test_keys_come_and_go_while_it_runs(closed: Closed) -> None:
    """A second key of a caller takes the place of the first without a gap; a revoked one is worth nothing."""
    old, new = closed.add("cleo"), closed.add("cleo")
    with closed.client(old) as client:
        job_id = client.post("/jobs", files={"file": ("a.wav", QUIET)}).json()["id"]

    assert closed.asks(new, f"/jobs/{job_id}") == 200
    listed = closed.service.run("deploy.keys", "list").stdout
    id_of_old = next(line.split()[0] for line in listed.splitlines() if "cleo" in line)
    revoked = closed.service.run("deploy.keys", "revoke", id_of_old)
    assert revoked.stdout.strip() == f"Revoked key {id_of_old} of cleo."
    assert (closed.asks(old), closed.asks(new, f"/jobs/{job_id}")) == (401, 200)
    assert closed.service.run("deploy.keys", "revoke", "cleo").returncode == 0
    assert closed.asks(new) == 401
    assert closed.service.run("deploy.keys", "revoke", "cleo").returncode == 1


def test_a_key_has_limits_of_its_own(closed: Closed) -> None:
    """They hold where the settings would let more in; those of other keys do not."""
    upload = {"file": ("a.wav", QUIET)}
    slow, free = closed.add("dora", "--uploads-per-minute", "2"), closed.add("erik")

    with closed.client(slow) as client:
        statuses = [client.post("/jobs", files=upload).status_code for _ in range(3)]
        refused = client.post("/jobs", files=upload)
    with closed.client(free) as client:
        others = [client.post("/jobs", files=upload).status_code for _ in range(3)]

    assert statuses == [202, 202, 429]
    assert "a limit of this key" in refused.json()["detail"]
    assert others == [202, 202, 202]


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", ""],
        ["add", "a b"],
        ["add", "@operator"],
        ["add", "0123abcd"],
        ["add", "x" * 41],
        ["add", "ann", "--jobs", "-1"],
        ["add", "ann", "--jobs", "1000001"],
        ["add", "ann", "--uploads-per-minute", "many"],
        ["revoke"],
        [],
    ],
)
def test_what_the_recipe_refuses(closed: Closed, arguments: list[str]) -> None:
    """Nothing is changed, and what is wrong is said."""
    file = closed.service.home / ".quintet" / "keys.json"
    before = file.read_bytes()

    done = closed.service.run("deploy.keys", *arguments)

    assert done.returncode in {1, 2}
    assert done.stderr
    assert file.read_bytes() == before


def test_a_stream_ends_with_its_key(closed: Closed) -> None:
    """Who follows the log follows it no more once the key is revoked."""
    key = closed.add("fritz")
    with closed.client(key) as client, client.stream("GET", "/monitoring/logs") as answer:
        assert answer.status_code == 200
        lines = answer.iter_lines()
        next(lines)
        assert closed.service.run("deploy.keys", "revoke", "fritz").returncode == 0
        closed.asks(None)  # which is logged, so that there is something to send
        for _ in lines:
            pass  # it ends


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/metrics", 200),
        ("/stats", 200),
        ("/monitoring/history", 401),
        ("/monitoring/alerts", 401),
        ("/monitoring/logs", 401),
        ("/", 401),
        ("/page/main.js", 401),
        ("/health", 200),
        ("/docs", 200),
        ("/v1/models", 401),
    ],
)
def test_what_is_public(closed: Closed, path: str, status: int) -> None:
    """What `ASR_PUBLIC` names, health and documents; a wrong key is not taken for none."""
    assert closed.asks(None, path) == status
    if not path.startswith(("/health", "/docs")):
        assert closed.asks("a-wrong-key", path) == 401


def test_a_closed_page_says_so(closed: Closed) -> None:
    """In words, to who opens it in a browser."""
    with closed.client() as client:
        answer = client.get("/")

    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "ASR_PUBLIC=page" in answer.text


@pytest.mark.parametrize(
    ("settings", "page", "last"),
    [
        ({}, "The web page is closed too", "The service stays closed"),
        ({"ASR_PUBLIC": "stats,page"}, "", "The service stays closed"),
        ({"ASR_API_KEYS": "bob:secret-1"}, "", "but for those in ASR_API_KEYS"),
    ],
)
def test_what_the_recipe_says_of_the_first_key_and_the_last(
    tmp_path: Path, settings: dict[str, str], page: str, last: str
) -> None:
    """What they change, where they change it; no service runs."""
    service = checkout(tmp_path, **settings)

    said = [service.run("deploy.keys", *words).stderr for words in (("add", "ann"), ("add", "ann"))]
    revoked = service.run("deploy.keys", "revoke", "ann").stderr

    assert ("The first key" in said[0]) is ("ASR_API_KEYS" not in settings)
    assert ("web page" in said[0]) is bool(page)
    assert page in said[0]
    assert said[1].strip().endswith("kept nowhere.")
    assert last in revoked


def test_what_everyone_learns_of_its_health(closed: Closed) -> None:
    """How many work, for who balances load; where and why, for who has a key."""
    with closed.client() as nobody, closed.client(closed.add("gina")) as known:
        seen, told = nobody.get("/health").json(), known.get("/health").json()

    for one in (*seen["health_details"], *seen["segmenters"]):
        assert {one[name] for name in ("host", "pid", "device", "rss_mb", "gpu_mb", "reason")} == {None}
    assert seen["status"] == told["status"] == "healthy"
    assert [one["instance"] for one in seen["health_details"]] == ["instance-1"]
    assert all(one["host"] and one["pid"] for one in told["health_details"])


def test_public_statistics_name_no_job(closed: Closed) -> None:
    """Nobody has none, not even those handed in before there were keys."""
    with closed.client() as nobody:
        assert nobody.get("/stats").json()["running"] == []


def test_the_recipes_need_no_key_of_their_users(closed: Closed, tmp_path: Path) -> None:
    """They are let in over TLS, whatever name it has; their own key is for the user of the checkout alone."""
    file = tmp_path / "quiet.wav"
    file.write_bytes(QUIET)
    service = closed.service

    transcribed = service.run("deploy.transcribe", str(file), "en", "txt")
    status = service.run("deploy.service", "status")
    alerts = service.run("deploy.alerts")
    tested = service.run(
        "loadtest",
        "smoke",
        f"test_file={file}",
        "concurrent_users=1",
        "requests_per_user=2",
        "--out",
        str(tmp_path),
    )

    assert transcribed.returncode == 0, transcribed.stderr
    assert status.returncode == 0, status.stdout
    assert "https://127.0.0.1" in status.stdout
    assert "HTTP" not in alerts.stderr, alerts.stderr
    assert tested.returncode == 0, tested.stdout + tested.stderr
    record = service.home / ".quintet" / "run" / "service.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_the_recipes_know_it_after_a_renewal(closed: Closed) -> None:
    """Of which the API that runs knows nothing until it is started anew."""
    files = [closed.service.home / name for name in ("cert.pem", "key.pem")]
    before = [file.read_bytes() for file in files]
    renewed = trustme.CA().issue_cert("asr.example")
    try:
        renewed.cert_chain_pems[0].write_to_path(files[0])
        renewed.private_key_pem.write_to_path(files[1])
        status = closed.service.run("deploy.service", "status")
    finally:
        for file, content in zip(files, before, strict=True):
            file.write_bytes(content)

    assert status.returncode == 0, status.stdout + status.stderr


def test_no_key_is_in_a_log(closed: Closed) -> None:
    """Nor anywhere else on the disk but in the record of the recipes; at debug, sent rightly and wrongly."""
    key = closed.add("hans")
    operators = json.loads((closed.service.home / ".quintet/run/service.json").read_text())["key"]
    for sent in (key, f"{key}x", f" {key}", f"{key} {key}"):
        closed.asks(sent)
    with closed.client(key) as client:
        client.post("/asr", files={"file": ("a.wav", QUIET)})
        client.get(f"/jobs/{key}")
        client.get(f"/{key}", params={"key": key})
    shown = closed.service.run("deploy.service", "logs", "--json").stdout

    assert "request.answered" in shown
    for secret in (key, operators):
        assert secret not in shown
        found = {
            str(path.relative_to(closed.service.home))
            for path in (closed.service.home / ".quintet").rglob("*")
            if path.is_file() and "weights" not in path.parts and secret.encode() in path.read_bytes()
        }
        assert found <= {".quintet/run/service.json"}
    for process in psutil.Process(pid_of(closed.service, "api")).parent().children():  # type: ignore[union-attr]
        assert not {key, operators} & {*process.environ().values(), *process.cmdline()}


def test_a_damaged_key_file(closed: Closed) -> None:
    """Nobody is let in, the recipes neither; health is open; and the service would not start."""
    key, file = closed.add("ines"), closed.service.home / ".quintet" / "keys.json"
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[: len(whole) // 2])

        assert {closed.asks(sent) for sent in (key, None)} == {503}
        assert closed.asks(None, "/health/ready") == 200
        restarted = closed.service.run("deploy.service", "restart")
        added = closed.service.run("deploy.keys", "add", "ines")
    finally:
        file.write_bytes(whole)

    assert restarted.returncode == 1
    assert added.returncode == 1
    assert "keys.json has the API keys and cannot be read" in restarted.stderr
    assert closed.asks(key) == 200


def test_redis_is_reached_through_its_socket_only(closed: Closed) -> None:
    """No port, a socket for its user alone, and a password all the same."""
    conf = dict(
        line.split(" ", 1)
        for line in (closed.service.home / ".quintet/run/redis.conf").read_text().splitlines()
    )
    socket = json.loads(conf["unixsocket"])
    process = psutil.Process(pid_of(closed.service, "redis"))

    listening = [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert listening == []
    assert stat.S_IMODE(Path(socket).stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(socket).parent.stat().st_mode) == 0o700
    assert len(conf["requirepass"]) >= 32
    for password in (None, "wrong"):
        with (
            redis.Redis(unix_socket_path=socket, password=password, retry=Retry(NoBackoff(), 0)) as nobody,
            pytest.raises(redis.AuthenticationError),
        ):
            nobody.ping()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"ASR_TLS_CERT": "cert.pem"}, "ASR_TLS_CERT is set and ASR_TLS_KEY is not"),
        ({"ASR_TLS_CERT": "none.pem", "ASR_TLS_KEY": "key.pem"}, "ASR_TLS_CERT=none.pem cannot be read"),
        ({"ASR_TLS_CERT": "cert.pem", "ASR_TLS_KEY": "cert.pem"}, "not a certificate and its key"),
    ],
)
def test_it_does_not_start_without_its_certificate(closed: Closed, files: dict[str, str], said: str) -> None:
    """The recipe and the API itself say why, at once."""
    env = dict.fromkeys(("ASR_TLS_CERT", "ASR_TLS_KEY"), "") | files
    bare = {name: value for name, value in closed.service.env.items() if not name.startswith("ASR_TLS")}
    service = Service(closed.service.home, bare)

    restarted = service.run("deploy.service", "restart", env=files)
    api = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=service.home,
        env=bare
        | {name: value for name, value in env.items() if value}
        | {"ASR_REDIS_URL": "redis://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (restarted.returncode, api.returncode) == (1, 1)
    assert said in restarted.stderr
    assert said in api.stderr
    assert closed.asks(None, "/health/live") == 200, "the one that runs goes on"
