"""The streams of a run, and the fire times of their ticks.

The patterns are so simple that a loop over seconds can evaluate them. The auditor shares no code
with the service, so that it does not repeat the service's mistakes.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum

GRAPH = "http://mu.semte.ch/graphs/chaos/jobs"
OPERATIONS = "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas"
TASK_OPERATION = "http://redpencil.data.gift/id/jobs/concept/TaskOperation/chaos"
MINUTE = 60


class Kind(StrEnum):
    """The kinds of job, by their names in the log."""

    SYNC = "initial sync"
    HEALING = "healing"
    DUMP = "dump"


PATHS = {
    Kind.SYNC: "initial-sync-jobs",
    Kind.HEALING: "healing-jobs",
    Kind.DUMP: "dump-publication-graph-jobs",
}


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One stream; a kind without a pattern is disabled. The environment's stream has no name."""

    name: str | None
    healing: str | None = None
    dump: str | None = None
    syncs: bool = False
    healing_waits: bool = True

    def __str__(self) -> str:
        return f"stream {self.name}" if self.name else "the environment's stream"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The enabled kinds."""
        enabled = {Kind.SYNC: self.syncs, Kind.HEALING: self.healing, Kind.DUMP: self.dump}
        return tuple(kind for kind, value in enabled.items() if value)

    def operation(self, kind: Kind) -> str:
        """Return the job operation of one kind."""
        return f"{OPERATIONS}/{kind.name.lower()}/{self.name or 'environment'}"

    def path(self, kind: Kind) -> str:
        """Return the path of the API calls of one kind."""
        return f"/{self.name}/{PATHS[kind]}" if self.name else f"/{PATHS[kind]}"

    def label(self, kind: Kind) -> str:
        """Return the name of one kind of this stream in log lines and errors."""
        return f"{kind} of {self}"


@dataclass(frozen=True)
class Schedule:
    """The ticks of one stream and kind."""

    stream: Stream
    kind: Kind
    pattern: str

    @property
    def operation(self) -> str:
        """The job operation of its ticks."""
        return self.stream.operation(self.kind)

    @property
    def label(self) -> str:
        """The name of this schedule in the log."""
        return self.stream.label(self.kind)

    @property
    def waits_for_sync(self) -> bool:
        """Whether its ticks need an initial sync of the stream that succeeded."""
        return self.kind is Kind.HEALING and self.stream.healing_waits

    def fire_times(self, after: float, until: float) -> list[int]:
        """Return the fire times in (after, until]."""
        return fire_times(self.pattern, after, until)

    def is_fire_time(self, instant: float) -> bool:
        """Return whether this instant is exactly a fire time."""
        return float(instant).is_integer() and bool(self.fire_times(instant - 1, instant))


def schedules(streams: tuple[Stream, ...]) -> tuple[Schedule, ...]:
    """Return every schedule of the streams."""
    patterns = [
        (stream, kind, pattern)
        for stream in streams
        for kind, pattern in ((Kind.HEALING, stream.healing), (Kind.DUMP, stream.dump))
    ]
    return tuple(Schedule(stream, kind, pattern) for stream, kind, pattern in patterns if pattern)


def fire_times(pattern: str, after: float, until: float) -> list[int]:
    """Return the matching seconds in (after, until], as seconds since 1970 in UTC."""
    seconds, minutes, *rest = pattern.split()
    if rest != ["*"] * 4:
        raise ValueError(f"{pattern}: only seconds and minutes may be restricted")
    second_set, minute_set = values(seconds), values(minutes)
    return [
        instant
        for instant in range(math.floor(after) + 1, math.floor(until) + 1)
        if instant % MINUTE in second_set and instant // MINUTE % MINUTE in minute_set
    ]


def values(field: str) -> set[int]:
    """Return what a field of seconds or minutes matches: `*`, `*/n`, `a/n`, `a`, and lists."""
    matched: set[int] = set()
    for part in field.split(","):
        start, slash, step = part.partition("/")
        first = 0 if start == "*" else int(start)
        alone = start != "*" and not slash
        matched |= {first} if alone else set(range(first, MINUTE, int(step or 1)))
    return matched


# Streams with many and with few ticks, with and without a healing that waits for the sync.
STREAMS = (
    Stream(name="alpha", healing="*/7 * * * * *", dump="*/5 * * * * *", syncs=True),
    Stream(name="beta", healing="*/10 * * * * *", dump="*/3 * * * * *", syncs=True),
    Stream(name="gamma", healing="*/4 * * * * *", dump="1/6 * * * * *", healing_waits=False),
    Stream(name="delta", dump="*/2 * * * * *"),
    Stream(name="epsilon", healing="5/30 * * * * *", dump="*/20 * * * * *", syncs=True),
    Stream(name=None, dump="3/15 * * * * *"),
)


def config_file(streams: tuple[Stream, ...]) -> str:
    """Return the text of the config file with the named streams."""
    return json.dumps([_entry(stream) for stream in streams if stream.name], indent=2)


def _entry(stream: Stream) -> dict[str, object]:
    patterns = {"cronPatternHealingJob": stream.healing, "cronPatternDumpJob": stream.dump}
    return {
        "name": str(stream.name),
        "jobsGraph": GRAPH,
        "initialPublicationGraphSyncJobOperation": stream.operation(Kind.SYNC),
        "healingJobOperation": stream.operation(Kind.HEALING),
        "dumpFileCreationJobOperation": stream.operation(Kind.DUMP),
        "startInitialSync": stream.syncs,
        "disableHealingJobOperation": stream.healing is None,
        "disableDumpFileCreation": stream.dump is None,
        "healShouldNotWaitForInitialSync": not stream.healing_waits,
        "initialPublicationGraphSyncTaskOperation": f"{TASK_OPERATION}/sync",
        "healingTaskOperation": f"{TASK_OPERATION}/healing",
        "dumpFileCreationTaskOperation": f"{TASK_OPERATION}/dump",
    } | {key: pattern for key, pattern in patterns.items() if pattern}


def environ(streams: tuple[Stream, ...]) -> dict[str, str]:
    """Return the variables that set up the stream without a name, which has only dumps."""
    (stream,) = (stream for stream in streams if stream.name is None)
    return {
        "DUMP_FILE_CREATION_JOB_OPERATION": stream.operation(Kind.DUMP),
        "DUMP_FILE_CREATION_TASK_OPERATION": f"{TASK_OPERATION}/dump",
        "CRON_PATTERN_DUMP_JOB": str(stream.dump),
        "ENABLE_HEALING_JOB_OPERATION": "false",
        "JOBS_GRAPH": GRAPH,
    }
