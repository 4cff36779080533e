"""A stream's last and next 24 hours as shapes: where they lie, how they look, what they say.

Lengths across are percent of the picture's width, lengths down are pixels: so the picture takes
the width of any screen, and text in it keeps its size. All places come from instants; only what
labels say is local time. So a day of 23 or 25 hours is drawn as long as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from web.report import MOST_LISTED, ActiveJobReport, JobReport, KindReport, StreamReport
from web.shapes import PADDING, ROW, Bar, Clash, Label, Lane, Mark, Picture, Veil
from web.times import WEEKDAYS, Wall, span

REACH = timedelta(hours=24)  # that is shown on either side of now
NOW = 50.0  # where now is
END = 100.0  # where the picture ends
PER_SECOND = NOW / REACH.total_seconds()
THINNEST = 0.4  # percent; a bar is never narrower, or it would not be seen
MOST_ROWS = 3  # of jobs that run at one time in one lane
AXIS = 20  # pixels for the hours, on top
ACTIVE = ("busy", "scheduled")
LOOKS = {0: "day", 6: "minor", 12: "", 18: "minor"}  # of the hours that are labelled
HEIGHTS = {"failed": 16, "success": 10, "busy": 10, "scheduled": 10, "canceled": 4, "unknown": 4}


class Run(NamedTuple):
    """A job from its start to its end, or till now."""

    start: datetime
    end: datetime
    job: JobReport


def picture(stream: StreamReport, wall: Wall, *, jobs_known: bool = True) -> Picture:
    """Draw a stream as of the instant that the clock on the wall shows."""
    lanes, top = [], AXIS
    for kind in stream.kinds:
        lane = _lane(kind, wall, top, jobs_known=jobs_known)
        lanes.append(lane)
        top += lane.height
    return Picture(top, tuple(_labels(wall)), tuple(lanes), tuple(_clashes(lanes, wall)))


def _place(instant: datetime, now: datetime) -> float:
    """Return where an instant lies, within the picture."""
    place = NOW + (instant - now).total_seconds() * PER_SECOND
    return round(place, 2) if 0 < place < END else 0.0 if place <= 0 else END


def _lane(kind: KindReport, wall: Wall, top: int, *, jobs_known: bool) -> Lane:
    runs = sorted(_runs(kind, wall.now), key=lambda run: run[:2])
    rows = _rows(runs)
    middles = [top + PADDING // 2 + row * ROW + ROW // 2 for row in rows]
    lane = Lane(kind, top, max(rows, default=0) + 1, (), (), (), ())
    return lane._replace(
        bars=tuple(_bar(run, middle, wall) for run, middle in zip(runs, middles, strict=True)),
        marks=tuple(
            Mark(_place(tick, wall.now), lane.middle, f"due {wall.hour(tick)}")
            for tick in _coming(kind, wall.now)
        ),
        gaps=tuple(
            Mark(_place(tick, wall.now), lane.middle, f"was due {wall.hour(tick)}: no job")
            for tick in (_gaps(kind, wall.now) if jobs_known else ())
        ),
        veils=tuple(_veils(lane, wall.now, jobs_known=jobs_known)),
    )


def _coming(kind: KindReport, now: datetime) -> list[datetime]:
    return [tick for tick in dict.fromkeys(kind.coming) if now <= tick <= now + REACH]


def _gaps(kind: KindReport, now: datetime) -> Iterator[datetime]:
    """Find the ticks after which no job was created until the next tick."""
    created = sorted(job.created for job in (*kind.recent, *kind.active) if job.created)
    known = _listed_since(kind) or now - REACH
    for tick, following in pairwise([*kind.passed, now + REACH]):
        first = bisect_left(created, tick)
        if known <= tick <= now and not created[first : bisect_left(created, following)]:
            yield tick


def _listed_since(kind: KindReport) -> datetime | None:
    """Return since when jobs are listed, where the list is full."""
    return kind.recent[0].created if len(kind.recent) >= MOST_LISTED else None


def _runs(kind: KindReport, now: datetime) -> Iterator[Run]:
    """Return the jobs that belong in the picture; an active one does, whenever it started."""
    jobs: dict[str, JobReport] = {job.uri: job for job in (*kind.recent, *kind.active)}
    for job in jobs.values():
        start = job.created or job.modified
        if start is None:
            continue
        end = now if job.status in ACTIVE else max(start, job.modified or start)
        if end >= now - REACH and start <= now + REACH:
            yield Run(start, end, job)


def _rows(runs: Iterable[Run]) -> list[int]:
    """Give jobs that run at one time rows of their own, as long as there are rows."""
    ends: list[datetime] = []
    rows = []
    for start, end, _ in runs:
        row = next((row for row, taken in enumerate(ends) if taken <= start), len(ends))
        if row == MOST_ROWS:
            row = ends.index(min(ends))
        ends[row : row + 1] = [end]
        rows.append(row)
    return rows


def _bar(run: Run, middle: int, wall: Wall) -> Bar:
    left, right = _place(run.start, wall.now), _place(run.end, wall.now)
    if right - left < THINNEST:  # it grows to the right, unless into the future or out of sight
        left = min(left, (NOW if left <= NOW else END) - THINNEST)
        right = left + THINNEST
    look: str = run.job.status
    says, height = _about(run, wall), HEIGHTS[run.job.status]
    if isinstance(run.job, ActiveJobReport) and run.job.trouble is not None:
        look, says = f"{look} stuck", f"stuck, {run.job.trouble.cause}: {says}"
    return Bar(left, round(right - left, 2), middle - height // 2, height, look, says)


def _about(run: Run, wall: Wall) -> str:
    """Say what a bar stands for."""
    start, end, job = run
    until = "now" if job.status in ACTIVE else wall.hour(end)
    return f"{job.status}, {wall.hour(start)} to {until} ({span(end - start)}): {job.uri}"


def _veils(lane: Lane, now: datetime, *, jobs_known: bool) -> Iterator[Veil]:
    """Cover what the report does not tell."""
    kind = lane.kind
    if not jobs_known:
        yield Veil(0, NOW, lane.y, lane.height, "not known: the store does not answer")
    elif since := _listed_since(kind):
        says = f"older than the newest {MOST_LISTED} jobs, which are all that is listed"
        yield Veil(0, _place(since, now), lane.y, lane.height, says)
    if len(kind.coming) >= MOST_LISTED:
        x = _place(kind.coming[-1], now)
        says = f"later than the next {MOST_LISTED} ticks, which are all that is listed"
        yield Veil(x, round(END - x, 2), lane.y, lane.height, says)


def _clashes(lanes: Iterable[Lane], wall: Wall) -> Iterator[Clash]:
    """Find the instants at which more than one kind is due."""
    due: dict[datetime, list[Lane]] = {}
    for lane in lanes:
        for tick in _coming(lane.kind, wall.now):
            due.setdefault(tick, []).append(lane)
    for tick, together in due.items():
        if len(together) > 1:
            names = " and ".join(lane.kind.kind for lane in together)
            says = f"{names} are due at once, {wall.hour(tick)}: one waits for the other"
            x = _place(tick, wall.now)
            yield Clash(x, together[0].middle, together[-1].middle, says)


def _labels(wall: Wall) -> Iterator[Label]:
    """Label every sixth hour by the clock on the wall; a day begins with its name."""
    first = wall.local(wall.now - REACH).date()
    for day in (first + timedelta(days=number) for number in range(3)):
        for hour, look in LOOKS.items():
            local = datetime.combine(day, time(hour), wall.zone)
            instant = local.astimezone(UTC)
            if abs(instant - wall.now) > REACH:
                continue
            shown = wall.local(instant)
            says = f"{shown:%H:%M}" if hour else f"{WEEKDAYS[shown.weekday()]} {shown.day}"
            yield Label(_place(instant, wall.now), look, says)
