"""Advice on what went wrong: requests that failed, a service that was not healthy, texts that differ."""

import re
from collections.abc import Iterator
from typing import Final

from actors.settings import Settings
from loadtest.advice.piece import Advice, Rule
from loadtest.figures import Errors, Figures
from loadtest.records import Run
from monitoring.axes import duration

#: From this error rate on a text is hardly in the language that was spoken.
_WRONG_LANGUAGE: Final = 0.3

_SETTING: Final = re.compile(r"ASR_[A-Z_]+")
_SETTINGS: Final = frozenset(f"ASR_{name.upper()}" for name in Settings.__struct_fields__)


def _errors(run: Run, figures: Figures) -> Iterator[Advice]:
    for error in figures.errors:
        shown = f", the first after {duration(error.first_s)}" if error.first_s >= 1 else ""
        reason = f": {error.reason}" if error.reason else ""
        named = tuple(name for name in dict.fromkeys(_SETTING.findall(error.reason)) if name in _SETTINGS)
        finding = f"{error.count} of {figures.requests} requests ended in {error.outcome!r}{shown}{reason}."
        remedy, settings = _remedy(run, error)
        yield Advice(finding=finding, remedy=remedy, settings=named or settings)


def _remedy(run: Run, error: Errors) -> tuple[str, tuple[str, ...]]:
    match error.outcome:
        case "429":
            remedy = "Send less at once, or to /jobs, or let more wait."
            return remedy, ("ASR_REQUEST_TIMEOUT_S", "ASR_MAX_BACKLOG_S", "ASR_MAX_SPOOL_MB")
        case "timeout":
            return f"The runner gave up after {run.plan.timeout:g} s: send less at once, or add capacity.", ()
        case "504":
            return "A segment took too long: add capacity, or wait longer.", ("ASR_REQUEST_TIMEOUT_S",)
        case "503":
            return "No instance was ready, or Redis was away: ./justw status and ./justw logs say why.", ()
        case "413":
            return "Send smaller recordings, or allow larger ones.", ("ASR_MAX_UPLOAD_MB", "ASR_MAX_AUDIO_S")
        case "401":
            return "Give the runner a key of the service: ASR_LOADTEST_KEY.", ()
        case "connection":
            return "Nothing answered: see whether the API was running, ./justw status.", ()
        case "wrong text":
            return "The text depends on what is recognised with it: try one at a time.", ("ASR_BATCH_ROWS",)
        case _:
            return "./justw logs --level error may say more.", ()


def _sick(_run: Run, figures: Figures) -> Iterator[Advice]:
    if figures.watched and (health := figures.watched.health).unhealthy_s > 0:
        worst = (
            f"; at worst {health.fewest_instances} of {health.most_instances} instances worked"
            if health.most_instances
            else ""
        )
        yield Advice(
            finding=f"The service was not healthy for {duration(health.unhealthy_s)}{worst}.",
            remedy="./justw logs --process instance says what became of them.",
        )


def _inaccurate(run: Run, figures: Figures) -> Iterator[Advice]:
    rate = figures.correctness.error_rate
    if rate is not None and rate > _WRONG_LANGUAGE:
        language = (
            "name the language of the recordings" if run.plan.language == "auto" else "check --language"
        )
        yield Advice(
            finding=f"{rate:.0%} of the words differ from the reference.",
            remedy=f"The model may have taken the language for another: {language}, or try another model.",
            settings=("ASR_MODEL",),
        )


RULES: Final[tuple[Rule, ...]] = (_errors, _sick, _inaccurate)
