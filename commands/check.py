"""`flask check`: show what a configuration means before it is deployed, and if its stack fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from pathlib import Path
from typing import Final

import click
from flask.cli import with_appcontext

from commands.context import current_context
from commands.output import Command, or_exit, show
from commands.overlaps import Overlap, overlaps
from commands.status import note_changes
from commands.text import columns, instant, wrapped
from config import Settings
from jobs.model import MAINTAINERS_HEALING, JobKind, Plan, Stream
from jobs.system_clock import utc_now
from jobs.task_operations import PLAIN_HEALING, setting, takes_earlier
from jobs.text import count

HORIZON: Final = timedelta(days=14)
MAX_OVERLAPS: Final = 10  # lines of output


@click.command(cls=Command)
@click.option(
    "--stack",
    "directory",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare the settings in the docker-compose files of this folder with the configuration "
    "of the neighbours. Ends with exit status 1 if something is wrong.",
)
@with_appcontext
def check(directory: Path | None) -> None:
    """Check the configuration and show what it means.

    Works without the store and without a running service. If the configuration has problems, it
    lists them all on standard error and ends with exit status 78, as the service does at its
    start.
    """
    if directory is not None:
        check_stack(directory)
        return
    context = current_context()
    for line in report(context.settings, context.calls.clock.now()):
        show(line)
    note_changes(context.calls)


def check_stack(directory: Path) -> None:
    """Compare this service with its neighbours; end with exit status 1 if something is wrong."""
    # Its parsers take time to import, and the service, which imports this module, needs none.
    from commands.stack.report import check_folder, lines  # noqa: PLC0415

    found = or_exit(lambda: check_folder(directory, utc_now()))
    for line in lines(found):
        show(line)
    if not found.fine:
        raise SystemExit(1)


def report(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield the lines of the output."""
    yield from settings.warnings
    yield f"configuration: no problems, {settings.summary}"
    yield f"time zone {settings.zone}, now {instant(now, settings.zone)}"
    yield from _streams(settings, now)
    yield from ["", "creators of error resources (dct:creator), for the configuration of alerts"]
    for creator in dict.fromkeys(stream.error_creator for stream in settings.streams):
        yield f"  {creator}"
    yield ""
    yield from _overlaps(overlaps(settings.streams, now, HORIZON), settings.zone)


def _streams(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield each stream with its kinds; the columns are aligned across all streams."""
    plans = chain.from_iterable(stream.plans for stream in settings.streams)
    rows = iter(columns([_row(plan, now, settings.zone) for plan in plans]))
    for stream in settings.streams:
        yield from ["", f"{stream}, in graph {stream.jobs_graph}"]
        if stream.origin:
            yield f"  {stream.origin}"
        for plan, row in zip(stream.plans, rows, strict=False):
            yield f"  {row}"
            yield f"    job   {plan.job_operation or 'not set'}"
            yield f"    task  {plan.task_operation}"
            if plan.kind is JobKind.HEALING and takes_earlier(stream):
                yield from wrapped(_earlier_task(stream), 10)


def _earlier_task(stream: Stream) -> str:
    """Return that the start of the service may choose another task operation."""
    text = f"or that of an earlier healing: {setting(stream)} is not set, so the start reads it"
    if stream.plan(JobKind.HEALING).task_operation == PLAIN_HEALING:
        text += (
            "; a new stream needs the one for which its consumer listens, which is "
            f"{MAINTAINERS_HEALING} for the publication-graph-maintainer"
        )
    return text


def _row(plan: Plan, now: datetime, zone: tzinfo) -> list[str]:
    name, schedule = plan.kind.value, plan.schedule
    if not plan.enabled:
        return [name, f"disabled; {plan.enabled_by} enables it"]
    if schedule is None:
        return [name, "once, at the start"]
    return [name, schedule.pattern, instant(schedule.next_after(now), zone), schedule.in_words]


def _overlaps(found: Sequence[Overlap], zone: tzinfo) -> Iterator[str]:
    """Yield which jobs are due together, as operators rarely want heavy jobs to overlap."""
    if not found:
        yield f"no two jobs are due at the same time in the next {HORIZON.days} days"
        return
    yield (
        f"due at the same time in the next {HORIZON.days} days "
        "(a dump waits for the healing of its stream)"
    )
    for overlap in found[:MAX_OVERLAPS]:
        kinds = ", ".join(map(str, overlap.kinds))
        yield from wrapped(f"{instant(overlap.first, zone)}: {kinds}{_repeats(overlap)}", 2)
    if found[MAX_OVERLAPS:]:
        yield f"  and {count(len(found) - MAX_OVERLAPS, 'other combination')}"


def _repeats(overlap: Overlap) -> str:
    more = overlap.times - 1
    bound = "" if overlap.exact else "at least "
    return f" (and {bound}{count(more, 'more time')})" if more else ""
