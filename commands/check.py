"""`flask check`: what a configuration amounts to, before anything is deployed."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import TYPE_CHECKING, Final

import click
from flask.cli import with_appcontext

from commands.text import columns, instant, wrapped
from commands.tools import current_tools
from jobs.collisions import collisions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, tzinfo

    from config import Settings
    from jobs.collisions import Collision
    from jobs.model import Plan

HORIZON: Final = timedelta(days=14)
MOST_COLLISIONS: Final = 10  # that are written out


@click.command()
@with_appcontext
def check() -> None:
    """Check the configuration and show what it amounts to.

    Needs neither the store nor a running service. With a bad configuration it lists every
    problem on standard error and ends with exit status 78, as the service does at its start.
    """
    tools = current_tools()
    for line in report(tools.settings, tools.world.now()):
        click.echo(line)


def report(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield the lines of the answer."""
    yield from settings.warnings
    yield f"configuration: no problems, {_count(len(settings.warnings), 'warning')}"
    streams = _count(len(settings.streams), "stream")
    yield f"{streams}, time zone {settings.zone}, now {instant(now, settings.zone)}"
    yield from _streams(settings, now)
    yield from ["", "creators of errors (dct:creator), for the alerting's configuration"]
    for creator in dict.fromkeys(stream.error_creator for stream in settings.streams):
        yield f"  {creator}"
    yield ""
    yield from _meetings(collisions(settings.streams, now, HORIZON), settings.zone)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}" if number == 1 else f"{number or 'no'} {what}s"


def _streams(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield each stream with its kinds, in columns that are the same for all streams."""
    plans = chain.from_iterable(stream.plans for stream in settings.streams)
    rows = iter(columns([_row(plan, now, settings.zone) for plan in plans]))
    for stream in settings.streams:
        yield from ["", f"{stream}, in graph {stream.jobs_graph}"]
        for plan, row in zip(stream.plans, rows, strict=False):
            yield f"  {row}"
            yield f"    job   {plan.job_operation or 'not set'}"
            yield f"    task  {plan.task_operation}"


def _row(plan: Plan, now: datetime, zone: tzinfo) -> list[str]:
    name, schedule = plan.kind.value, plan.schedule
    if not plan.enabled:
        return [name, f"disabled; {plan.enabled_by} enables it"]
    if schedule is None:
        return [name, "once, at the start"]
    return [name, schedule.pattern, instant(schedule.next_after(now), zone), schedule.in_words]


def _meetings(found: Sequence[Collision], zone: tzinfo) -> Iterator[str]:
    """Yield what starts together: heavy jobs at one instant are seldom meant."""
    if not found:
        yield f"no two are due at one instant within {HORIZON.days} days"
        return
    yield f"due at one instant, within {HORIZON.days} days; a dump waits for its stream's healing"
    for collision in found[:MOST_COLLISIONS]:
        due = ", ".join(map(str, collision.due))
        yield from wrapped(f"{instant(collision.first, zone)}: {due}{_more(collision)}", 2)
    if found[MOST_COLLISIONS:]:
        yield f"  and {_count(len(found) - MOST_COLLISIONS, 'other combination')}"


def _more(collision: Collision) -> str:
    more = collision.times - 1
    least = "" if collision.exact else "at least "
    return f" (and {least}{_count(more, 'more time')})" if more else ""
