"""The scenario of a run: events that are drawn from a seed, so that the run can be repeated.

Faults come in phases and as single faults. Between the phases are quiet times, because otherwise
no job would be created. The faults are drawn from shuffled decks, so that a short run has many of
them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from random import Random
from typing import TypeVar

from tests.chaos.events import (
    Event,
    FaultPhase,
    OperatorCall,
    Pause,
    Restart,
    SingleFault,
    SlowJob,
    StoreOutage,
)
from tests.chaos.streams import MINUTE, Stream, schedules
from tests.chaos.times import Times
from tests.support.faults import Fault

T = TypeVar("T")

# The faults of queries and of updates. A phase of REFUSE closes the port for both.
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
UPDATE_SHARE = 0.75  # of the single faults
SHORT_SHARE = 0.5  # of the delays: they end before the service's timeout
MANY_TICKS = 10  # a minute; some ticks of such a stream are missed when a job stays busy
CALM_START = 12.0  # seconds without faults, in which the first initial syncs are created and done


def make_scenario(
    seed: int, seconds: float, processes: int, streams: Sequence[Stream], times: Times
) -> list[Event]:
    """Return the events of a run, earliest first; equal arguments give equal events."""

    def generator(purpose: str) -> Random:  # A purpose is part of the seed: a new name changes all
        return Random(f"{seed} {purpose}")

    events: list[Event] = [*_phases(generator("phases"), seconds)]
    events += _single_faults(generator("hits"), seconds, processes, times)
    for process in range(processes):
        events += _interruptions(generator(f"process {process}"), seconds, process)
    events += _outages(generator("outages"), seconds)
    events += _calls(generator("calls"), seconds, processes, streams)
    events += _slow_jobs(generator("holds"), seconds, streams, times)
    return sorted(events, key=lambda event: event.at)


def _deck(random: Random, cards: Sequence[T]) -> Iterator[T]:
    """Yield the cards in random order, again and again."""
    while True:
        yield from random.sample(cards, len(cards))


def _instants(random: Random, until: float, *, apart: tuple[float, float]) -> Iterator[float]:
    """Draw instants after the calm start, with random pauses between a minimum and a maximum."""
    at = CALM_START + random.uniform(0, apart[1])
    while at < until:
        yield at
        at += random.uniform(*apart)


def _phases(random: Random, until: float) -> Iterator[FaultPhase]:
    kinds = [(fault, False) for fault in QUERY_FAULTS] + [(fault, True) for fault in UPDATE_FAULTS]
    deck = _deck(random, [*kinds, *[(Fault.REFUSE, False)] * 3])
    for at in _instants(random, until, apart=(9, 16)):
        fault, updates = next(deck)
        length, share = random.uniform(2, 7), random.choice((0.3, 0.6, 1.0))
        yield FaultPhase(at, min(length, until - at), fault, updates, share)


def _single_faults(
    random: Random, until: float, processes: int, times: Times
) -> Iterator[SingleFault]:
    """Draw single faults, most of them of updates, whose result is harder to know."""
    updates, queries = _deck(random, UPDATE_FAULTS), _deck(random, QUERY_FAULTS)
    for at in _instants(random, until, apart=(1, 4)):
        updating = random.random() < UPDATE_SHARE
        fault = next(updates if updating else queries)
        yield SingleFault(at, random.randrange(processes), fault, updating, delay(random, times))


def delay(random: Random, times: Times) -> float:
    """Draw a delay in seconds, below the timeout or between the timeout and the settle time."""
    if random.random() < SHORT_SHARE:
        return random.uniform(0.1, 0.6) * times.timeout
    return random.uniform(times.timeout + 0.2, times.settle - 0.5)


def _interruptions(random: Random, until: float, process: int) -> Iterator[Restart | Pause]:
    """Draw kills, stops and pauses of one process that do not overlap."""
    deck = _deck(random, ("kill", "kill", "stop", "pause", "pause"))
    free_at = 0.0
    for at in _instants(random, until, apart=(8, 22)):
        if at < free_at:
            continue
        action, seconds = next(deck), random.choice((0.0, random.uniform(0.5, 9)))
        if action == "pause":
            seconds = random.uniform(0.5, 7)
            yield Pause(at, process, seconds)
        else:
            yield Restart(at, process, action == "kill", seconds)
        free_at = at + seconds + 4


def _outages(random: Random, until: float) -> Iterator[StoreOutage]:
    for at in _instants(random, until - 10, apart=(35, 70)):
        yield StoreOutage(at, random.uniform(0.5, 7))


def _calls(
    random: Random, until: float, processes: int, streams: Sequence[Stream]
) -> Iterator[OperatorCall]:
    pairs = [(stream, kind) for stream in streams for kind in stream.kinds]
    deck = _deck(random, [*itertools.product(("POST", "DELETE"), pairs)])
    for at in _instants(random, until, apart=(4, 12)):
        method, (stream, kind) = next(deck)
        yield OperatorCall(at, random.randrange(processes), method, stream, kind)


def _slow_jobs(
    random: Random, until: float, streams: Sequence[Stream], times: Times
) -> Iterator[SlowJob]:
    """Draw jobs that stay busy for seconds; the first stays busy for longer than the window.

    That one belongs to a stream with many ticks, so that some of them are certainly missed.
    """
    deck = _deck(random, streams)
    busy = _deck(random, [stream for stream in streams if _ticks_a_minute(stream) > MANY_TICKS])
    for number, at in enumerate(_instants(random, until, apart=(10, 25))):
        if number % 6 == 0:
            yield SlowJob(at, next(busy), times.window + 12)
        else:
            yield SlowJob(at, next(deck), random.uniform(3, times.window * 0.6))


def _ticks_a_minute(stream: Stream) -> int:
    return sum(len(schedule.fire_times(0, MINUTE)) for schedule in schedules((stream,)))
