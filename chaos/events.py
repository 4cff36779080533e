"""What can happen in a run, each at `at` seconds from its beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from chaos.streams import Kind, Stream
    from tests.faults import Fault


@dataclass(frozen=True)
class Phase:
    """For some seconds, a share of the queries or updates of all processes meets a fault."""

    at: float
    seconds: float
    fault: Fault
    updates: bool
    share: float


@dataclass(frozen=True)
class Hit:
    """The next query or update of one process meets a fault."""

    at: float
    process: int
    fault: Fault
    updates: bool
    delay: float


@dataclass(frozen=True)
class Down:
    """A process is killed, or asked to stop, and started again after some seconds."""

    at: float
    process: int
    kill: bool
    seconds: float


@dataclass(frozen=True)
class Pause:
    """A process stands still: SIGSTOP, and SIGCONT after some seconds."""

    at: float
    process: int
    seconds: float


@dataclass(frozen=True)
class Outage:
    """The store is stopped, and started again after some seconds."""

    at: float
    seconds: float


@dataclass(frozen=True)
class Call:
    """An operator calls the API of a process."""

    at: float
    process: int
    method: str
    stream: Stream
    kind: Kind


@dataclass(frozen=True)
class Hold:
    """The consumer leaves the next job of a stream busy for so long."""

    at: float
    stream: Stream
    seconds: float


Event: TypeAlias = Phase | Hit | Down | Pause | Outage | Call | Hold
