"""The state of the service and of its streams in a few words.

A tone is how serious a state is: good, run, idle, warn or bad. It only selects a colour, because
the words alone must be enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

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


class StuckEntry(NamedTuple):
    """A stuck job, with its stream and the number of that stream on the page."""

    number: int
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


def stuck_jobs(report: StatusReport) -> Iterator[StuckEntry]:
    """Yield all stuck jobs."""
    for number, stream in enumerate(report.streams, 1):
        for kind in stream.kinds:
            for job in kind.active:
                if job.trouble is not None:
                    yield StuckEntry(number, stream, kind, job, job.trouble)


def overall(report: StatusReport) -> Summary:
    """Return the most serious fact about the service."""
    known = report.store.reachable
    stuck = len(list(stuck_jobs(report)))
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
    concerns = [concern for kind in stream.kinds for concern in _concerns(kind)]
    if concerns:
        return min(concerns, key=lambda concern: concern[0])[1]
    if not any(kind.enabled for kind in stream.kinds):
        return Summary("idle", "disabled")
    if not jobs_known:
        return Summary("idle", "jobs not known")
    return Summary("good", "fine") if stream.synced else Summary("idle", "not synced")


def _concerns(kind: KindReport) -> Iterator[tuple[int, Summary]]:
    """Yield each notable fact about a kind with its rank; rank 0 is the most serious."""
    result = None if kind.last_outcome is None else kind.last_outcome.result
    if any(job.trouble for job in kind.active):
        yield 0, Summary("bad", f"{kind_name(kind)} stuck")
    if result in ("missed", "failed"):
        yield 1, Summary("bad", f"{kind_name(kind)} {result}")
    if result == "waits":
        yield 2, Summary("warn", f"{kind_name(kind)} waits")
    if kind.last_job is not None and kind.last_job.status == "failed":
        yield 1, Summary("bad", f"last {kind_name(kind)} failed")
    if kind.active:
        yield 3, Summary("run", f"{kind_name(kind)} {kind.active[0].status}")
