"""The settings of one process, read once from `ASR_*` variables and `.env`."""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
import msgspec.inspect
from dotenv.parser import parse_stream
from msgspec import Meta

PREFIX = "ASR_"

#: A key for another's service, which is for the load test and no setting of this one.
LOADTEST_KEY = "ASR_LOADTEST_KEY"

#: The folder that holds everything a checkout makes at run time: weights, Redis data, logs.
STATE_DIR = Path(__file__).resolve().parent.parent / ".quintet"

#: A name, which logs may show, and a key of printable ASCII, neither with a comma or a colon.
_API_KEY = r"([A-Za-z0-9_.-]{1,40}:)?[!-+\-./0-9;-~]{8,200}"
API_KEYS = rf"^$|^{_API_KEY}(,{_API_KEY})*$"

#: What may be shown to everyone: any of these.
_PUBLIC = "(page|metrics|stats|monitoring)"
PUBLIC = rf"^$|^{_PUBLIC}(,{_PUBLIC})*$"

#: What may run on a host, and what of it does unless `ASR_PARTS` says otherwise: all.
PARTS = ("api", "monitor", "courier", "segmenters", "instances")
_PART = f"({'|'.join(PARTS)})"

#: What is not repeated in messages: a URL may hold a password.
_SECRET = {"redis_url", "api_keys", "callback_secret", "alert_webhook"}

Port = Annotated[int, Meta(ge=1, le=65535)]


class SettingsError(ValueError):
    """A setting is unknown or outside its range; the message names it and what is allowed."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator may choose; each field is the environment variable `ASR_<NAME>`."""

    host: Annotated[str, Meta(min_length=1, description="address the API listens on")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="port the API listens on")] = 5002
    instances: Annotated[int, Meta(ge=1, le=64, description="model instances on this machine")] = 5
    express_instances: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            description="of these instances, those that leave recordings over 60 s to the others",
        ),
    ] = 1
    segmenters: Annotated[int, Meta(ge=1, le=64, description="decode and VAD processes on this machine")] = 1
    devices: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|\d+(,\d+)*)$",
            description="`auto` (every visible GPU, else CPU), `cpu`, or GPU numbers such as `0,1`",
        ),
    ] = "auto"
    model: Annotated[
        str,
        Meta(
            min_length=1,
            description="`auto`, a model by name, a SenseVoice folder, or `module:Class` of your own",
        ),
    ] = "auto"
    precision: Annotated[
        Literal["auto", "float32", "float16", "bfloat16", "int8"],
        Meta(description="what the model calculates in; `auto`: float16 on a GPU, int8 on a CPU made for it"),
    ] = "auto"
    redis_url: Annotated[
        str,
        Meta(
            pattern=r"^$|^rediss?://[^/?#]+(/\d*)?(\?(?!.*\bdb=)[^#]*)?$|^unix://[^?]+(\?db=\d+)?$"
            r"|^rediss?\+sentinel://[^/?#]+/[^/?#]+(/\d*)?(\?(?!.*\bdb=)[^#]*)?$",
            description="a Redis of your own, `redis://…`, `rediss://…`, `unix://…` or "
            "`redis+sentinel://host,host/master` (docs/redis.md); empty: the embedded one",
        ),
    ] = ""
    node: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_.-]{0,253}$",
            description="what this host is called among those that share a Redis; empty: its hostname",
        ),
    ] = ""
    parts: Annotated[
        str,
        Meta(
            pattern=rf"^{_PART}(,{_PART})*$",
            description="what runs on this host, of these parts, separated by commas; less than all of it "
            "needs `ASR_REDIS_URL` on every host",
        ),
    ] = ",".join(PARTS)
    batch_rows: Annotated[
        int,
        Meta(
            ge=0, le=1024, description="segments an instance recognises at once; 0: 8 on a CPU, 32 on a GPU"
        ),
    ] = 0
    batch_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86400,
            description="seconds of them, with padding where the model pads; 0: 20 on a CPU, 600 on a GPU",
        ),
    ] = 0
    instance_max_mb: Annotated[
        int,
        Meta(
            ge=0,
            le=1048576,
            description="memory of an instance's own, weights that it shares aside, past which it is started "
            "anew; 0: any",
        ),
    ] = 2048
    max_retries: Annotated[
        int, Meta(ge=0, le=20, description="further tries of a segment whose recognition failed")
    ] = 3
    request_timeout_s: Annotated[
        int, Meta(ge=1, le=86400, description="longest wait of a synchronous request without progress")
    ] = 30
    load_timeout_s: Annotated[int, Meta(ge=1, le=86400, description="longest wait for a model to load")] = 600
    batch_timeout_s: Annotated[
        int,
        Meta(ge=1, le=86400, description="longest that an engine may take for a batch; then it is replaced"),
    ] = 300
    hang_timeout_s: Annotated[
        int,
        Meta(
            ge=0,
            le=86400,
            description="silence of a process after which it is killed and started again; 0: none",
        ),
    ] = 60
    max_upload_mb: Annotated[int, Meta(ge=1, le=10240, description="largest upload")] = 500
    max_audio_s: Annotated[int, Meta(ge=1, le=86400, description="longest recording")] = 14400
    max_backlog_s: Annotated[
        int,
        Meta(ge=1, le=31536000, description="audio that may wait: beyond it uploads get 429"),
    ] = 3600
    max_spool_mb: Annotated[
        int, Meta(ge=1, le=1048576, description="audio kept in Redis, all jobs together")
    ] = 2048
    window_s: Annotated[
        int,
        Meta(ge=60, le=86400, description="audio a segmenter may be ahead of the recognisers, per job"),
    ] = 600
    result_ttl_s: Annotated[int, Meta(ge=60, le=2592000, description="how long results are kept")] = 86400
    api_keys: Annotated[
        str,
        Meta(
            pattern=API_KEYS,
            description="who may use it: keys separated by commas, each `key` or `name:key`; empty: everyone",
        ),
    ] = ""
    names: Annotated[
        str,
        Meta(
            pattern=r"^$|^\*$|^[A-Za-z0-9_.-]{1,253}(,[A-Za-z0-9_.-]{1,253})*$",
            description="names besides `localhost` that it may be called by, as behind a proxy, where it "
            "needs no key: separated by commas, or `*`; empty: none where it listens on this machine only, "
            "else any",
        ),
    ] = ""
    tls_cert: Annotated[
        str, Meta(description="a certificate in PEM, with those between it and its authority; empty: no TLS")
    ] = ""
    tls_key: Annotated[str, Meta(description="the key of that certificate, in PEM without a passphrase")] = ""
    public: Annotated[
        str,
        Meta(
            pattern=PUBLIC,
            description="what is shown without a key where keys are needed: of `page`, `metrics`, `stats`, "
            "`monitoring`, separated by commas",
        ),
    ] = ""
    key_uploads_per_minute: Annotated[
        int,
        Meta(
            ge=0,
            le=60000,
            description="uploads of one key in a minute, evenly or at once; 0: any number",
        ),
    ] = 0
    key_jobs: Annotated[
        int, Meta(ge=0, le=1000000, description="jobs of one key that have not ended; 0: any number")
    ] = 0
    callback_secret: Annotated[
        str,
        Meta(
            pattern=r"^$|^whsec_([A-Za-z0-9+/]{4}){8,}([A-Za-z0-9+/]{2}(==)?|[A-Za-z0-9+/]{3}=?)?$",
            description="key that signs callbacks, `whsec_` and 24 bytes or more in base64; "
            "empty: there are no callbacks",
        ),
    ] = ""
    callback_private: Annotated[
        bool, Meta(description="whether callbacks may go to addresses that are not public")
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="least severe event logged")
    ] = "info"
    monitor_interval_s: Annotated[
        int, Meta(ge=1, le=3600, description="pause between two looks of the monitor")
    ] = 30
    alerts: Annotated[
        str, Meta(description="a table of alert rules of your own; empty: `monitoring/alerts.toml`")
    ] = ""
    alert_webhook: Annotated[
        str,
        Meta(pattern=r"^$|^https?://.+", description="a URL that alerts are posted to as JSON; empty: none"),
    ] = ""

    @property
    def given_keys(self) -> list[tuple[str, str]]:
        """The name, which may be empty, and the key of each in `ASR_API_KEYS`."""
        parts = [item.rpartition(":") for item in self.api_keys.split(",") if item]
        return [(name, key) for name, _, key in parts]

    @property
    def shown(self) -> frozenset[str]:
        """What `ASR_PUBLIC` shows without a key."""
        return frozenset(self.public.split(","))

    @property
    def runs(self) -> frozenset[str]:
        """The `PARTS` that run on this host."""
        return frozenset(self.parts.split(","))

    @property
    def shares_redis(self) -> bool:
        """Whether other hosts can reach its Redis: one on a socket file serves this machine alone."""
        return not self.redis_url.startswith("unix:") and bool(self.redis_url)

    @property
    def express(self) -> int:
        """How many instances leave long recordings to the others: none where there are fewer than three."""
        return min(self.express_instances, self.instances - 1) if self.instances > 2 else 0


def load(env: Mapping[str, str] | None = None, dotenv_path: Path | None = None) -> Settings:
    """Read the settings; the environment wins over `.env`.

    Raises:
        SettingsError: a name is unknown or a value is not allowed.
    """
    path = dotenv_path or Path(__file__).resolve().parent.parent / ".env"
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


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def names() -> list[str]:
    """The environment variables of all settings."""
    return [variable(field) for field in Settings.__struct_fields__]


def allowed(field: str) -> str:
    """What a setting may be, for people."""
    info = msgspec.inspect.type_info(_types()[field])
    match info.type if isinstance(info, msgspec.inspect.Metadata) else info:
        case msgspec.inspect.IntType(ge=int(least), le=int(most)):
            return f"a whole number from {least} to {most}"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.LiteralType(values=values):
            return "one of " + ", ".join(str(value) for value in values)
        case _:
            return description(field)


def description(field: str) -> str:
    """What a setting is for."""
    match msgspec.inspect.type_info(_types()[field]):
        case msgspec.inspect.Metadata(extra_json_schema={"description": str(text)}):
            return text
        case _:
            raise LookupError(field)


def table() -> str:
    """All settings as a table in Markdown."""
    rows = [
        f"| `{variable(field)}` | {f'`{_text(default)}`' if default != '' else ''} | {_row(field)} |"
        for field, default in msgspec.structs.asdict(Settings()).items()
    ]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows, ""])


def _row(field: str) -> str:
    meaning, range_ = description(field), allowed(field)
    return meaning if range_ == meaning else f"{meaning}; {range_.removeprefix('a whole number ')}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _types() -> dict[str, Any]:
    return get_type_hints(Settings, include_extras=True)


def _convert(field: str, value: str) -> object:
    try:
        return msgspec.convert(value.strip(), _types()[field], strict=False)
    except msgspec.ValidationError as error:
        shown = "" if field in _SECRET else f"={value!r}"
        raise SettingsError(f"{variable(field)}{shown} is not allowed; it is {allowed(field)}") from (
            None if field in _SECRET else error
        )


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201
