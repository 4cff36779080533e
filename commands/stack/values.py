"""What a stack consists of, as far as this service depends on it, and what the rules find in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config import Settings
from jobs.model import JobKind, Plan, Stream


@dataclass(frozen=True)
class Finding:
    """Something that is wrong: the value of a file, the problem, and what to do about it."""

    file: str
    value: object
    problem: str
    fix: str


@dataclass(frozen=True)
class Right:
    """Something that is right about `subject`; those with the same file and text go together."""

    file: str
    text: str
    subject: str = ""


Result = Finding | Right


@dataclass(frozen=True)
class Unread:
    """A file that could not be read, or not wholly, and the reason."""

    file: str
    reason: str


@dataclass(frozen=True)
class Service:
    """A service of the stack: its name, which is its host too, and what it opens to the outside.

    `ports` are published ports; `hosts` are the names under which a proxy serves it.
    """

    name: str
    place: str
    ports: tuple[str, ...] = ()
    hosts: str = ""


@dataclass(frozen=True)
class Instance:
    """One instance of this service with its settings; `service` is None without a compose file."""

    settings: Settings
    config_file: str
    service: Service | None

    @property
    def place(self) -> str:
        """The file that configures the environment's stream."""
        return self.service.place if self.service else self.config_file


@dataclass(frozen=True)
class Assignment:
    """A kind of job that an instance creates: enabled, with a job operation."""

    instance: Instance
    stream: Stream
    plan: Plan
    operation: str

    def __str__(self) -> str:
        """Name it as messages do; several instances can have a stream without a name."""
        service = self.instance.service
        unnamed = self.stream.name is None and service is not None
        return f"{self.plan.kind.value} of {service.name if unnamed and service else self.stream}"

    @property
    def place(self) -> str:
        """The file that configures it."""
        return self.instance.place if self.stream.name is None else self.instance.config_file


@dataclass(frozen=True)
class Controller:
    """A job-controller: the task operations of each job operation, in their order."""

    file: str
    tasks: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Consumer:
    """A service that does tasks of these operations, for jobs of the operations that it lists.

    `listed` has the job operations for each kind of job. The dump-file-publisher looks up a job's
    operation whatever the kind of the job is, so it has them all under the dump.
    """

    file: str
    tasks: Mapping[JobKind, str]
    listed: Mapping[JobKind, tuple[str, ...]]


@dataclass(frozen=True)
class Alerting:
    """An error-alert service; without creators it sends every error."""

    file: str
    creators: tuple[str, ...]


@dataclass(frozen=True)
class DeltaRule:
    """A rule of delta-notifier: what it matches, whom it calls, and its options."""

    place: str
    match: Mapping[str, Mapping[str, Any]]
    url: str
    receiver: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class DeltaRules:
    """A file with rules of delta-notifier."""

    file: str
    rules: tuple[DeltaRule, ...]


@dataclass(frozen=True)
class Route:
    """A route of the dispatcher; `to_initiator` if it leads to this service."""

    place: str
    path: str
    url: str
    to_initiator: bool


@dataclass(frozen=True)
class Routes:
    """A file with routes of the dispatcher."""

    file: str
    routes: tuple[Route, ...]


@dataclass(frozen=True, kw_only=True)
class StackConfiguration:
    """A whole stack at an instant; a kind of neighbour that was not found is an empty tuple."""

    now: datetime
    instances: tuple[Instance, ...]
    controllers: tuple[Controller, ...] = ()
    maintainers: tuple[Consumer, ...] = ()
    publishers: tuple[Consumer, ...] = ()
    alerting: tuple[Alerting, ...] = ()
    delta_rules: tuple[DeltaRules, ...] = ()
    routes: tuple[Routes, ...] = ()

    def assignments(self) -> Iterator[Assignment]:
        """Yield every kind of job that the stack's instances create."""
        for instance in self.instances:
            for stream in instance.settings.streams:
                for plan in stream.plans:
                    if plan.enabled and plan.job_operation is not None:
                        yield Assignment(instance, stream, plan, plan.job_operation)

    def consumers(self, kind: JobKind) -> tuple[Consumer, ...]:
        """Return the services that do the tasks of a kind of job."""
        return self.publishers if kind is JobKind.DUMP else self.maintainers
