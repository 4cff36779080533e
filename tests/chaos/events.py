"""The events of a scenario, each at `at` seconds after the start of the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tests.chaos.streams import Kind, Stream
from tests.support.faults import Fault


@dataclass(frozen=True)
class FaultPhase:
    """For some seconds, a share of the queries or updates of all processes gets a fault."""

    at: float
    seconds: float
    fault: Fault
    updates: bool
    share: float


@dataclass(frozen=True)
class SingleFault:
    """The next query or update of one process gets a fault."""

    at: float
    process: int
    fault: Fault
    updates: bool
    delay: float


@dataclass(frozen=True)
class Restart:
    """A process is killed or stopped, and started again after some seconds."""

    at: float
    process: int
    kill: bool
    seconds: float


@dataclass(frozen=True)
class Pause:
    """A process is paused with SIGSTOP, and continued with SIGCONT after some seconds."""

    at: float
    process: int
    seconds: float


@dataclass(frozen=True)
class StoreOutage:
    """The store is stopped, and started again after some seconds."""

    at: float
    seconds: float


@dataclass(frozen=True)
class OperatorCall:
    """An operator calls the API of a process."""

    at: float
    process: int
    method: str
    stream: Stream
    kind: Kind


@dataclass(frozen=True)
class SlowJob:
    """The consumer leaves the next job of a stream busy for some seconds."""

    at: float
    stream: Stream
    seconds: float


Event: TypeAlias = FaultPhase | SingleFault | Restart | Pause | StoreOutage | OperatorCall | SlowJob
