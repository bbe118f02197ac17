"""Reading the settings from `ASR_*` variables and `.env`, and refusing what is wrong by name."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from dotenv.parser import parse_stream

from actors.settings.fields import Settings
from actors.settings.reference import PREFIX, allowed, names, types, variable

CHECKOUT = Path(__file__).resolve().parent.parent.parent

#: The folder that holds everything a checkout makes at run time: weights, Redis data, logs.
STATE_DIR = CHECKOUT / ".quintet"

#: A key for another's service, which is for the load test and no setting of this one.
LOADTEST_KEY = "ASR_LOADTEST_KEY"

#: What is not repeated in messages: a URL may hold a password.
_SECRET = {"redis_url", "api_keys", "callback_secret", "alert_webhook"}


class SettingsError(ValueError):
    """A setting is unknown or outside its range; the message names it and what is allowed."""


def load(env: Mapping[str, str] | None = None, dotenv_path: Path | None = None) -> Settings:
    """Read the settings; the environment wins over `.env`.

    Raises:
        SettingsError: a name is unknown or a value is not allowed.
    """
    path = dotenv_path or CHECKOUT / ".env"
    merged = _read_file(path) | dict(os.environ if env is None else env)
    values = {
        name.removeprefix(PREFIX).lower() if name.isupper() else name: value
        for name, value in merged.items()
        if name.upper().startswith(PREFIX) and name != LOADTEST_KEY
    }
    unknown = sorted(values.keys() - set(Settings.__struct_fields__))
    if unknown:
        wrong = (
            unknown[0]
            if not unknown[0].islower() or unknown[0].startswith(PREFIX.lower())
            else variable(unknown[0])
        )
        raise SettingsError(f"{wrong} is not a setting; the settings are {', '.join(names())}")
    chosen: dict[str, Any] = {name: _convert(name, value) for name, value in values.items()}
    loaded = Settings(**chosen)
    if loaded.max_spool_mb < loaded.max_upload_mb:
        raise SettingsError(
            f"ASR_MAX_SPOOL_MB={loaded.max_spool_mb} is less than ASR_MAX_UPLOAD_MB={loaded.max_upload_mb}: "
            "the largest upload must fit"
        )
    apart = {"api", "segmenters", "instances"} - loaded.runs
    if apart and not loaded.redis_url:
        raise SettingsError(
            f"ASR_PARTS={loaded.parts} leaves {' and '.join(sorted(apart))} to other hosts, which cannot "
            "reach the embedded Redis: run one of your own and set its ASR_REDIS_URL on every host"
        )
    if bool(loaded.tls_cert) != bool(loaded.tls_key):
        there, missing = ("CERT", "KEY") if loaded.tls_cert else ("KEY", "CERT")
        raise SettingsError(f"ASR_TLS_{there} is set and ASR_TLS_{missing} is not: both, or neither")
    secrets = [key for _, key in loaded.given_keys]
    if len(secrets) > len(set(secrets)):
        raise SettingsError("ASR_API_KEYS has a key twice: whose is it?")
    return loaded


def _read_file(path: Path) -> dict[str, str]:
    try:
        bindings = list(parse_stream(io.StringIO(path.read_text(encoding="utf-8"))))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from None
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            raise SettingsError(f"{path}, line {binding.original.line}: expected NAME=value")
    return {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}


def _convert(field: str, value: str) -> object:
    try:
        return msgspec.convert(value.strip(), types()[field], strict=False)
    except msgspec.ValidationError as error:
        shown = "" if field in _SECRET else f"={value!r}"
        raise SettingsError(f"{variable(field)}{shown} is not allowed; it is {allowed(field)}") from (
            None if field in _SECRET else error
        )
