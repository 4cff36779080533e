"""What the processes said of their ticks: the log lines that settle one, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.history import Life

INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00"


class Word(Enum):
    """What a line says of a tick, or of several."""

    CREATED = auto()
    DONE = auto()
    SUPERSEDES = auto()
    MISSED = auto()
    CLEANED = auto()


PATTERNS = {
    Word.CREATED: rf"(?P<who>.+): tick (?P<tick>{INSTANT}): created job (?P<uri>\S+)",
    Word.DONE: rf"(?P<who>.+): tick (?P<tick>{INSTANT}): done by job (?P<uri>\S+)",
    Word.SUPERSEDES: (
        rf"(?P<who>.+): tick (?P<tick>{INSTANT}) supersedes \d+ earlier ones? "
        rf"since (?P<since>{INSTANT})"
    ),
    Word.MISSED: (
        rf"(?P<who>.+): tick (?P<tick>{INSTANT}): missed"
        rf"(?:, with \d+ others? since (?P<since>{INSTANT}))?"
    ),
    Word.CLEANED: rf"(?P<who>.+): ticks up to (?P<tick>{INSTANT}): cleaned by request",
}
REGEXES = {word: re.compile(pattern) for word, pattern in PATTERNS.items()}
REQUESTED = re.compile(r".+: created job (?P<uri>\S+) by request")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One such line. `since` is the oldest tick it speaks of, `named` how it wrote the instants."""

    word: Word
    at: float
    life: int  # index into the lives of the history
    who: str
    tick: float
    since: float
    named: tuple[str, ...]
    uri: str | None = None


def entries(lives: list[Life]) -> Iterator[Entry]:
    """Return what all lives said, each life's in its order."""
    for number, life in enumerate(lives):
        for line in life.lines:
            if " tick" in line.text:
                yield from _entry(number, line.at, line.text)


def _entry(life: int, at: float, text: str) -> Iterator[Entry]:
    for word, regex in REGEXES.items():
        match = regex.match(text)
        if match:
            found = match.groupdict()
            named = (found["tick"], found.get("since") or found["tick"])
            yield Entry(
                word=word,
                at=at,
                life=life,
                who=found["who"],
                tick=seconds(named[0]),
                since=seconds(named[1]),
                named=named,
                uri=found.get("uri"),
            )


def requested(lives: list[Life]) -> set[str]:
    """Return the jobs that were created because a person asked, as far as the log tells."""
    matches = (REQUESTED.match(line.text) for life in lives for line in life.lines)
    return {match["uri"] for match in matches if match}


def seconds(text: str) -> float:
    """Read an instant, as logs and store write them."""
    return datetime.fromisoformat(text).timestamp()
