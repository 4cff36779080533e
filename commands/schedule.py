"""`flask schedule`: show when jobs will be due, and where the clocks change."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, pairwise
from typing import Final

import click
from flask.cli import with_appcontext

from commands.context import UNNAMED, current_context, find_stream
from commands.output import Command, show
from commands.status import note_changes
from commands.text import columns, instant
from jobs.cron import Schedule
from jobs.model import Stream
from jobs.text import escaped

MAX_COUNT: Final = 1000
YEARS: Final = range(1970, 2200)  # time zone data outside these years is guesswork
_SECOND: Final = timedelta(seconds=1)


@click.command(cls=Command)
@click.option(
    "--stream",
    "name",
    metavar="NAME",
    help=f"Only this stream; {UNNAMED} is the environment's.  [default: all]",
)
@click.option(
    "--count",
    type=click.IntRange(1, MAX_COUNT),
    default=5,
    show_default=True,
    help="How many fire times to show for each schedule.",
)
@click.option(
    "--from",
    "start",
    metavar="ISO",
    help="Show fire times at and after this time. Without an offset it is in the service's zone.  "
    "[default: now]",
)
@with_appcontext
def schedule(name: str | None, count: int, start: str | None) -> None:
    """Show the next fire times of every schedule."""
    context = current_context()
    streams, zone = context.settings.streams, context.settings.zone
    chosen = streams if name is None else (find_stream(streams, name),)
    # Fire times are strictly after an instant; --from includes its own instant.
    after = (
        context.calls.clock.now()
        if start is None
        else parse_start(start, zone) - timedelta.resolution
    )
    for line in calendar(chosen, after, count):
        show(line)
    note_changes(context.calls)


def parse_start(text: str, zone: tzinfo) -> datetime:
    """Return the instant of an ISO date or time, in UTC.

    Without an offset, the text is in `zone`. Raise `click.BadParameter`, a usage error, if the text
    is not a date or its year is not in `YEARS`.
    """
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        message = f'got "{escaped(text)}": not an ISO date and time; write e.g. 2024-01-06T06:00'
        raise click.BadParameter(message, param_hint="--from") from error
    if start.year not in YEARS:
        message = f'got "{escaped(text)}": out of range; use a year from {YEARS[0]} to {YEARS[-1]}'
        raise click.BadParameter(message, param_hint="--from")
    return (start if start.tzinfo else start.replace(tzinfo=zone)).astimezone(UTC)


def calendar(streams: Iterable[Stream], after: datetime, count: int) -> Iterator[str]:
    """Yield the next `count` fire times of each schedule, under a heading for each schedule."""
    for stream in streams:
        for plan in stream.plans:
            if plan.schedule is not None:
                schedule = plan.schedule
                yield f"{plan.kind.value} of {stream}: {schedule.pattern} ({schedule.in_words})"
                yield from _dates(schedule, after, count)
            elif not plan.enabled:
                yield f"{plan.kind.value} of {stream}: disabled; {plan.enabled_by} enables it"


def _dates(schedule: Schedule, after: datetime, count: int) -> Iterator[str]:
    zone = schedule.zone
    instants = [after, *islice(schedule.fire_times(after), count)]
    rows = [
        [instant(due, zone), offset(due, zone), clock_change(before, due, zone)]
        for before, due in pairwise(instants)
    ]
    for line in columns(rows):
        yield f"  {line}"


def offset(when: datetime, zone: tzinfo) -> str:
    """Return the UTC offset of a zone at an instant, such as `+01:00`."""
    return when.astimezone(zone).isoformat(timespec="seconds")[len("2024-01-06T06:00:00") :]


def clock_change(previous: datetime, due: datetime, zone: tzinfo) -> str:
    """Return a note if the clocks changed after the previous fire time, up to this one.

    Both fire times may have the same offset although the clocks changed at the second one. The
    second before it is therefore compared, too.
    """
    new = due.astimezone(zone).utcoffset() or timedelta()
    for earlier in (previous, due - _SECOND):
        old = earlier.astimezone(zone).utcoffset() or timedelta()
        if old != new:
            direction = "forward" if new > old else "back"
            return f"← clocks go {direction} {_transition(earlier, due, zone):%Y-%m-%d}"
    return ""


def _transition(start: datetime, end: datetime, zone: tzinfo) -> datetime:
    """Return when the UTC offset changed between two instants whose offsets differ."""
    old = start.astimezone(zone).utcoffset()
    elapsed = bisect_left(
        range((end - start) // _SECOND),
        x=True,
        key=lambda seconds: (start + seconds * _SECOND).astimezone(zone).utcoffset() != old,
    )
    return (start + elapsed * _SECOND).astimezone(zone)
