"""The settings of the whole service, and the checked configuration as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo

from pydantic import BaseModel, ConfigDict, Field

from jobs.domain_settings import DomainSettings
from jobs.maintenance.diagnosis import StuckThresholds
from jobs.model import SERVICE
from jobs.streams import Streams
from jobs.text import count
from jobs.ticks.policy import TickPolicy
from settings.hosts import EVERY_ADDRESS
from settings.values import (
    Host,
    Hours,
    Iri,
    LogFormat,
    LogLevel,
    LogSwitch,
    Minutes,
    MinutesOrOff,
    Path,
    Port,
    PositiveMinutes,
    ReplicaNumber,
    Seconds,
    StandbySeconds,
    Switch,
    Text,
    Url,
    WholeMinutes,
)


class Service(BaseModel):
    """The settings of the whole service, from environment variables."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper)

    port: Port = Field(80, description="port to listen on")
    host: Host = Field(
        EVERY_ADDRESS,
        description="address to listen on; `*` or `::`: every IPv6 and IPv4 address, "
        "`0.0.0.0`: every IPv4 address",
    )
    mu_sparql_endpoint: Url = Field(
        "http://database:8890/sparql", description="URL for SPARQL queries"
    )
    mu_sparql_updatepoint: Url | None = Field(
        None, description="URL for SPARQL updates; default: MU_SPARQL_ENDPOINT"
    )
    mu_sparql_timeout: Seconds = Field(
        60, description="seconds that all store requests of one call or tick may take together"
    )
    ping_db_interval: Seconds = Field(
        2, description="seconds between two attempts to reach the store at startup"
    )
    watchdog_minutes: MinutesOrOff = Field(
        5, description="minutes between two scans for stuck jobs; 0: never"
    )
    pickup_minutes: PositiveMinutes = Field(
        30, description="minutes after which a task that is still scheduled is reported"
    )
    stuck_minutes: PositiveMinutes = Field(
        1440, description="minutes without activity after which a busy task is reported"
    )
    job_timeout_minutes: WholeMinutes = Field(
        0,
        description="minutes without activity after which an active job is set to failed; 0: never",
    )
    close_finished_jobs: Switch = Field(
        default=False,
        description="`true`: close jobs whose tasks have ended; for stacks without job-controller",
    )
    tick_window_minutes: Minutes = Field(
        360,
        description="minutes for which a tick stays due while its job cannot be created; "
        "0: it is tried once",
    )
    error_repeat_hours: Hours = Field(
        24,
        description="hours in which the same problem of a stream and kind is reported at most once",
    )
    update_settle_seconds: Seconds = Field(
        60, description="seconds in which an update can still be applied after its answer was lost"
    )
    retry_max_seconds: Seconds = Field(
        60, description="maximum seconds between two attempts to create the job of a tick"
    )
    sweep_seconds: Seconds = Field(
        300, description="seconds between two scans for jobs without a task and duplicate values"
    )
    replica: ReplicaNumber = Field(
        0,
        description="number of this replica; replica n creates a job that it saw missing for n "
        "times STANDBY_SECONDS",
    )
    standby_seconds: StandbySeconds | None = Field(
        None,
        description="seconds that each replica waits longer than the one before it; default and "
        "minimum: MU_SPARQL_TIMEOUT + UPDATE_SETTLE_SECONDS + RETRY_MAX_SECONDS",
    )
    error_creator_uri: Iri = Field(
        SERVICE, description="`dct:creator` of the errors of the environment's stream"
    )
    config_file: Path = Field("/config/config.json", description="file with the named streams")
    config_override_file: Path = Field(
        "/config/config.override.json",
        description="file whose keys replace those of named streams",
    )
    tz: Text | None = Field(
        None,
        description="time zone of schedules and log lines; default: the machine's, which is UTC in "
        "the image",
    )
    log_level: LogLevel = Field(
        "INFO", description="lowest level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL"
    )
    log_format: LogFormat = Field("text", description="format of log lines: text or json")
    log_sparql_all: LogSwitch = Field(default=True, description="log every query and update")
    log_sparql_queries: LogSwitch | None = Field(
        None, description="log queries; default: LOG_SPARQL_ALL"
    )
    log_sparql_updates: LogSwitch | None = Field(
        None, description="log updates; default: LOG_SPARQL_ALL"
    )
    node_env: Text | None = Field(None, description="accepted and ignored")

    @property
    def domain(self) -> DomainSettings:
        """The settings of the domain, as values with units."""
        watchdog = timedelta(minutes=self.watchdog_minutes)
        return DomainSettings(
            policy=TickPolicy(
                window=timedelta(minutes=self.tick_window_minutes),
                settle_time=timedelta(seconds=self.update_settle_seconds),
                request_time=timedelta(seconds=self.mu_sparql_timeout),
                standby_delay=self.standby_delay,
                replicated="replica" in self.model_fields_set,
                max_pause=timedelta(seconds=self.retry_max_seconds),
                report_every=timedelta(hours=self.error_repeat_hours),
            ),
            thresholds=StuckThresholds(
                pickup=timedelta(minutes=self.pickup_minutes),
                stuck=timedelta(minutes=self.stuck_minutes),
            ),
            error_repeat=timedelta(hours=self.error_repeat_hours),
            sweep_period=timedelta(seconds=self.sweep_seconds),
            watchdog_period=watchdog or None,
        )

    @property
    def min_standby_seconds(self) -> float:
        """The seconds in which a write of the replica before may still arrive."""
        return self.mu_sparql_timeout + self.update_settle_seconds + self.retry_max_seconds

    @property
    def standby_delay(self) -> timedelta:
        """How long this replica must see a job missing before it creates it."""
        return timedelta(seconds=self.replica * (self.standby_seconds or self.min_standby_seconds))

    @property
    def update_url(self) -> str:
        """The URL for SPARQL updates."""
        return self.mu_sparql_updatepoint or self.mu_sparql_endpoint

    @property
    def logs_queries(self) -> bool:
        """Whether queries are logged."""
        return self.log_sparql_all if self.log_sparql_queries is None else self.log_sparql_queries

    @property
    def logs_updates(self) -> bool:
        """Whether updates are logged."""
        return self.log_sparql_all if self.log_sparql_updates is None else self.log_sparql_updates


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The checked configuration.

    `zone` is the time zone of schedules and log lines. `warnings` are lines for the operator,
    logged at startup. `changed_files` returns the paths of the files that have changed since.
    `configured` is when the newest of the files was modified; None without files.
    """

    service: Service
    streams: Streams
    zone: tzinfo
    warnings: tuple[str, ...]
    changed_files: Callable[[], tuple[str, ...]] = field(default=tuple, compare=False)
    configured: datetime | None = field(default=None, compare=False)

    @property
    def domain(self) -> DomainSettings:
        """The settings of the domain, as values with units."""
        return replace(self.service.domain, configured=self.configured)

    @property
    def summary(self) -> str:
        """How much there is to read about the configuration, and how much it sets up."""
        return f"{count(len(self.warnings), 'warning')}, {count(len(self.streams), 'stream')}"
