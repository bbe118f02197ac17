# Quintet's commands. `./justw` runs them on a machine that has no `just`.
set positional-arguments
set shell := ["sh", "-eu", "-c"]

python := ".venv/bin/python"
packages := "api actors monitoring deploy loadtest tests"

[private]
default:
    @{{ quote(just_executable()) }} --list --unsorted

# transcribe one English and one Chinese sample, starting the service if it is down
[group('use')]
[no-exit-message]
demo: setup
    @{{ python }} -m deploy.demo

# transcribe a file of yours: lang auto|zh|en|ja|ko|yue, format srt|vtt|tsv|txt|json
[group('use')]
[no-exit-message]
transcribe FILE lang="auto" format="srt": setup
    @{{ python }} -m deploy.transcribe --from {{ quote(invocation_directory()) }} -- "$@"

# how much the service takes and what limits it: loadtest [PROFILE] [name=value…] [--fail-if "p95>2s,errors>0"]
[group('use')]
[no-exit-message]
loadtest *ARGS: setup
    @{{ python }} -m loadtest --from {{ quote(invocation_directory()) }} "$@"

# how much hardware a load takes: plan --hours-per-day 100000 --p95 2s --gpu l4 [--mix 8s=30,5min=40,1h=30]
[group('use')]
[no-exit-message]
plan *ARGS: setup
    @{{ python }} -m loadtest.capacity --from {{ quote(invocation_directory()) }} "$@"

# start the service and wait until every instance is ready
[group('service')]
[no-exit-message]
start: setup
    @{{ python }} -m deploy.service start

# stop the service, leaving no process behind
[group('service')]
[no-exit-message]
stop: (_service "stop")

# stop and start, which applies changed settings; --rolling: the workers one by one, while requests go on
[group('service')]
[no-exit-message]
restart *ARGS: setup
    @{{ python }} -m deploy.service restart "$@"

# show every process and every instance; exit 3 when the service is not running
[group('service')]
[no-exit-message]
status: (_service "status")

# show what the processes log: logs [-f] [--job ID] [--level LEVEL] [--json] [api|segmenter-1|instance|…]
[group('service')]
[no-exit-message]
logs *ARGS:
    @{{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} _service logs "$@"

# who may use it: keys add NAME [--uploads-per-minute N] [--jobs N], keys list, keys revoke NAME|ID
[group('service')]
[no-exit-message]
keys *ARGS:
    @if [ ! -e .venv/.setup-done ]; then echo "Quintet is not set up: ./justw setup"; exit 2; fi
    @{{ python }} -m deploy.keys "$@"

# show the alerts that fire, and those resolved last; exit 1 while one fires, 2 if nobody knows
[group('service')]
[no-exit-message]
alerts:
    @if [ ! -e .venv/.setup-done ]; then echo "Quintet is not set up: ./justw setup"; exit 2; fi
    @{{ python }} -m deploy.alerts

# a page of charts from the monitor's snapshots: report [--since 24h] [--out report.html]
[group('service')]
[no-exit-message]
report *ARGS:
    @if [ ! -e .venv/.setup-done ]; then echo "Quintet is not set up: ./justw setup"; exit 2; fi
    @{{ python }} -m deploy.report --from {{ quote(invocation_directory()) }} "$@"

# make the environment from the lock and fetch the weights; does nothing when nothing changed
[group('set-up')]
[no-exit-message]
setup:
    @python=$(deploy/python.sh) && "$python" -m deploy.setup

# run the tests: test [pytest's arguments]
[group('development')]
[no-exit-message]
test *ARGS: setup
    @{{ python }} -m deploy.browser
    @{{ python }} -m pytest "$@"

# lint, format, types, and known vulnerabilities, as CI runs them
[group('development')]
[no-exit-message]
check: setup
    {{ python }} -m ruff check {{ packages }}
    {{ python }} -m ruff format --check {{ packages }}
    {{ python }} -m mypy {{ packages }}
    {{ python }} -m basedpyright {{ packages }}
    {{ python }} -m deploy.audit --lenient

# known vulnerabilities of the locked packages; exit 1 if there are any, 2 if nobody could be asked
[group('development')]
[no-exit-message]
audit *ARGS: setup
    @{{ python }} -m deploy.audit "$@"

# what this installation consists of, packages and models, as CycloneDX JSON: sbom [FILE]
[group('development')]
[no-exit-message]
sbom *ARGS: setup
    @{{ python }} -m deploy.sbom --from {{ quote(invocation_directory()) }} "$@"

# how short requests fare alone and beside a long one, with the service up: bench-lanes [--hours 2]
[group('development')]
[no-exit-message]
bench-lanes *ARGS: setup
    @{{ python }} -m tests.bench_lanes "$@"

# damaged recordings through decode and VAD, or to the running service: fuzz [--files 10000] [--http N] [--seed N]
[group('development')]
[no-exit-message]
fuzz *ARGS: setup
    @{{ python }} -m tests.fuzz --from {{ quote(invocation_directory()) }} "$@"

# ten times more than the service can do, on one of its own: overload [--times 10] [--minutes 2]
[group('development')]
[no-exit-message]
overload *ARGS: setup
    @{{ python }} -m tests.overload "$@"

# what has grown after an hour of good and bad use, of a service of its own: soak [--minutes 60] [--looks 4]
[group('development')]
[no-exit-message]
soak *ARGS: setup
    @{{ python }} -m tests.soak "$@"

# faults under load, on a service of its own: chaos [--minutes N] [--seed S] [--faults kill-redis,disk-full,…]
[group('development')]
[no-exit-message]
chaos *ARGS: setup
    @{{ python }} -m tests.chaos "$@"

# a host with workers is cut off under load, and comes back; root only, else it is stopped: hosts [--cuts 4] [--seconds 30]
[group('development')]
[no-exit-message]
hosts *ARGS: setup
    @{{ python }} -m tests.hosts "$@"

# this service beside FunASR's own server, on the same weights and load: compare [--model FOLDER] [--users 1,4,10,32]
[group('development')]
[no-exit-message]
compare *ARGS: setup
    @{{ python }} -m loadtest.versus --from {{ quote(invocation_directory()) }} "$@"

# the performance targets and what is reached here: bench [--only vad,http] [--check [EARLIER.json]] [--full|--quick]
[group('development')]
[no-exit-message]
bench *ARGS: setup
    @{{ python }} -m loadtest.bench --from {{ quote(invocation_directory()) }} "$@"

# list the weights and what is on disk, or fetch some: models [fetch NAME…]
[group('set-up')]
[no-exit-message]
models *ARGS: setup
    @{{ python }} -m actors.weights "$@"

# bring deploy/requirements.lock to what pyproject.toml says, or all of it to the newest: lock [--upgrade]
[group('development')]
[no-exit-message]
lock *ARGS: setup
    @{{ python }} -m deploy.lock "$@"

# how to begin, and these commands
[group('set-up')]
help:
    @echo "Quintet turns speech into subtitles. Begin with:"
    @echo "    ./justw demo                  set up, start, and transcribe two samples"
    @echo "    ./justw transcribe talk.mp3   transcribe a file of yours"
    @echo "    ./justw stop                  stop the service"
    @echo "Settings are ASR_* variables, from the environment or .env: see docs/settings.md."
    @echo
    @{{ quote(just_executable()) }} --list --unsorted

# These never set up: to look at a service or to stop it must not change the packages that it runs on.
[private]
[no-exit-message]
_service *ARGS:
    @if [ ! -e .venv/.setup-done ]; then \
        echo "Quintet is not running (and not set up: ./justw setup)."; \
        if [ "$1" = status ]; then exit 3; fi; exit 0; \
    fi; \
    exec {{ python }} -m deploy.service "$@"
