"""What the page shows of many streams: those that need a person, and one line for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from web.page import summary
from web.page.summary import Concern, Summary
from web.status.report import StatusReport, StreamReport

MAX_ATTENTION: Final = 60  # streams that need a person, with a reason
MAX_LINES: Final = 2000  # streams with a line
TALLY: Final = {  # what streams of a tone do, the most serious first
    "bad": "need attention",
    "warn": "wait",
    "run": "run a job",
    "idle": "are idle",
    "good": "are fine",
}


class Line(NamedTuple):
    """A stream in one line."""

    stream: StreamReport
    summary: Summary


class Overview(NamedTuple):
    """The streams that match a search, and how many there are of each kind."""

    search: str
    total: int
    found: int
    tally: str
    attention: Sequence[tuple[StreamReport, Concern]]
    attention_left: int
    lines: Sequence[Line]
    lines_left: int


def overview(report: StatusReport, search: str) -> Overview:
    """Return what to show of the streams whose names or states have all words of a search."""
    known = report.store.reachable
    every = [Line(one, summary.of_stream(one, jobs_known=known)) for one in report.streams]
    lines = [line for line in every if _matches(line, search.casefold().split())]
    attention = [
        (line.stream, concern)
        for line in lines
        if line.summary.tone in ("bad", "warn") and (concern := summary.most_serious(line.stream))
    ]
    attention.sort(key=lambda one: one[1].rank)
    return Overview(
        search=search,
        total=len(every),
        found=len(lines),
        tally=_tally(lines),
        attention=attention[:MAX_ATTENTION],
        attention_left=max(0, len(attention) - MAX_ATTENTION),
        lines=lines[:MAX_LINES],
        lines_left=max(0, len(lines) - MAX_LINES),
    )


def _matches(line: Line, words: Iterable[str]) -> bool:
    text = f"{summary.stream_name(line.stream)} {line.summary.text}".casefold()
    return all(word in text for word in words)


def _tally(lines: Iterable[Line]) -> str:
    counts = Counter(line.summary.tone for line in lines)
    return ", ".join(f"{counts[tone]:,} {words}" for tone, words in TALLY.items() if counts[tone])
