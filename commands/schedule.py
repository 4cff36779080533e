"""`flask schedule`: when jobs will be due, with the days on which the clocks change."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final

import click
from flask.cli import with_appcontext

from commands.text import columns, instant
from commands.tools import UNNAMED, current_tools, find_stream
from jobs.collisions import fire_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from jobs.cron import Schedule
    from jobs.model import Stream

MOST: Final = 1000
YEARS: Final = range(1970, 2200)  # beyond these a calendar and its clocks are mere guesses
_SECOND: Final = timedelta(seconds=1)
_LEAST: Final = timedelta(microseconds=1)


@click.command()
@click.option(
    "--stream",
    "name",
    metavar="NAME",
    help=f"Only this stream; {UNNAMED} is the environment's.  [default: all]",
)
@click.option(
    "--count",
    type=click.IntRange(1, MOST),
    default=5,
    show_default=True,
    help="Fire times of each schedule.",
)
@click.option(
    "--from",
    "start",
    metavar="ISO",
    help="The first instant that counts, in the service's zone if it names none.  [default: now]",
)
@with_appcontext
def schedule(name: str | None, count: int, start: str | None) -> None:
    """Show the next fire times of every schedule."""
    tools = current_tools()
    streams, zone = tools.settings.streams, tools.settings.zone
    chosen = streams if name is None else (find_stream(streams, name),)
    since = tools.world.now() if start is None else parse_start(start, zone) - _LEAST
    for line in calendar(chosen, since, count):
        click.echo(line)


def parse_start(text: str, zone: tzinfo) -> datetime:
    """Read an instant; raise a usage error on what is none."""
    try:
        start = datetime.fromisoformat(text)
    except ValueError as error:
        message = f'got "{text}": not a date with time; write e.g. 2024-01-06T06:00'
        raise click.BadParameter(message, param_hint="--from") from error
    if start.year not in YEARS:
        message = f'got "{text}": out of range; use a year from {YEARS[0]} to {YEARS[-1]}'
        raise click.BadParameter(message, param_hint="--from")
    return (start if start.tzinfo else start.replace(tzinfo=zone)).astimezone(UTC)


def calendar(streams: Sequence[Stream], since: datetime, count: int) -> Iterator[str]:
    """Yield the fire times after an instant, under a heading for each schedule."""
    for stream in streams:
        for plan in stream.plans:
            if plan.schedule is not None:
                schedule = plan.schedule
                yield f"{plan.kind.value} of {stream}: {schedule.pattern} ({schedule.in_words})"
                yield from _dates(schedule, since, count)
            elif not plan.enabled:
                yield f"{plan.kind.value} of {stream}: disabled; {plan.enabled_by} enables it"


def _dates(schedule: Schedule, since: datetime, count: int) -> Iterator[str]:
    zone = schedule.zone
    instants = [since, *islice(fire_times(schedule, since), count)]
    rows = [
        [instant(due, zone), offset(due, zone), remark(before, due, zone)]
        for before, due in pairwise(instants)
    ]
    for line in columns(rows):
        yield f"  {line}"


def offset(when: datetime, zone: tzinfo) -> str:
    """Write the UTC offset of an instant."""
    return when.astimezone(zone).isoformat(timespec="seconds")[len("2024-01-06T06:00:00") :]


def remark(before: datetime, due: datetime, zone: tzinfo) -> str:
    """Say that the clocks changed since the fire time before, or at this one's very instant."""
    new = due.astimezone(zone).utcoffset() or timedelta()
    for since in (before, due - _SECOND):
        old = since.astimezone(zone).utcoffset() or timedelta()
        if old != new:
            direction = "forward" if new > old else "back"
            return f"← clocks go {direction} {_change(since, due, zone):%Y-%m-%d}"
    return ""


def _change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return when the clocks changed between instants whose UTC offsets differ."""
    old = before.astimezone(zone).utcoffset()
    passed = bisect_left(
        range((after - before) // _SECOND),
        x=True,
        key=lambda seconds: (before + seconds * _SECOND).astimezone(zone).utcoffset() != old,
    )
    return (before + passed * _SECOND).astimezone(zone)
