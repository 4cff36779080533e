"""What there is to say about a report at first sight: how it stands, and how bad that is.

A tone is how bad: good, run, idle, warn or bad. It only picks a colour; the words say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from web.report import ActiveJobReport, KindReport, StatusReport, StreamReport, TroubleReport

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


class Verdict(NamedTuple):
    """How something stands, in a few words."""

    tone: str
    text: str


class Stuck(NamedTuple):
    """An active job that a person should look at, and where it belongs."""

    number: int
    stream: StreamReport
    kind: KindReport
    job: ActiveJobReport
    trouble: TroubleReport


def title(stream: StreamReport) -> str:
    """Name a stream as logs do."""
    return "the environment's stream" if stream.name is None else stream.name


def words(kind: KindReport) -> str:
    """Name a kind as logs do."""
    return kind.kind.replace("-", " ")


def sentence(text: str) -> str:
    """Begin a text with a capital."""
    return text[:1].upper() + text[1:]


def steps(trouble: TroubleReport) -> list[str]:
    """Take a remedy apart: each of its steps on its own is found faster."""
    return [sentence(step) for step in trouble.remedy.split("; ")]


def stuck_jobs(report: StatusReport) -> Iterator[Stuck]:
    """Find the jobs that have trouble, with the number of their stream on the page."""
    for number, stream in enumerate(report.streams, 1):
        for kind in stream.kinds:
            for job in kind.active:
                if job.trouble is not None:
                    yield Stuck(number, stream, kind, job, job.trouble)


def overall(report: StatusReport) -> Verdict:
    """Say how the service stands: the worst of it."""
    known = report.store.reachable
    stuck = len(list(stuck_jobs(report)))
    bad = sum(of_stream(stream, jobs_known=known).tone == "bad" for stream in report.streams)
    if not known:
        return Verdict("bad", "The store does not answer")
    if not report.ready:
        return Verdict("bad", "Not ready")
    if report.problem is not None:
        return Verdict("bad", "Not working")
    if stuck:
        return Verdict("bad", f"{stuck} jobs are stuck" if stuck > 1 else "1 job is stuck")
    if bad:
        return Verdict("warn", f"{bad} streams need a look" if bad > 1 else "1 stream needs a look")
    return Verdict("good", "Working")


def of_stream(stream: StreamReport, *, jobs_known: bool) -> Verdict:
    """Say how a stream stands: the worst of its kinds, or that there is nothing to say of them."""
    concerns = [concern for kind in stream.kinds for concern in _concerns(kind)]
    if concerns:
        return min(concerns, key=lambda concern: concern[0])[1]
    if not any(kind.enabled for kind in stream.kinds):
        return Verdict("idle", "disabled")
    if not jobs_known:
        return Verdict("idle", "jobs not known")
    return Verdict("good", "fine") if stream.synced else Verdict("idle", "not synced")


def _concerns(kind: KindReport) -> Iterator[tuple[int, Verdict]]:
    """List what is worth a word about a kind, with its rank: the lowest goes first."""
    result = None if kind.last_outcome is None else kind.last_outcome.result
    if any(job.trouble for job in kind.active):
        yield 0, Verdict("bad", f"{words(kind)} stuck")
    if result in ("missed", "failed"):
        yield 1, Verdict("bad", f"{words(kind)} {result}")
    if result == "waits":
        yield 2, Verdict("warn", f"{words(kind)} waits")
    if kind.last_job is not None and kind.last_job.status == "failed":
        yield 1, Verdict("bad", f"last {words(kind)} failed")
    if kind.active:
        yield 3, Verdict("run", f"{words(kind)} {kind.active[0].status}")
