"""The log lines about the outcome of ticks, as values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from tests.chaos.history import ProcessRun

INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00"


class LineKind(Enum):
    """The outcome that a line reports for one or several ticks."""

    CREATED = auto()
    DONE = auto()
    SUPERSEDES = auto()
    MISSED = auto()
    CLEANED = auto()


PATTERNS = {
    LineKind.CREATED: rf"(?P<label>.+): tick (?P<tick>{INSTANT}): created job (?P<uri>\S+)",
    LineKind.DONE: rf"(?P<label>.+): tick (?P<tick>{INSTANT}): done by job (?P<uri>\S+)",
    LineKind.SUPERSEDES: (
        rf"(?P<label>.+): tick (?P<tick>{INSTANT}) supersedes \d+ (?:or more )?earlier ones? "
        rf"since (?P<since>{INSTANT})"
    ),
    LineKind.MISSED: (
        rf"(?P<label>.+): tick (?P<tick>{INSTANT}): missed"
        rf"(?:, with \d+ (?:or more )?others? since (?P<since>{INSTANT}))?"
    ),
    LineKind.CLEANED: rf"(?P<label>.+): ticks up to (?P<tick>{INSTANT}): cleaned by request",
}
REGEXES = {kind: re.compile(pattern) for kind, pattern in PATTERNS.items()}
REQUESTED = re.compile(r".+: created job (?P<uri>\S+) by request")


@dataclass(frozen=True, kw_only=True)
class TickLine:
    """One such line; `since` is the oldest tick of the line."""

    kind: LineKind
    at: float
    process_run: int  # index into the process runs of the history
    label: str  # of the schedule
    tick: float
    since: float
    written: tuple[str, ...]  # the instants of `tick` and `since` as text
    uri: str | None = None


def tick_lines(runs: list[ProcessRun]) -> Iterator[TickLine]:
    """Return the tick lines of all process runs, in order within each run."""
    for number, run in enumerate(runs):
        for line in run.lines:
            if " tick" in line.text:
                yield from _tick_line(number, line.at, line.text)


def _tick_line(process_run: int, at: float, text: str) -> Iterator[TickLine]:
    for kind, regex in REGEXES.items():
        match = regex.match(text)
        if match:
            found = match.groupdict()
            written = (found["tick"], found.get("since") or found["tick"])
            yield TickLine(
                kind=kind,
                at=at,
                process_run=process_run,
                label=found["label"],
                tick=seconds(written[0]),
                since=seconds(written[1]),
                written=written,
                uri=found.get("uri"),
            )


def requested(runs: list[ProcessRun]) -> set[str]:
    """Return the URIs of the jobs that were created by request, according to the log."""
    matches = (REQUESTED.match(line.text) for run in runs for line in run.lines)
    return {match["uri"] for match in matches if match}


def seconds(text: str) -> float:
    """Return an instant of the log or the store as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()
