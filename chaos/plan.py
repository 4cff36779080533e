"""What happens when in a run: drawn from the seed before it starts, so that it can be run again.

Faults come as phases, with quiet times in between, else nothing would ever be created, and as
single hits. Kinds are dealt from shuffled decks: a short run meets as many of them as it can.
"""

from __future__ import annotations

import itertools
from random import Random
from typing import TYPE_CHECKING, TypeVar

from chaos.events import Call, Down, Event, Hit, Hold, Outage, Pause, Phase
from chaos.streams import MINUTE, schedules
from tests.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chaos.streams import Stream
    from chaos.times import Times

T = TypeVar("T")

# What a query can meet, and what an update can; a phase of REFUSE closes the port for both.
QUERY_FAULTS = (
    Fault.RESET_BEFORE,
    Fault.UNAVAILABLE,
    Fault.SERVER_ERROR,
    Fault.HANG,
    Fault.DELAY,
    Fault.CUT_BODY,
    Fault.CUT_JSON,
    Fault.PARTIAL,
    Fault.HTML,
    Fault.EMPTY,
)
UPDATE_FAULTS = (
    Fault.RESET_BEFORE,
    Fault.RESET_AFTER,
    Fault.UNAVAILABLE,
    Fault.SERVER_ERROR,
    Fault.HANG,
    Fault.DELAY,
    Fault.CUT_BODY,
    Fault.CUT_JSON,
    Fault.HTML,
    Fault.EMPTY,
    Fault.IGNORE,
    Fault.FIRST_OPERATION,
    Fault.FIRST_OPERATION_THEN_500,
)
WRITES = 0.75  # share of the single hits that go to updates
SLOW = 0.5  # share of the delays that end before the service gives up
FAST = 10  # ticks a minute, of streams whose ticks are missed when a job is held
CALM_START = 12.0  # the first initial syncs are created and done


def plan(
    seed: int, seconds: float, processes: int, streams: Sequence[Stream], times: Times
) -> list[Event]:
    """Return the events of a run, the earliest first; the same for the same arguments."""

    def chance(what: str) -> Random:
        return Random(f"{seed} {what}")

    events: list[Event] = [*_phases(chance("phases"), seconds)]
    events += _hits(chance("hits"), seconds, processes, times)
    for process in range(processes):
        events += _interruptions(chance(f"process {process}"), seconds, process)
    events += _outages(chance("outages"), seconds)
    events += _calls(chance("calls"), seconds, processes, streams)
    events += _holds(chance("holds"), seconds, streams, times)
    return sorted(events, key=lambda event: event.at)


def _deck(random: Random, cards: Sequence[T]) -> Iterator[T]:
    """Deal the cards in random order, then again."""
    while True:
        yield from random.sample(cards, len(cards))


def _instants(random: Random, until: float, shortest: float, longest: float) -> Iterator[float]:
    """Draw instants a random pause apart, from the end of the calm start on."""
    at = CALM_START + random.uniform(0, longest)
    while at < until:
        yield at
        at += random.uniform(shortest, longest)


def _phases(random: Random, until: float) -> Iterator[Phase]:
    kinds = [(fault, False) for fault in QUERY_FAULTS] + [(fault, True) for fault in UPDATE_FAULTS]
    deck = _deck(random, [*kinds, *[(Fault.REFUSE, False)] * 3])
    for at in _instants(random, until, shortest=9, longest=16):
        fault, updates = next(deck)
        length, share = random.uniform(2, 7), random.choice((0.3, 0.6, 1.0))
        yield Phase(at, min(length, until - at), fault, updates, share)


def _hits(random: Random, until: float, processes: int, times: Times) -> Iterator[Hit]:
    """Deal hits, most of them to updates: what comes of an update is the harder question."""
    updates, queries = _deck(random, UPDATE_FAULTS), _deck(random, QUERY_FAULTS)
    for at in _instants(random, until, shortest=1, longest=4):
        writes = random.random() < WRITES
        fault = next(updates if writes else queries)
        yield Hit(at, random.randrange(processes), fault, writes, delay(random, times))


def delay(random: Random, times: Times) -> float:
    """Draw how long the store is slow: below the timeout, or above and below the settle time."""
    if random.random() < SLOW:
        return random.uniform(0.1, 0.6) * times.timeout
    return random.uniform(times.timeout + 0.2, times.settle - 0.5)


def _interruptions(random: Random, until: float, process: int) -> Iterator[Down | Pause]:
    """Deal kills, stops and pauses to one process, never two at a time."""
    deck = _deck(random, ("kill", "kill", "stop", "pause", "pause"))
    free_at = 0.0
    for at in _instants(random, until, shortest=8, longest=22):
        if at < free_at:
            continue
        what, seconds = next(deck), random.choice((0.0, random.uniform(0.5, 9)))
        if what == "pause":
            seconds = random.uniform(0.5, 7)
            yield Pause(at, process, seconds)
        else:
            yield Down(at, process, what == "kill", seconds)
        free_at = at + seconds + 4


def _outages(random: Random, until: float) -> Iterator[Outage]:
    for at in _instants(random, until - 10, shortest=35, longest=70):
        yield Outage(at, random.uniform(0.5, 7))


def _calls(
    random: Random, until: float, processes: int, streams: Sequence[Stream]
) -> Iterator[Call]:
    pairs = [(stream, kind) for stream in streams for kind in stream.kinds]
    deck = _deck(random, [*itertools.product(("POST", "DELETE"), pairs)])
    for at in _instants(random, until, shortest=4, longest=12):
        method, (stream, kind) = next(deck)
        yield Call(at, random.randrange(processes), method, stream, kind)


def _holds(random: Random, until: float, streams: Sequence[Stream], times: Times) -> Iterator[Hold]:
    """Hold a job for seconds now and then, and first of all one for longer than the window.

    That one belongs to a stream with many ticks, so that some of them are missed for sure.
    """
    deck = _deck(random, streams)
    fast = _deck(random, [stream for stream in streams if _ticks_a_minute(stream) > FAST])
    for number, at in enumerate(_instants(random, until, shortest=10, longest=25)):
        if number % 6 == 0:
            yield Hold(at, next(fast), times.window + 12)
        else:
            yield Hold(at, next(deck), random.uniform(3, times.window * 0.6))


def _ticks_a_minute(stream: Stream) -> int:
    return sum(len(schedule.fire_times(0, MINUTE)) for schedule in schedules((stream,)))
