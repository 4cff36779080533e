"""Reduces the plan of a failing world to the entries without which it does not fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.simulation.plan import Entry
from tests.simulation.play import Outcome, play
from tests.simulation.scenario import Scenario
from tests.simulation.service import REAL, Service

MAX_PLAYS = 400
TIME = 11  # characters of a line before its text


def shrink(scenario: Scenario, what: str, service: Service = REAL) -> Scenario:
    """Return the scenario with as few entries as still lead to a violation of this kind."""

    def fails(entries: Sequence[Entry]) -> bool:
        outcome = play(replace(scenario, plan=tuple(entries)), service=service)
        return any(violation.what == what for violation in outcome.violations)

    entries = reduced(list(scenario.plan), fails)
    return replace(scenario, plan=tuple(entries))


def reduced(entries: list[Entry], fails: Callable[[Sequence[Entry]], bool]) -> list[Entry]:
    """Leave out as many entries as possible: first large parts of the list, then smaller ones."""
    size, plays = max(1, len(entries) // 2), 0
    while plays < MAX_PLAYS:
        start, before = 0, len(entries)
        while start < len(entries) and plays < MAX_PLAYS:
            fewer = entries[:start] + entries[start + size :]
            plays += 1
            if fails(fewer):
                entries = fewer
            else:
                start += size
        if size == 1 and len(entries) == before:
            break
        size = max(1, size // 2)
    return entries


def story(outcome: Outcome, words: Sequence[str]) -> list[str]:
    """Return the lines of a trace that hold one of the words, and what the plan did.

    A line that only repeats the one before it is left out.
    """
    wanted = (*words, " plan: ", " starts", " is killed", "rest begins", " the clock of ", "outage")
    lines, before = [], ""
    for line in outcome.lines:
        text = line[TIME:]
        dull = text.endswith("trying to create a job") or text == before
        if not dull and any(word in line for word in wanted):
            lines.append(line)
            before = text
    return lines
