"""The state of the service and of its streams in a few words.

A tone is how serious a state is: good, run, idle, warn or bad. It only selects a colour, because
the words alone must be enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jobs.text import count
from web.status.report import (
    ActiveJobReport,
    KindReport,
    StatusReport,
    StreamReport,
    StuckJobReport,
)

STATUS_TONES = {
    "busy": "run",
    "scheduled": "run",
    "success": "good",
    "failed": "bad",
    "canceled": "idle",
    "unknown": "idle",
}
RESULT_TONES = {
    "created": "good",
    "done": "good",
    "waits": "warn",
    "superseded": "idle",
    "missed": "bad",
    "cleaned": "idle",
    "refused": "warn",
    "failed": "bad",
}


class Summary(NamedTuple):
    """The state of the service or of a stream in a few words."""

    tone: str
    text: str


class Concern(NamedTuple):
    """A notable fact about a kind. Rank 0 is the most serious; `reason` may be empty."""

    rank: int
    summary: Summary
    reason: str


class StuckEntry(NamedTuple):
    """A stuck job, with its stream."""

    stream: StreamReport
    kind: KindReport
    job: ActiveJobReport
    diagnosis: StuckJobReport


def stream_name(stream: StreamReport) -> str:
    """Return the name of a stream, as log lines write it."""
    return "the environment's stream" if stream.name is None else stream.name


def kind_name(kind: KindReport) -> str:
    """Return the name of a kind, as log lines write it."""
    return kind.kind.replace("-", " ")


def capitalized(text: str) -> str:
    """Return the text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def steps(diagnosis: StuckJobReport) -> list[str]:
    """Return the steps of a remedy one by one, which are easier to read as a list."""
    return [capitalized(step) for step in diagnosis.remedy.split("; ")]


def active_jobs(report: StatusReport) -> str:
    """Return how many active jobs the streams have; more than were read are `5,000 or more`."""
    number = sum(kind.active_count for stream in report.streams for kind in stream.kinds)
    if not report.store.complete:
        return f"{number:,} or more active jobs"
    return f"{number:,} active jobs" if number > 1 else count(number, "active job")


def stuck_count(report: StatusReport) -> int:
    """Return how many jobs are stuck, those included that the report does not list."""
    return sum(sum(kind.stuck.values()) for stream in report.streams for kind in stream.kinds)


def stuck_jobs(report: StatusReport) -> Iterator[StuckEntry]:
    """Yield the stuck jobs that the report lists."""
    for stream in report.streams:
        for kind in stream.kinds:
            for job in kind.active:
                if job.trouble is not None:
                    yield StuckEntry(stream, kind, job, job.trouble)


def overall(report: StatusReport) -> Summary:
    """Return the most serious fact about the service."""
    known = report.store.reachable
    stuck = stuck_count(report)
    bad = sum(of_stream(stream, jobs_known=known).tone == "bad" for stream in report.streams)
    if not known:
        return Summary("bad", "The store does not answer")
    if not report.ready:
        return Summary("bad", "Not ready")
    if report.problem is not None:
        return Summary("bad", "Not working")
    if stuck:
        return Summary("bad", f"{stuck} jobs are stuck" if stuck > 1 else "1 job is stuck")
    if bad:
        text = f"{bad} streams need attention" if bad > 1 else "1 stream needs attention"
        return Summary("warn", text)
    return Summary("good", "Working")


def of_stream(stream: StreamReport, *, jobs_known: bool) -> Summary:
    """Return the most serious fact about a stream."""
    concern = most_serious(stream)
    if concern:
        return concern.summary
    if not any(kind.enabled for kind in stream.kinds):
        return Summary("idle", "disabled")
    if not jobs_known:
        return Summary("idle", "jobs not known")
    return Summary("idle", "not synced") if stream.synced is False else Summary("good", "fine")


def most_serious(stream: StreamReport) -> Concern | None:
    """Return the most serious fact about the kinds of a stream; None if nothing is notable."""
    concerns = [concern for kind in stream.kinds for concern in _concerns(kind)]
    return min(concerns, key=lambda concern: concern.rank, default=None)


def _concerns(kind: KindReport) -> Iterator[Concern]:
    """Yield each notable fact about a kind."""
    name = kind_name(kind)
    outcome = kind.last_outcome
    if kind.stuck:
        yield Concern(0, Summary("bad", f"{name} stuck"), ", ".join(kind.stuck))
    if outcome and outcome.result in ("missed", "failed"):
        yield Concern(1, Summary("bad", f"{name} {outcome.result}"), outcome.reason)
    if outcome and outcome.result == "waits":
        yield Concern(2, Summary("warn", f"{name} waits"), outcome.reason)
    if kind.last_job is not None and kind.last_job.status == "failed":
        yield Concern(1, Summary("bad", f"last {name} failed"), "")
    if kind.active:
        yield Concern(3, Summary("run", f"{name} {kind.active[0].status}"), "")
