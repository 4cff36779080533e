"""The timeline of a stream: the last and the next 24 hours as shapes.

Horizontal lengths are percent of the timeline's width and vertical ones are pixels, so that the
timeline fits every screen while its text keeps its size. Positions are computed from instants, and
only labels show local time. A day of 23 or 25 hours is therefore drawn with its true length.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from web.page.local_time import WEEKDAYS, LocalTime, duration
from web.page.shapes import PADDING, ROW, Bar, Label, Lane, Mark, Overlap, Timeline, UnknownRange
from web.status.report import MAX_LISTED, ActiveJobReport, JobReport, KindReport, StreamReport

REACH = timedelta(hours=24)  # shown on either side of now
NOW_X = 50.0
END_X = 100.0
PER_SECOND = NOW_X / REACH.total_seconds()
MIN_WIDTH = 0.4  # of a bar, in percent; a narrower one would not be visible
MAX_ROWS = 3  # of jobs at the same time in one lane
AXIS = 20  # pixels for the hours at the top
ACTIVE = ("busy", "scheduled")
HOUR_CLASSES = {0: "day", 6: "minor", 12: "", 18: "minor"}  # CSS classes of the labelled hours
HEIGHTS = {"failed": 16, "success": 10, "busy": 10, "scheduled": 10, "canceled": 4, "unknown": 4}


class Run(NamedTuple):
    """A job from its start to its end; an active job ends now."""

    start: datetime
    end: datetime
    job: JobReport


def draw(
    stream: StreamReport, local_time: LocalTime, started: datetime, *, jobs_known: bool = True
) -> Timeline:
    """Return the timeline of a stream around `local_time.now`, for a process that then `started`.

    A tick from before the start is never shown as one without a job. The service may not have been
    set up then, or with another pattern.
    """
    lanes, top = [], AXIS
    for kind in stream.kinds:
        lane = _lane(kind, local_time, top, started, jobs_known=jobs_known)
        lanes.append(lane)
        top += lane.height
    return Timeline(
        top, tuple(_labels(local_time)), tuple(lanes), tuple(_overlaps(lanes, local_time))
    )


def _x(instant: datetime, now: datetime) -> float:
    """Return the horizontal position of an instant; outside the timeline it is the nearer end."""
    x = NOW_X + (instant - now).total_seconds() * PER_SECOND
    return round(x, 2) if 0 < x < END_X else 0.0 if x <= 0 else END_X


def _lane(
    kind: KindReport, local_time: LocalTime, top: int, started: datetime, *, jobs_known: bool
) -> Lane:
    runs = sorted(_runs(kind, local_time.now), key=lambda run: run[:2])
    rows = _rows(runs)
    middles = [top + PADDING // 2 + row * ROW + ROW // 2 for row in rows]
    lane = Lane(kind, top, max(rows, default=0) + 1, (), (), (), ())
    return lane._replace(
        bars=tuple(
            _bar(run, middle, local_time) for run, middle in zip(runs, middles, strict=True)
        ),
        marks=tuple(
            Mark(_x(tick, local_time.now), lane.middle, f"due {local_time.hour(tick)}")
            for tick in _coming(kind, local_time.now)
        ),
        gaps=tuple(
            Mark(_x(tick, local_time.now), lane.middle, f"was due {local_time.hour(tick)}: no job")
            for tick in (_gaps(kind, local_time.now, started) if jobs_known else ())
        ),
        unknown_ranges=tuple(_unknown_ranges(lane, local_time.now, jobs_known=jobs_known)),
    )


def _coming(kind: KindReport, now: datetime) -> list[datetime]:
    return [tick for tick in dict.fromkeys(kind.coming) if now <= tick <= now + REACH]


def _gaps(kind: KindReport, now: datetime, started: datetime) -> Iterator[datetime]:
    """Yield each tick since the start after which no job was created before the next tick."""
    created = sorted(job.created for job in (*kind.recent, *kind.active) if job.created)
    known_since = max(_listed_since(kind) or now - REACH, started)
    for tick, following in pairwise([*kind.passed, now + REACH]):
        first = bisect_left(created, tick)
        if known_since <= tick <= now and not created[first : bisect_left(created, following)]:
            yield tick


def _listed_since(kind: KindReport) -> datetime | None:
    """Return when the oldest listed job was created, if the list is full."""
    return kind.recent[0].created if len(kind.recent) >= MAX_LISTED else None


def _runs(kind: KindReport, now: datetime) -> Iterator[Run]:
    """Yield the jobs within the timeline; an active job is always one of them."""
    jobs: dict[str, JobReport] = {job.uri: job for job in (*kind.recent, *kind.active)}
    for job in jobs.values():
        start = job.created or job.modified
        if start is None:
            continue
        end = now if job.status in ACTIVE else max(start, job.modified or start)
        if end >= now - REACH and start <= now + REACH:
            yield Run(start, end, job)


def _rows(runs: Iterable[Run]) -> list[int]:
    """Return the row of each job; jobs at the same time get different rows while rows are left."""
    ends: list[datetime] = []
    rows = []
    for start, end, _ in runs:
        row = next((row for row, row_end in enumerate(ends) if row_end <= start), len(ends))
        if row == MAX_ROWS:
            row = ends.index(min(ends))
        ends[row : row + 1] = [end]
        rows.append(row)
    return rows


def _bar(run: Run, middle: int, local_time: LocalTime) -> Bar:
    left, right = _x(run.start, local_time.now), _x(run.end, local_time.now)
    if right - left < MIN_WIDTH:  # widened to the right, but never across now or the end
        left = min(left, (NOW_X if left <= NOW_X else END_X) - MIN_WIDTH)
        right = left + MIN_WIDTH
    css_class: str = run.job.status
    text, height = _bar_text(run, local_time), HEIGHTS[run.job.status]
    if isinstance(run.job, ActiveJobReport) and run.job.trouble is not None:
        css_class, text = f"{css_class} stuck", f"stuck, {run.job.trouble.cause}: {text}"
    return Bar(left, round(right - left, 2), middle - height // 2, height, css_class, text)


def _bar_text(run: Run, local_time: LocalTime) -> str:
    start, end, job = run
    until = "now" if job.status in ACTIVE else local_time.hour(end)
    return f"{job.status}, {local_time.hour(start)} to {until} ({duration(end - start)}): {job.uri}"


def _unknown_ranges(lane: Lane, now: datetime, *, jobs_known: bool) -> Iterator[UnknownRange]:
    """Yield the ranges that the report does not cover."""
    kind = lane.kind
    if not jobs_known:
        text = "not known, because the store does not answer"
        yield UnknownRange(0, NOW_X, lane.y, lane.height, text)
    elif since := _listed_since(kind):
        text = f"not known, because only the newest {MAX_LISTED} jobs are listed"
        yield UnknownRange(0, _x(since, now), lane.y, lane.height, text)
    if len(kind.coming) >= MAX_LISTED:
        x = _x(kind.coming[-1], now)
        text = f"not known, because only the next {MAX_LISTED} ticks are listed"
        yield UnknownRange(x, round(END_X - x, 2), lane.y, lane.height, text)


def _overlaps(lanes: Iterable[Lane], local_time: LocalTime) -> Iterator[Overlap]:
    """Yield the instants at which more than one kind is due."""
    due: dict[datetime, list[Lane]] = {}
    for lane in lanes:
        for tick in _coming(lane.kind, local_time.now):
            due.setdefault(tick, []).append(lane)
    for tick, together in due.items():
        if len(together) > 1:
            names = " and ".join(lane.kind.kind for lane in together)
            text = f"{names} are due together, {local_time.hour(tick)}: one waits for the other"
            x = _x(tick, local_time.now)
            yield Overlap(x, together[0].middle, together[-1].middle, text)


def _labels(local_time: LocalTime) -> Iterator[Label]:
    """Yield a label for every sixth hour of local time; the first one of a day names the day."""
    first = local_time.local(local_time.now - REACH).date()
    for day in (first + timedelta(days=number) for number in range(3)):
        for hour, css_class in HOUR_CLASSES.items():
            instant = datetime.combine(day, time(hour), local_time.zone).astimezone(UTC)
            if abs(instant - local_time.now) > REACH:
                continue
            shown = local_time.local(instant)
            text = f"{shown:%H:%M}" if hour else f"{WEEKDAYS[shown.weekday()]} {shown.day}"
            yield Label(_x(instant, local_time.now), css_class, text)
