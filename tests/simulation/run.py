"""Plays many worlds: the modes in turn, until enough ticks were due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context

from tests.simulation.modes import Mode
from tests.simulation.play import play
from tests.simulation.report import Tally
from tests.simulation.scenario import scenario
from tests.simulation.service import REAL, Service

CHUNK = 8  # worlds of each mode that a worker plays at once


def play_worlds(mode: Mode, seed: str, numbers: Sequence[int], service: Service = REAL) -> Tally:
    """Play the worlds of a mode with these numbers."""
    tally = Tally()
    for number in numbers:
        tally.add(play(scenario(mode, f"{seed}:{number}"), service=service))
    return tally


def simulate(
    modes: Sequence[Mode], seed: str, ticks: int, processes: int = 1
) -> Iterator[dict[str, Tally]]:
    """Play worlds until enough ticks were due; yield what is known so far after each round.

    Each round has the same worlds for any number of processes, so that the result only depends
    on the seed and the number of ticks.
    """
    tallies = {mode.name: Tally() for mode in modes}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for first in count(0, CHUNK):
            numbers = range(first, first + CHUNK)
            futures = [pool.submit(play_worlds, mode, seed, numbers) for mode in modes]
            for mode, future in zip(modes, futures, strict=True):
                tallies[mode.name].merge(future.result())
            yield tallies
            if sum(tally.ticks for tally in tallies.values()) >= ticks:
                return
