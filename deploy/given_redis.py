"""What must be right of the Redis that `ASR_REDIS_URL` names, and what of it may lose work one day."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import redis
import redis.exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError

from actors.errors import StartupError
from actors.queue.broker import NAMESPACE
from actors.settings import Settings
from actors.store import keys, sentinel
from actors.store.connection import broker_url, connect, jobs_url
from actors.store.sentinel_url import is_sentinel, parse

TIMEOUT_S: Final = 3.0

#: Older ones wrap what fails inside a script into an error of their own: what passes by itself is not known.
OLDEST: Final = (7, 0)

#: Keys that a cluster keeps apart, as it would those of every script.
_APART: Final = (keys.SPOOL, keys.JOBS)

#: Fails in a cluster, and where the user lacks a right that is easily forgotten.
_TOUCH: Final = """
redis.call("TIME")
redis.call("INFO", "server")
return redis.call("EXISTS", KEYS[1]) + redis.call("EXISTS", KEYS[2])
"""

#: What redis-py says of a certificate that OpenSSL does not believe.
_UNTRUSTED: Final = "certificate verify failed"

_CLUSTER: Final = (
    "ASR_REDIS_URL names a cluster, whose servers divide the keys: Quintet's scripts need all of them on "
    "one. Name a Redis without cluster mode (docs/redis.md)"
)


def check(settings: Settings) -> None:
    """It answers, lets us in, is the master, and has the database after the named one for the queues.

    Raises:
        StartupError: something of that is not so; the message has the remedy.
    """
    with _explained(settings), _connected(jobs_url(settings)) as client:
        known = _info(client)
        if known["role"] != "master":
            raise StartupError(
                "The Redis of ASR_REDIS_URL is a replica, which can only be read: name its master "
                f"({known.get('master_host')}:{known.get('master_port')})"
            )
        version = str(known["redis_version"])
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            least = ".".join(map(str, OLDEST))
            raise StartupError(f"The Redis of ASR_REDIS_URL is {version}: Quintet needs {least} or newer")
        if known.get("cluster_enabled"):
            raise StartupError(_CLUSTER)
        client.eval(_TOUCH, len(_APART), *_APART)
    with _explained(settings), _connected(broker_url(settings)) as client:
        # So Dramatiq asks, and few users may.
        client.keys(f"{NAMESPACE}:nothing")
        client.exists(NAMESPACE)


def doubts(settings: Settings) -> list[str]:
    """What of it may lose accepted work, a sentence each."""
    with _explained(settings), _connected(jobs_url(settings)) as client:
        known, found = _info(client), list[str]()
    memory_mb = int(known.get("maxmemory", 0)) >> 20
    policy = known.get("maxmemory_policy", "noeviction")
    if memory_mb and policy != "noeviction":
        found.append(
            f"it forgets keys when its memory is full (maxmemory-policy {policy}), and jobs with them: "
            "set noeviction, and uploads are refused instead"
        )
    if memory_mb and memory_mb < settings.max_spool_mb:
        found.append(
            f"it has {memory_mb} MiB of memory, less than the ASR_MAX_SPOOL_MB={settings.max_spool_mb} that "
            "audio may take: it would be full before uploads are refused"
        )
    if not known.get("aof_enabled"):
        found.append(
            "it keeps no append-only file: when it restarts, what it has taken in since its last snapshot "
            "is lost (appendonly yes)"
        )
    if is_sentinel(jobs_url(settings)) and not known.get("connected_slaves"):
        found.append("no replica follows it now, so nobody could take over")
    return [f"The Redis of ASR_REDIS_URL: {doubt}." for doubt in found]


def _connected(url: str) -> redis.Redis:
    return connect(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        decode_responses=True,
    )


def _info(client: redis.Redis) -> dict[str, Any]:
    return client.info()


@contextmanager
def _explained(settings: Settings) -> Iterator[None]:
    """What goes wrong with Redis meanwhile is said so that an operator knows what to do."""
    try:
        yield
    except redis.AuthenticationError as error:
        raise StartupError(
            f"The Redis of ASR_REDIS_URL refuses the login ({error}): correct its name and password"
        ) from error
    except MasterNotFoundError as error:
        raise StartupError(_why_no_master(jobs_url(settings))) from error
    except (redis.exceptions.ClusterCrossSlotError, redis.exceptions.MovedError) as error:
        raise StartupError(_CLUSTER) from error
    except TypeError as error:  # so redis-py refuses an option that it does not know
        raise StartupError(f"ASR_REDIS_URL has an option that there is not ({error}): correct it") from error
    except (redis.RedisError, ValueError, OSError) as error:
        raise StartupError(_why_unusable(str(error))) from error


def _why_unusable(said: str) -> str:
    if "permissions" in said:
        return (
            f"The user of ASR_REDIS_URL may not do what Quintet needs ({said}): docs/redis.md has the rights"
        )
    if "DB index" in said or "SELECT is not allowed" in said:
        return (
            f"The Redis of ASR_REDIS_URL has too few databases ({said}): Quintet needs the one that the URL "
            "names, 0 without a number, and the one after it"
        )
    if "unknown command" in said:
        return (
            f"The Redis of ASR_REDIS_URL lacks a command that Quintet needs ({said}): allow it there, "
            "or name another Redis"
        )
    if _UNTRUSTED in said:
        return (
            f"The certificate of ASR_REDIS_URL is not trusted ({said}): name the file of the authority that "
            "signed it, ?ssl_ca_certs=/etc/…/ca.pem, and call the server by a name that it has"
        )
    return (
        f"The Redis of ASR_REDIS_URL does not answer ({said}): start it, correct the URL, "
        "or unset ASR_REDIS_URL to use the embedded one, where no other host is to share it"
    )


def _why_no_master(url: str) -> str:
    """What each Sentinel says when it is asked for the master that they do not name together."""
    address, silent, known = parse(url), list[str](), set[str]()
    asked = sentinel.sentinels(address)
    with asked:
        for (host, port), one in zip(address.hosts, asked.sentinels, strict=True):
            try:
                known |= {str(name) for name in cast("dict[str, Any]", one.sentinel_masters())}
            except (redis.RedisError, OSError) as error:
                silent.append(f"{host}:{port}: {error}")
    if len(silent) == len(address.hosts) and any(_UNTRUSTED in one for one in silent):
        return _why_unusable("; ".join(silent))
    if len(silent) == len(address.hosts):
        return f"No Sentinel of ASR_REDIS_URL answers ({'; '.join(silent)}): start them, or correct the URL"
    if address.master in known:
        return f"The Sentinels of ASR_REDIS_URL say that the master {address.master!r} is down: start it"
    others = ", ".join(sorted(known)) or "none"
    return (
        f"The Sentinels of ASR_REDIS_URL watch no master {address.master!r} (but {others}): correct the name "
        "behind the / of the URL"
    )
