"""What is known of a run afterwards: all that the auditor may judge from. No logic, and no I/O.

Instants are seconds since 1970, all from one machine's clock.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from chaos.streams import Schedule, Stream, schedules
from chaos.times import Times


@dataclass(kw_only=True)
class Span:
    """A time in which the store showed a state, as far as polling can tell.

    It certainly was so from `first` to `last`, certainly not at `after` nor at `before`. Each poll
    takes a moment, so a state that was seen once only has a `first` later than its `last`.
    """

    after: float
    first: float
    last: float
    before: float | None = None  # None: until the end

    def covers(self, start: float, end: float) -> bool:
        """Tell whether the state certainly held all that time."""
        return self.first <= start and end <= self.last

    def may_touch(self, start: float, end: float) -> bool:
        """Tell whether the state may have held at some moment of that time."""
        return self.after <= end and (self.before is None or start <= self.before)


@dataclass(kw_only=True)
class Record:
    """A job, task or error as the store showed it: each property with all its values."""

    uri: str
    first: float  # the end of the first poll that showed it
    values: dict[str, list[str]]  # at first
    active: list[Span] = field(default_factory=list)
    succeeded: list[Span] = field(default_factory=list)  # complete for initial syncs and healings
    doubled: set[str] = field(default_factory=set)  # properties that ever had a second value
    final: dict[str, list[str]] | None = None  # at the end; None: it was gone

    def value(self, name: str) -> str:
        """Return the first value that a property had; empty where there was none."""
        return min(self.values.get(name, []), default="")

    @property
    def appeared(self) -> float:
        """An instant at which it was certainly not there yet, just before it was seen."""
        return self.active[0].after if self.active else self.first


@dataclass(kw_only=True)
class Line:
    """A line that a process logged."""

    at: float
    text: str


@dataclass(kw_only=True)
class Life:
    """One run of a process: from its start to its end, or to the end of the run."""

    process: int
    slot: int
    began: float
    ended: float | None = None  # None: it was stopped because the run was over
    exit_status: int | None = None
    killed: bool = False
    asked_to_stop: bool = False
    pauses: list[tuple[float, float]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def ready(self) -> float | None:
        """When its schedules were armed."""
        return next((line.at for line in self.lines if line.text.startswith("ready:")), None)

    def fell_before(self, instant: float) -> bool:
        """Tell whether it ended by itself, before an instant."""
        told = self.killed or self.asked_to_stop
        return self.ended is not None and not told and self.ended < instant

    def paused(self, start: float, end: float) -> float:
        """Return for how many seconds it stood still in pauses that touch this time."""
        return sum(b - a for a, b in self.pauses if a <= end and b >= start)


@dataclass(kw_only=True)
class Attempt:
    """An update that inserted jobs and tasks, as the proxy of a process saw it."""

    process: int
    sent: float
    uris: list[str]  # of what reached the store, or would have
    fault: str = "PASS"
    applied: float | None = None  # when the store had answered with success


@dataclass(kw_only=True)
class Trouble:
    """A time in which something was wrong between a process and the store."""

    process: int
    what: str
    start: float
    end: float


@dataclass(kw_only=True)
class Work:
    """The consumer began to run a task."""

    task: str
    at: float


@dataclass(kw_only=True)
class Asked:
    """A call of the operator; status 0 where no answer came."""

    process: int
    method: str
    operation: str
    sent: float
    answered: float
    status: int


@dataclass(kw_only=True)
class History:
    """A whole run. Ticks are judged from the first readiness until `horizon`."""

    streams: tuple[Stream, ...]
    times: Times
    adversarial: bool = False
    horizon: float
    end: float
    lives: list[Life] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    calls: list[Asked] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """Every schedule of the run."""
        return schedules(self.streams)
