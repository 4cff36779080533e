"""The history of a run, which is all that the auditor uses. It has no logic and no I/O.

Instants are seconds since 1970 on the clock of one machine.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.streams import Schedule, Stream, schedules
from tests.chaos.times import Times


@dataclass(kw_only=True)
class Span:
    """A time in which the store had a state, as exactly as polling can find out.

    The state certainly held from `first` to `last`, and certainly not at `after` and at `before`.
    A poll takes a moment, so `first` is later than `last` for a state that only one poll found.
    """

    after: float
    first: float
    last: float
    before: float | None = None  # None: it held until the end

    def covers(self, start: float, end: float) -> bool:
        """Return whether the state certainly held from start to end."""
        return self.first <= start and end <= self.last

    def may_touch(self, start: float, end: float) -> bool:
        """Return whether the state may have held at some moment from start to end."""
        return self.after <= end and (self.before is None or start <= self.before)


@dataclass(kw_only=True)
class Record:
    """A job, task or error in the store: each property with all its values."""

    uri: str
    first_seen: float  # the end of the first poll that found it
    values: dict[str, list[str]]  # in that poll
    active: list[Span] = field(default_factory=list)
    succeeded: list[Span] = field(default_factory=list)  # complete for initial syncs and healings
    final: dict[str, list[str]] | None = None  # the values at the end; None: it was deleted

    def value(self, name: str) -> str:
        """Return the first value of a property, or an empty text."""
        return min(self.values.get(name, []), default="")

    @property
    def not_yet(self) -> float:
        """The last known instant before it was in the store."""
        return self.active[0].after if self.active else self.first_seen


@dataclass(kw_only=True)
class LogLine:
    """A log line of a process."""

    at: float
    text: str


@dataclass(kw_only=True)
class ProcessRun:
    """One run of a process, from its start to its end or to the end of the whole run."""

    process: int
    slot: int
    started: float
    ended: float | None = None
    exit_status: int | None = None
    killed: bool = False
    stopped: bool = False
    pauses: list[tuple[float, float]] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)

    @property
    def ready(self) -> float | None:
        """When its schedules were armed."""
        return next((line.at for line in self.lines if line.text.startswith("ready:")), None)

    def crashed_before(self, instant: float) -> bool:
        """Return whether it ended before an instant, without a signal of the fault suite."""
        signalled = self.killed or self.stopped
        return self.ended is not None and not signalled and self.ended < instant

    def paused(self, start: float, end: float) -> float:
        """Return the total length in seconds of its pauses that touch this time."""
        return sum(b - a for a, b in self.pauses if a <= end and b >= start)


@dataclass(kw_only=True)
class InsertAttempt:
    """An update that inserted jobs and tasks, as the proxy of a process saw it."""

    process: int
    sent: float
    uris: list[str]  # subjects that reached the store, or would have without the fault
    fault: str = "PASS"
    applied: float | None = None  # when the store had answered with success


@dataclass(kw_only=True)
class Disruption:
    """A time in which requests of a process to the store were disturbed."""

    process: int
    description: str
    start: float
    end: float


@dataclass(kw_only=True)
class TaskRun:
    """The instant at which the consumer started to run a task."""

    task: str
    at: float


@dataclass(kw_only=True)
class ApiCall:
    """A call of the operator; status 0 means that there was no answer."""

    process: int
    method: str
    operation: str
    sent: float
    answered: float
    status: int


@dataclass(kw_only=True)
class History:
    """A whole run. The auditor checks the ticks from the first readiness until `horizon`."""

    streams: tuple[Stream, ...]
    times: Times
    adversarial: bool = False
    horizon: float
    end: float
    process_runs: list[ProcessRun] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    attempts: list[InsertAttempt] = field(default_factory=list)
    task_runs: list[TaskRun] = field(default_factory=list)
    calls: list[ApiCall] = field(default_factory=list)
    disruptions: list[Disruption] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """Every schedule of the run."""
        return schedules(self.streams)
