"""How an update can end: when each of its operations is applied, and when what is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jobs.store import StoreError, StoreUnavailable

LAYER_FAILS = 7.5  # seconds until an authorization layer reports that its store is away
LAYER_RETRIES = 32.0  # seconds for which it retries one half of an update


@dataclass(frozen=True, kw_only=True)
class Ends:
    """All times are seconds after the request; None: the operation is never applied."""

    runs: tuple[float | None, ...]
    answered: float
    error: StoreError | None = None
    gap: float = 0.0
    beyond: bool = False


@dataclass(frozen=True, kw_only=True)
class Sending:
    """An update that is sent: it usually takes `seconds`, and may take `limit`.

    `amount` is the random number of its fault, and `settle` the settle time of the service.
    """

    seconds: float
    limit: float
    settle: float
    amount: float
    count: int
    gap: float

    @property
    def quick(self) -> float:
        return min(self.seconds, self.limit)

    @property
    def lost_at(self) -> float:
        """When an answer is lost: half of them at a timeout, the others when a connection ends."""
        return self.limit if int(self.amount * 1000) % 2 else self.quick

    @property
    def late(self) -> float:
        """Seconds after the answer that are still within the settle time."""
        return self.amount * 0.97 * self.settle

    def all_at(self, after: float | None) -> tuple[float | None, ...]:
        return (after,) * self.count

    def doubtful(self, runs: tuple[float | None, ...]) -> Ends:
        """Return an end without an answer."""
        error = StoreUnavailable("the answer is lost", sent=True)
        return Ends(runs=runs, answered=self.lost_at, error=error, gap=self.gap)

    def reported(self, runs: tuple[float | None, ...]) -> Ends:
        """Return an end with a success, true or not."""
        return Ends(runs=runs, answered=self.quick, gap=self.gap)

    def part(self, rest: float | None = None) -> tuple[float | None, ...]:
        """Return when only the first operation is applied at once."""
        return (self.quick / 2, *(rest,) * (self.count - 1))


def usual(sending: Sending, share: float) -> Ends:
    """Return the end of an update that meets no fault, applied after a share of its time."""
    runs = sending.all_at(sending.seconds * share)
    if sending.seconds < sending.limit:
        return Ends(runs=runs, answered=sending.seconds, gap=sending.gap)
    error = StoreUnavailable("the store did not answer in time", sent=True)
    return Ends(runs=runs, answered=sending.limit, error=error, gap=sending.gap)


def in_outage(what: str, limit: float, count: int) -> Ends:
    """Return the end of an update while the store is away."""
    sent = what != "refuses"
    seconds = {"refuses": 0.01, "hangs": limit}.get(what, min(LAYER_FAILS, limit))
    error = StoreUnavailable("the store is away", sent=sent)
    return Ends(runs=(None,) * count, answered=seconds, error=error)


def _slow(sending: Sending) -> Ends:
    total = sending.seconds + sending.amount * 1.2 * sending.limit
    if total < sending.limit:
        return Ends(runs=sending.all_at(total * 0.95), answered=total, gap=sending.gap)
    error = StoreUnavailable("the store did not answer in time", sent=True)
    return Ends(runs=sending.all_at(total), answered=sending.limit, error=error, gap=sending.gap)


def _beyond(sending: Sending) -> Ends:
    after = sending.lost_at + sending.settle * (1 + 5 * sending.amount) + 1
    error = StoreUnavailable("the answer is lost", sent=True)
    runs = sending.all_at(after)
    return Ends(runs=runs, answered=sending.lost_at, error=error, gap=sending.gap, beyond=True)


def _gap(sending: Sending) -> Ends:
    runs = sending.all_at(sending.quick / 2)
    longest = min(LAYER_RETRIES, 0.9 * sending.settle)  # settle times cover it by default
    return Ends(runs=runs, answered=sending.quick, gap=sending.amount * longest)


def _dies(sending: Sending) -> Ends:
    """Return the end of the last request of a process: it can still be on its way."""
    late = sending.amount > 0.5
    return sending.reported(
        sending.all_at(sending.quick + sending.late if late else sending.quick / 2)
    )


def _refused(sending: Sending) -> Ends:
    error = StoreError("the store refuses the update")
    return Ends(runs=sending.all_at(None), answered=sending.quick, error=error)


def _unreachable(sending: Sending) -> Ends:
    error = StoreUnavailable("the store can't be reached", sent=False)
    return Ends(runs=sending.all_at(None), answered=sending.quick, error=error)


EFFECTS: Mapping[str, Callable[[Sending], Ends]] = {
    "lost": lambda one: one.doubtful(one.all_at(one.quick / 2)),
    "late": lambda one: one.doubtful(one.all_at(one.lost_at + one.late)),
    "untrue": lambda one: one.reported(one.all_at(one.quick + one.late)),
    "part": lambda one: one.doubtful(one.part()),
    "part-late": lambda one: one.doubtful(one.part(one.lost_at + one.late)),
    "part-untrue": lambda one: one.reported(one.part()),
    "swallowed": lambda one: one.reported(one.all_at(None)),
    "vanished": lambda one: one.doubtful(one.all_at(None)),
    "refused": _refused,
    "unreachable": _unreachable,
    "slow": _slow,
    "beyond": _beyond,
    "gap": _gap,
    "dies": _dies,
}
