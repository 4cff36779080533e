"""What the service knows, as values: status page, JSON and command line show these same facts.

The keys are stable, and their descriptions go into the OpenAPI document. Instants are aware and
in UTC; who shows them to a person converts them to the service's zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST_LISTED = 100  # jobs and fire times of one kind

Slug: TypeAlias = Literal["initial-sync", "healing", "dump"]
JobStatus: TypeAlias = Literal["busy", "scheduled", "success", "failed", "canceled", "unknown"]
Result: TypeAlias = Literal[
    "created", "done", "waits", "superseded", "missed", "cleaned", "refused", "failed"
]


def _sendable(text: str) -> str:
    """Make `?` of half a character (a lone surrogate): it may come from a store, but go nowhere."""
    return text.encode(errors="replace").decode()


Text: TypeAlias = Annotated[str, AfterValidator(_sendable)]  # the store's words may be in it


class Report(BaseModel):
    """A part of the status; immutable."""

    model_config = ConfigDict(frozen=True)


class JobReport(Report):
    """A job as the store has it."""

    uri: Text = Field(description="the job's URI")
    status: JobStatus = Field(description="the last segment of its status, if that is a known one")
    created: datetime | None = Field(description="its `dct:created`")
    modified: datetime | None = Field(
        description="the newest date of the job and its tasks: its last sign of life"
    )


class TroubleReport(Report):
    """Why an active job is taken for stuck."""

    cause: str = Field(description="what is wrong, in a few words that stay the same")
    since: datetime = Field(description="since when it counts as stuck, by its dates in the store")
    message: Text = Field(description="what is wrong with this very job")
    remedy: Text = Field(description="what to do about it")


class ActiveJobReport(JobReport):
    """A job that is busy or scheduled."""

    trouble: TroubleReport | None = Field(description="why it is taken for stuck; null if it isn't")


class OutcomeReport(Report):
    """What became of the last tick, or of the last call, of a kind, as this process saw it."""

    result: Result = Field(description="what became of it")
    at: datetime = Field(description="when that was known")
    tick: datetime | None = Field(description="the tick's fire time; null for a person's call")
    reason: Text = Field(description="why, in words; empty where a job was created")
    job: Text | None = Field(
        description="URI of the job that was created, did it, or is in its way"
    )


class KindReport(Report):
    """One job kind of a stream."""

    kind: Slug = Field(description="the job kind")
    enabled: bool = Field(description="whether jobs of this kind may be created")
    job_operation: str | None = Field(description="its job operation")
    task_operation: str = Field(description="the operation of its tasks")
    pattern: str | None = Field(description="its cron pattern; null where it has no schedule")
    pattern_in_words: str | None = Field(description="the same in English")
    next_fire_time: datetime | None = Field(description="when its next tick is due")
    coming: tuple[datetime, ...] = Field(
        description="its fire times in the next 24 hours, the first hundred"
    )
    passed: tuple[datetime, ...] = Field(
        (),
        description="its fire times in the last 24 hours by this pattern, the newest hundred, "
        "the oldest first",
    )
    last_job: JobReport | None = Field(description="its job that was created last")
    last_success: datetime | None = Field(description="when its newest successful job was created")
    last_outcome: OutcomeReport | None = Field(
        description="what became of its last tick or call; null since the process's start"
    )
    active: tuple[ActiveJobReport, ...] = Field(description="its active jobs, the oldest first")
    recent: tuple[JobReport, ...] = Field(
        description="its jobs of the last 24 hours, the newest hundred, the oldest first"
    )


class StreamReport(Report):
    """One stream."""

    name: str | None = Field(description="its name; null for the environment's stream")
    jobs_graph: str = Field(description="the graph its jobs are written to")
    error_creator: str = Field(description="`dct:creator` of its errors")
    synced: bool | None = Field(
        description="whether its initial sync succeeded, or a healing, which counts as that; "
        "null while the store does not answer"
    )
    kinds: tuple[KindReport, ...] = Field(description="its job kinds, always all three")


class StoreReport(Report):
    """The triplestore."""

    endpoint: str = Field(description="where queries go")
    reachable: bool = Field(description="whether it answered for this report")
    problem: Text | None = Field(description="why it did not")


class StatusReport(Report):
    """Everything."""

    version: str = Field(description="version of the service")
    now: datetime = Field(description="when this was read")
    started: datetime = Field(description="when the process started")
    uptime_seconds: float = Field(description="seconds since then")
    time_zone: str = Field(description="zone of the schedules, the log and the page")
    ready: bool = Field(description="whether the store was reached and the schedules are armed")
    problem: str | None = Field(description="what keeps the service from working; null if nothing")
    store: StoreReport = Field(description="the triplestore")
    streams: tuple[StreamReport, ...] = Field(description="the streams, as they are configured")
