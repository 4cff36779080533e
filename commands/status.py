"""`flask status`: how the running service fares, for a person or a script."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from pydantic import ValidationError

from commands.service import OK, call, detail, url_option
from commands.text import columns, instant, wrapped
from commands.tools import current_tools
from web.report import StatusReport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from web.report import ActiveJobReport, KindReport, StreamReport, TroubleReport


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the document as it came.")
@url_option
@with_appcontext
def status(url: str | None, *, as_json: bool) -> None:
    """Show how the running service fares.

    Ends with exit status 0 if it is ready, reaches the store and no job is stuck; else with 1,
    and the reasons on standard error.
    """
    answer = call(current_tools(), "GET", url, "/status")
    if answer.status != OK:
        raise click.ClickException(f"no status ({answer.status}): {detail(answer)}")
    if as_json:
        click.echo(answer.text)
    report = parse(answer.text)
    if not as_json:
        for line in lines(report):
            click.echo(line)
    found = list(problems(report))
    for problem in found:
        click.echo(problem, err=True)
    click.get_current_context().exit(1 if found else 0)


def parse(text: str) -> StatusReport:
    """Read the document."""
    try:
        return StatusReport.model_validate_json(text)
    except ValidationError as error:
        message = "the answer is no status of this version of the service; is --url right?"
        raise click.ClickException(message) from error


def problems(report: StatusReport) -> Iterator[str]:
    """Yield what needs somebody's attention."""
    if not report.ready:
        yield f"not ready: {report.problem or 'the start is not done yet'}"
    elif report.problem:
        yield report.problem
    if not report.store.reachable:
        yield f"the store is not reachable: {report.store.problem}"
    for stream in report.streams:
        for kind in stream.kinds:
            for job in kind.active:
                if job.trouble is not None:
                    yield f"stuck: {_kind(kind)} of {_stream(stream)}: {job.uri}"


def lines(report: StatusReport) -> Iterator[str]:
    """Yield the report for a person, in the service's zone."""
    zone = _zone(report.time_zone)
    state = "ready" if report.ready else "not ready"
    reachable = "reachable" if report.store.reachable else "not reachable"
    yield f"{instant(report.now, zone)}: {state}, version {report.version}"
    yield f"up since {instant(report.started, zone)}"
    yield f"store {report.store.endpoint}: {reachable}"
    rows = [_row(kind, zone) for stream in report.streams for kind in stream.kinds]
    heading, *aligned = columns([["kind", "next", "last job", "last outcome"], *rows])
    yield from ["", f"  {heading}"]
    left = iter(aligned)
    for stream in report.streams:
        yield _stream(stream)
        for kind, row in zip(stream.kinds, left, strict=False):
            yield f"  {row}"
            yield from _details(kind, zone)


def _zone(name: str) -> tzinfo:
    """Return the service's zone, or UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return UTC


def _stream(stream: StreamReport) -> str:
    return "the environment's stream" if stream.name is None else f"stream {stream.name}"


def _kind(kind: KindReport) -> str:
    return kind.kind.replace("-", " ")


def _row(kind: KindReport, zone: tzinfo) -> list[str]:
    due = "at the start" if kind.next_fire_time is None else _short(kind.next_fire_time, zone)
    job, outcome = kind.last_job, kind.last_outcome
    return [
        _kind(kind),
        due if kind.enabled else "disabled",
        f"{job.status} {_short(job.created, zone)}" if job else "-",
        f"{outcome.result} {_short(outcome.at, zone)}" if outcome else "-",
    ]


def _short(when: datetime | None, zone: tzinfo) -> str:
    """Write an instant of a table; its zone stands in the first line."""
    return f"{when.astimezone(zone):%a %Y-%m-%d %H:%M}" if when else ""


def _details(kind: KindReport, zone: tzinfo) -> Iterator[str]:
    """Yield why the last outcome is what it is, and the jobs that run or should."""
    outcome = kind.last_outcome
    if outcome and outcome.reason:
        tick = f" tick {instant(outcome.tick, zone)}:" if outcome.tick else ""
        yield from wrapped(f"{outcome.result}:{tick} {outcome.reason}", 4)
    for job in kind.active:
        if job.trouble is None:
            yield from wrapped(f"active: {job.uri} ({job.status})", 4)
        else:
            yield from _trouble(job, job.trouble, zone)


def _trouble(job: ActiveJobReport, trouble: TroubleReport, zone: tzinfo) -> Iterator[str]:
    since = instant(trouble.since, zone)
    yield from wrapped(f"stuck since {since}, {trouble.cause}: {job.uri} ({job.status})", 4)
    yield from wrapped(trouble.message, 6)
    yield from wrapped(f"→ {trouble.remedy}", 6)
