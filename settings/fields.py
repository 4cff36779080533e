"""Every setting there is: its name, default and meaning, once."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from jobs.agenda import Policy
from jobs.diagnosis import Patience
from jobs.model import MAINTAINERS_HEALING, TASK_OPERATIONS, JobKind
from settings.values import (
    Duration,
    GivenMinutes,
    Host,
    Hours,
    Iri,
    Level,
    LogFormat,
    LogSwitch,
    Minutes,
    Name,
    Patient,
    Port,
    Seconds,
    Slot,
    Switch,
    Text,
    Url,
    Watch,
)
from sparql.vocabulary import SERVICE

EVERY_MIDNIGHT: Final = "0 0 0 * * *"


class KindFields(NamedTuple):
    """The fields of `StreamFields` that set up one job kind."""

    kind: JobKind
    job_operation: str
    task_operation: str
    pattern: str | None


KIND_FIELDS: Final = (
    KindFields(
        JobKind.INITIAL_SYNC,
        "initial_publication_graph_sync_job_operation",
        "initial_publication_graph_sync_task_operation",
        None,
    ),
    KindFields(
        JobKind.HEALING,
        "healing_job_operation",
        "healing_task_operation",
        "cron_pattern_healing_job",
    ),
    KindFields(
        JobKind.DUMP,
        "dump_file_creation_job_operation",
        "dump_file_creation_task_operation",
        "cron_pattern_dump_job",
    ),
)


class Choice(NamedTuple):
    """A switch and the value of it that allows something."""

    field: str
    allows: bool


class StreamFields(BaseModel):
    """What every stream has, wherever it is set up.

    `ENABLED_BY` and `FREED_BY` tell which switch enables a kind, and which lets a healing run
    without an initial sync: the environment and the file say it in opposite ways.
    """

    ENABLED_BY: ClassVar[dict[JobKind, Choice]]
    FREED_BY: ClassVar[Choice]

    initial_publication_graph_sync_job_operation: Iri | None = Field(
        None, description="job operation of the initial sync; required if that is allowed"
    )
    initial_publication_graph_sync_task_operation: Iri = Field(
        TASK_OPERATIONS + "initialPublicationGraphSyncing", description="its task operation"
    )
    dump_file_creation_job_operation: Iri | None = Field(
        None, description="job operation of the dump; required unless that is disabled"
    )
    dump_file_creation_task_operation: Iri = Field(
        TASK_OPERATIONS + "deltaDumpFileCreation", description="its task operation"
    )
    healing_job_operation: Iri | None = Field(
        None, description="job operation of the healing; required unless that is disabled"
    )
    healing_task_operation: Iri = Field(
        TASK_OPERATIONS + "patchPublicationGraph",
        description="its task operation; "
        f"the publication-graph-maintainer listens for `{MAINTAINERS_HEALING}`",
    )
    jobs_graph: Iri = Field(
        "http://mu.semte.ch/graphs/system/jobs", description="graph the jobs are written to"
    )
    cron_pattern_healing_job: Text = Field(EVERY_MIDNIGHT, description="healing schedule")
    cron_pattern_dump_job: Text = Field(EVERY_MIDNIGHT, description="dump schedule")
    start_initial_sync: Switch = Field(
        default=False, description="allow the initial sync, at startup and through the API"
    )


class EnvironmentStream(StreamFields):
    """The stream that environment variables set up."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper)
    ENABLED_BY: ClassVar = {
        JobKind.INITIAL_SYNC: Choice("start_initial_sync", allows=True),
        JobKind.HEALING: Choice("enable_healing_job_operation", allows=True),
        JobKind.DUMP: Choice("enable_dump_file_creation", allows=True),
    }
    FREED_BY: ClassVar = Choice("heal_must_wait_for_initial_sync", allows=False)

    heal_must_wait_for_initial_sync: Switch = Field(
        default=True,
        description="no healing before a successful initial sync; `false` mostly for debugging",
    )
    enable_dump_file_creation: Switch = Field(
        default=True, description="`false`: no dump job is ever created, API included"
    )
    enable_healing_job_operation: Switch = Field(
        default=True, description="`false`: no healing job is ever created, API included"
    )


class FileStream(StreamFields):
    """One stream of the config file. Where its defaults differ, they are the Node service's."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)
    ENABLED_BY: ClassVar = {
        JobKind.INITIAL_SYNC: Choice("start_initial_sync", allows=True),
        JobKind.HEALING: Choice("disable_healing_job_operation", allows=False),
        JobKind.DUMP: Choice("disable_dump_file_creation", allows=False),
    }
    FREED_BY: ClassVar = Choice("heal_should_not_wait_for_initial_sync", allows=True)

    name: Name = Field(
        description="name of the stream, in its addresses and log lines", examples=["public"]
    )
    jobs_graph: Iri = Field(
        description="graph the jobs are written to",
        examples=["http://mu.semte.ch/graphs/system/jobs"],
    )
    healing_task_operation: Iri = Field(MAINTAINERS_HEALING, description="its task operation")
    disable_dump_file_creation: Switch = Field(
        default=False, description="`true`: no dump job is ever created, API included"
    )
    disable_healing_job_operation: Switch = Field(
        default=False, description="`true`: no healing job is ever created, API included"
    )
    heal_should_not_wait_for_initial_sync: Switch = Field(
        default=False,
        description="`true`: healing before a successful initial sync, mostly for debugging",
    )
    job_timeout_minutes: GivenMinutes | None = Field(
        None,
        description="an active job of this stream that is silent for longer is set to failed; "
        "by default as JOB_TIMEOUT_MINUTES says",
    )
    close_finished_jobs: Switch | None = Field(
        None,
        description="a job of this stream whose tasks ended is closed; "
        "by default as CLOSE_FINISHED_JOBS says",
    )
    error_creator_uri: Iri | None = Field(
        None,
        description=f"`dct:creator` of this stream's errors; by default `{SERVICE}/` and the name",
    )


class Service(BaseModel):
    """What holds for the whole service, from environment variables."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper)

    port: Port = Field(80, description="port to listen on")
    host: Host = Field(
        "0.0.0.0",  # noqa: S104 - in a container every address is the container's own
        description="address to listen on",
    )
    mu_sparql_endpoint: Url = Field(
        "http://database:8890/sparql", description="where SPARQL queries go"
    )
    mu_sparql_updatepoint: Url | None = Field(
        None, description="where SPARQL updates go; by default MU_SPARQL_ENDPOINT"
    )
    mu_sparql_timeout: Seconds = Field(
        60, description="seconds that the store has for all its work on one call or tick"
    )
    ping_db_interval: Seconds = Field(
        2, description="seconds between two looks for the store while it is away at the start"
    )
    watchdog_minutes: Watch = Field(
        5, description="minutes between two looks for jobs that are stuck; 0: never"
    )
    pickup_minutes: Patient = Field(
        30, description="minutes after which a task that is still scheduled is reported"
    )
    stuck_minutes: Patient = Field(
        1440, description="minutes after which a busy task without a sign of life is reported"
    )
    job_timeout_minutes: Minutes = Field(
        0, description="an active job that is silent for longer is set to failed; 0: never"
    )
    close_finished_jobs: Switch = Field(
        default=False,
        description="`true`: a job whose tasks ended is closed; for want of a job-controller",
    )
    tick_window_minutes: Duration = Field(
        360,
        description="minutes for which a tick that can't be settled stays due; 0: it is tried once",
    )
    error_repeat_hours: Hours = Field(
        24, description="hours in which one cause is reported once for the same stream and kind"
    )
    update_settle_seconds: Seconds = Field(
        60, description="seconds in which an update whose answer was lost may still be applied"
    )
    retry_max_seconds: Seconds = Field(
        60, description="longest pause, in seconds, between two tries of a tick"
    )
    sweep_seconds: Seconds = Field(
        300, description="seconds between two looks for jobs without a task and second values"
    )
    replica: Slot = Field(
        0, description="slot of this replica; slot n stands by for n times STANDBY_SECONDS"
    )
    standby_seconds: Seconds = Field(
        90, description="seconds by which each slot takes ticks up later than the one before"
    )
    error_creator_uri: Iri = Field(
        SERVICE, description="`dct:creator` of the errors of the environment's stream"
    )
    config_file: Text = Field("/config/config.json", description="the file of named streams")
    config_override_file: Text = Field(
        "/config/config.override.json",
        description="a file whose keys replace those of named streams",
    )
    tz: Text | None = Field(
        None,
        description="time zone of schedules and log; by default the machine's, in the image UTC",
    )
    log_level: Level = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    log_format: LogFormat = Field("text", description="text or json: how a line of the log looks")
    log_sparql_all: LogSwitch = Field(default=True, description="log every query and update")
    log_sparql_queries: LogSwitch | None = Field(
        None, description="log queries; by default as LOG_SPARQL_ALL says"
    )
    log_sparql_updates: LogSwitch | None = Field(
        None, description="log updates; by default as LOG_SPARQL_ALL says"
    )
    node_env: Text | None = Field(None, description="accepted, without effect")

    @property
    def policy(self) -> Policy:
        """How long ticks stay due, and how often they are tried."""
        return Policy(
            window=timedelta(minutes=self.tick_window_minutes),
            settle=timedelta(seconds=self.update_settle_seconds),
            delay=timedelta(seconds=self.replica * self.standby_seconds),
            longest_pause=timedelta(seconds=self.retry_max_seconds),
        )

    @property
    def patience(self) -> Patience:
        """How long jobs may take their time before they are reported."""
        return Patience(
            pickup=timedelta(minutes=self.pickup_minutes),
            stuck=timedelta(minutes=self.stuck_minutes),
        )

    @property
    def update_url(self) -> str:
        """Where updates go."""
        return self.mu_sparql_updatepoint or self.mu_sparql_endpoint

    @property
    def logs_queries(self) -> bool:
        """Whether queries are logged."""
        return self.log_sparql_all if self.log_sparql_queries is None else self.log_sparql_queries

    @property
    def logs_updates(self) -> bool:
        """Whether updates are logged."""
        return self.log_sparql_all if self.log_sparql_updates is None else self.log_sparql_updates
