"""What goes wrong in a run: an explicit list, drawn before it starts.

Every entry can be deleted, so that a run that fails can be reduced to the few that matter. A
fault hits the first fitting request after its instant, so that it does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

READS = ("fails", "hangs", "refused", "lags", "cut")
# How an update ends: what is applied when, and what the service hears.
WRITES = (
    "lost",  # applied, but the answer is lost
    "late",  # the answer is lost, and it is applied within the settle time
    "untrue",  # reported as a success, and applied within the settle time
    "part",  # only the first operation is applied, and the answer is lost
    "part-late",  # the second operation is applied within the settle time
    "part-untrue",  # only the first operation is applied, and a success is reported
    "swallowed",  # reported as a success, and never applied
    "vanished",  # never applied, and the answer is lost
    "refused",  # not applied, and the service is told so
    "unreachable",  # not sent
    "slow",  # applied and answered after seconds
)
BEYOND = "beyond"  # the answer is lost, and it is applied after the settle time
OPENING = 0.25  # share of the runs in which a kind of thing happens in the first seconds
GAP = "gap"  # an authorization layer reads, and writes up to 32 s later
DIES = "dies"  # the process is killed while its request is under way


@dataclass(frozen=True, order=True)
class Entry:
    """One thing that happens: `what` to `target`, with an `amount` between 0 and 1."""

    at: float
    kind: str
    what: str
    target: int = 0
    amount: float = 0.0

    def __str__(self) -> str:
        return f"{self.at:.3f} {self.kind} {self.what} {self.target} {self.amount:.4f}"


def parse(text: str) -> tuple[Entry, ...]:
    """Return the entries of a text with one line for each."""
    rows = [line.split() for line in text.strip().splitlines() if line.strip()]
    return tuple(
        Entry(float(at), kind, what, int(target), float(amount))
        for at, kind, what, target, amount in rows
    )


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How often things happen, in times per virtual minute, and which."""

    reads: float = 0
    writes: float = 0
    effects: Sequence[str] = WRITES
    outages: float = 0
    kills: float = 0
    pauses: float = 0
    clocks: float = 0
    posts: float = 0
    deletes: float = 0
    foreign: float = 0
    retention: float = 0


FOREIGN = (
    "no-status",
    "two-statuses",
    "no-date",
    "year-9999",
    "blank",
    "relative",
    "future",
    "unknown-status",
    "own-two-dates",
)
KINDS = ("initial-sync", "healing", "dump")


def draw(random: Random, rates: Rates, end: float, slots: int, streams: int) -> tuple[Entry, ...]:
    """Draw the entries of a run of `end` seconds."""
    every = range(slots)
    sorts: tuple[tuple[float, str, Sequence[str], Sequence[int]], ...] = (
        (rates.reads, "read", READS, every),
        (rates.writes, "write", rates.effects, every),
        (rates.outages, "outage", ("refuses", "hangs", "answers-500"), (0,)),
        (rates.kills, "kill", ("process",), every),
        (rates.pauses, "pause", ("process",), every),
        (rates.clocks, "clock", ("step", "slip", "astray"), every),
        (rates.posts, "post", KINDS, range(streams)),
        (rates.deletes, "delete", KINDS, range(streams)),
        (rates.foreign, "foreign", FOREIGN, range(streams)),
        (rates.retention, "retention", ("removes",), range(streams)),
    )
    drawn = (
        Entry(at, kind, random.choice(choices), random.choice(targets), round(random.random(), 4))
        for per_minute, kind, choices, targets in sorts
        for at in _instants(random, end, per_minute)
    )
    return tuple(sorted(drawn))


def _instants(random: Random, end: float, per_minute: float) -> Iterator[float]:
    """Yield random instants, on average as many in a minute as asked for.

    Some are while the service starts, because much is done then for the only time.
    """
    if per_minute and random.random() < OPENING:
        yield round(random.random() * 3, 3)
    at = 0.0
    while per_minute and (at := at + random.expovariate(per_minute / 60)) < end:
        yield round(at, 3)
