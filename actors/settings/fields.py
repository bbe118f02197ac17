"""Every setting, with its range, its default and what it is for."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

#: A name, which logs may show, and a key of printable ASCII, neither with a comma or a colon.
_API_KEY = r"([A-Za-z0-9_.-]{1,40}:)?[!-+\-./0-9;-~]{8,200}"
API_KEYS = rf"^$|^{_API_KEY}(,{_API_KEY})*$"

#: What may be shown to everyone: any of these.
_PUBLIC = "(page|metrics|stats|monitoring)"
PUBLIC = rf"^$|^{_PUBLIC}(,{_PUBLIC})*$"

#: What may run on a host, and what of it does unless `ASR_PARTS` says otherwise: all.
PARTS = ("api", "monitor", "courier", "segmenters", "instances")
_PART = f"({'|'.join(PARTS)})"

Port = Annotated[int, Meta(ge=1, le=65535)]


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
