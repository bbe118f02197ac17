"""A profile in Markdown: who spent the processors' time, and how long a stage takes."""

from collections.abc import Iterator

from loadtest.bench.profile import Profile
from loadtest.report.words import kind
from monitoring.axes import duration


def markdown(row: str, profile: Profile) -> Iterator[str]:
    """The lines on a row's profile."""
    yield (
        f"Where the time went in the last round of `{row}`: {profile.cores} cores for "
        f"{profile.wall_s:.1f} s, in which {profile.audio_s:.0f} s of speech were recognised, in "
        f"{profile.batches} batches of {profile.batch_rows:.2f} segments. Of the instances' processor "
        f"time their engines took {profile.engine_share:.0%}."
    )
    yield ""
    yield "| program | processor | per second of speech | of all cores |"
    yield "|---|---:|---:|---:|"
    for name, spent_s in _programs(profile):
        per_audio_ms = 1000 * spent_s / max(profile.audio_s, 1e-9)
        share = spent_s / (profile.cores * profile.wall_s)
        yield f"| {name} | {spent_s:.2f} s | {per_audio_ms:.2f} ms | {share:.1%} |"
    yield ""
    yield "| stage, by the clock | number | mean | p50 | p95 |"
    yield "|---|---:|---:|---:|---:|"
    for stage, took in profile.stages.items():
        times = " | ".join(map(duration, (took.mean_s, took.p50_s, took.p95_s)))
        yield f"| {stage} | {took.count} | {times} |"


def _programs(profile: Profile) -> Iterator[tuple[str, float]]:
    """Those of a kind together, then each; the largest kind first, and at last what none of them spent."""
    kinds: dict[str, dict[str, float]] = {}
    for name, spent_s in sorted(profile.programs.items()):
        kinds.setdefault(kind(name), {})[name] = spent_s
    for of, each in sorted(kinds.items(), key=lambda item: -sum(item[1].values())):
        if len(each) == 1:
            yield from each.items()
        else:
            yield f"{of}, all {len(each)}", sum(each.values())
            yield from ((f"· {name}", spent_s) for name, spent_s in each.items())
    yield "idle, and other programs", profile.cores * profile.wall_s - sum(profile.programs.values())
