"""The status as values: page, JSON, metrics and command line show these same facts.

The keys are stable, and the descriptions are part of the OpenAPI document. Instants are aware and
in UTC. The page and the command line convert them to the service's time zone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from jobs.text import encodable

UNNAMED = "-"  # the environment's stream in paths and labels; a name begins otherwise
MAX_DETAILED = 10  # streams of which one report lists the jobs and fire times of a day
MAX_LISTED = 100  # jobs and fire times of one kind
MAX_LISTED_SHORT = 3  # active jobs of one kind in a report that is not detailed

Slug: TypeAlias = Literal["initial-sync", "healing", "dump"]
JobStatus: TypeAlias = Literal["busy", "scheduled", "success", "failed", "canceled", "unknown"]
Result: TypeAlias = Literal[
    "created", "done", "waits", "superseded", "missed", "cleaned", "refused", "failed"
]
Text: TypeAlias = Annotated[str, AfterValidator(encodable)]  # may hold text from the store


class Report(BaseModel):
    """A part of the status; immutable. Its validator is built when the first report is made."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class JobReport(Report):
    """A job as it is in the store."""

    uri: Text = Field(description="URI of the job")
    status: JobStatus = Field(
        description="last segment of its `adms:status`; `unknown` if it is none of the others"
    )
    created: datetime | None = Field(description="its `dct:created`")
    modified: datetime | None = Field(
        description="its newest date; when it was created, if it has ended and is more than a day "
        "old"
    )


class StuckJobReport(Report):
    """Why an active job counts as stuck."""

    cause: str = Field(description="kind of problem, as a fixed short text")
    since: datetime | None = Field(
        description="since when it counts as stuck, by its dates in the store; null if it has none"
    )
    message: Text = Field(description="what is wrong with this job")
    remedy: Text = Field(description="what to do about it")


class ActiveJobReport(JobReport):
    """A job that is busy or scheduled."""

    trouble: StuckJobReport | None = Field(
        description="why it counts as stuck; null if it is not stuck"
    )


class OutcomeReport(Report):
    """The outcome of the last tick or call of a kind, as this process knows it."""

    result: Result = Field(description="the outcome")
    at: datetime = Field(description="when the outcome was known")
    tick: datetime | None = Field(description="fire time of the tick; null for a call")
    reason: Text = Field(description="reason for the outcome; empty if a job was created")
    job: Text | None = Field(
        description="URI of the job that was created, or that is the reason for the outcome"
    )


class KindReport(Report):
    """One job kind of a stream."""

    kind: Slug = Field(description="the job kind")
    enabled: bool = Field(description="whether jobs of this kind may be created")
    job_operation: str | None = Field(description="its job operation")
    task_operation: str = Field(description="operation of its tasks")
    task_operation_from: Literal["configuration", "earlier job", "default"] = Field(
        description="where that comes from; an earlier job is read at the start, for a healing"
    )
    pattern: str | None = Field(description="its cron pattern; null if it has no schedule")
    pattern_in_words: str | None = Field(description="the cron pattern in English")
    next_fire_time: datetime | None = Field(description="when its next tick is due")
    coming: tuple[datetime, ...] = Field(
        description="its fire times in the next 24 hours, at most the first 100; none if the "
        "report is not detailed"
    )
    passed: tuple[datetime, ...] = Field(
        (),
        description="its fire times in the last 24 hours by the present cron pattern, at most the "
        "newest 100, the oldest first; none if the report is not detailed",
    )
    last_job: JobReport | None = Field(description="its newest job")
    last_success: datetime | None = Field(description="when its newest successful job was created")
    last_outcome: OutcomeReport | None = Field(
        description="outcome of its last tick or call; null if there was none since the process "
        "started"
    )
    active: tuple[ActiveJobReport, ...] = Field(
        description="its active jobs, the oldest first; at most 100, or 3 if the report is not "
        "detailed, stuck ones before others"
    )
    active_count: int = Field(
        description="how many active jobs it has, or at least how many, see `store.complete`"
    )
    stuck: dict[str, int] = Field(description="how many of its active jobs are stuck, by the cause")
    recent: tuple[JobReport, ...] = Field(
        description="its jobs of the last 24 hours, at most the newest 100, the oldest first; none "
        "if the report is not detailed"
    )


class StreamReport(Report):
    """One stream."""

    name: str | None = Field(description="its name; null for the environment's stream")
    jobs_graph: str = Field(description="graph that its jobs are written to")
    error_creator: str = Field(description="`dct:creator` of its errors")
    origin: Text | None = Field(
        None,
        description="the override file and the keys that it replaces, or that variables set up "
        "the stream beside a config file; null if there is nothing of the kind",
    )
    synced: bool | None = Field(
        description="whether an initial sync of it succeeded, or a healing, which counts as one; "
        "null if the store does not say"
    )
    kinds: tuple[KindReport, ...] = Field(description="its three job kinds")


class StoreReport(Report):
    """The triplestore."""

    endpoint: str = Field(description="address that queries are sent to")
    reachable: bool = Field(description="whether it answered for this report")
    problem: Text | None = Field(description="why it did not answer; null if it did")
    history_problem: Text | None = Field(
        description="why it did not list the newest jobs of each kind that are more than a day "
        "old; null if it did"
    )
    complete: bool = Field(
        description="whether all active jobs were read; otherwise there are 5,000 or more"
    )


class StatusReport(Report):
    """The status of the service, its store and its streams."""

    version: str = Field(description="version of the service")
    now: datetime = Field(description="time of this report")
    started: datetime = Field(description="when the process started")
    uptime_seconds: float = Field(description="seconds since the process started")
    time_zone: str = Field(description="time zone of the schedules, the log and the page")
    ready: bool = Field(description="whether the schedules are armed and the scheduler runs")
    problem: str | None = Field(
        description="what keeps the service from working, the store aside; null if nothing does"
    )
    changed_files: tuple[Text, ...] = Field(
        (),
        description="files of the configuration that differ from what runs; a restart reads them",
    )
    store: StoreReport = Field(description="the triplestore")
    detailed: bool = Field(
        description="whether jobs and fire times of a day are listed; false for all streams if "
        "there are more than 10: `/<name>/status` lists them for one",
    )
    streams: tuple[StreamReport, ...] = Field(description="the streams, in configured order")
