"""`flask status`: show the state of the running service to a person or a script."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from pydantic import ValidationError

from commands.context import CallContext, current_call_context
from commands.output import Command, note, show, show_json
from commands.service import OK, call, detail, url_option
from commands.text import columns, instant, local, wrapped
from web.status.report import (
    ActiveJobReport,
    KindReport,
    StatusReport,
    StuckJobReport,
)

PROBE_SECONDS: Final = 5.0  # for the answer of a service that may not run


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print the JSON of /status unchanged.")
@url_option
@with_appcontext
def status(url: str | None, *, as_json: bool) -> None:
    """Show the state of the running service.

    The exit status is 0 if the service is ready, reaches the store and has no stuck job.
    Otherwise it is 1, and the reasons are on standard error.
    """
    text, report = fetch(current_call_context(), url)
    if as_json:
        show_json(text)
    else:
        for line in lines(report):
            show(line)
    reasons = list(problems(report))
    for reason in reasons:
        note(reason)
    click.get_current_context().exit(1 if reasons else 0)


def fetch(
    context: CallContext, url: str | None, max_seconds: float = math.inf
) -> tuple[str, StatusReport]:
    """Return the status of the running service, as its JSON and as a report.

    Raise `click.ClickException` if there is none, also after `max_seconds`.
    """
    answer = call(context, "GET", url, "/status", max_seconds)
    if answer.status != OK:
        raise click.ClickException(f"no status ({answer.status}): {detail(answer)}")
    return answer.text, parse(answer.text)


def changes(report: StatusReport) -> Iterator[str]:
    """Yield a line for each file of the configuration that differs from what runs."""
    for path in report.changed_files:
        yield f"{path} differs from what runs; if flask check accepts it, restart the service"


def note_changes(context: CallContext) -> None:
    """Note such files on standard error; a service that does not run here has none."""
    with contextlib.suppress(click.ClickException):
        _, report = fetch(context, None, PROBE_SECONDS)
        for line in changes(report):
            note(line)


def parse(text: str) -> StatusReport:
    """Return the status from its JSON; raise `click.ClickException` if it is something else."""
    try:
        return StatusReport.model_validate_json(text)
    except ValidationError as error:
        message = "the answer is not the status of this version of the service; check --url"
        raise click.ClickException(message) from error


def problems(report: StatusReport) -> Iterator[str]:
    """Yield every reason for a person to act."""
    if not report.ready:
        yield f"not ready: {report.problem or 'the start is not finished'}"
    elif report.problem:
        yield report.problem
    if not report.store.reachable:
        yield f"the store is not reachable: {report.store.problem}"
    for stream in report.streams:
        for kind in stream.kinds:
            listed = [job.uri for job in kind.active if job.trouble is not None]
            left = sum(kind.stuck.values()) - len(listed)
            for shown in [*listed, *([f"{left} more"] if left else [])]:
                yield f"stuck: {_kind(kind)} of {stream_name(stream.name)}: {shown}"


def lines(report: StatusReport) -> Iterator[str]:
    """Yield the report as lines of text, with times in the service's zone."""
    zone = _zone(report.time_zone)
    state = "ready" if report.ready else "not ready"
    reachable = "reachable" if report.store.reachable else "not reachable"
    yield f"{instant(report.now, zone)}: {state}, version {report.version}"
    yield f"up since {instant(report.started, zone)}"
    yield f"store {report.store.endpoint}: {reachable}"
    for line in changes(report):
        yield from wrapped(line, 0)
    rows = [_row(kind, zone) for stream in report.streams for kind in stream.kinds]
    heading, *aligned = columns([["kind", "next", "last job", "last outcome"], *rows])
    yield from ["", f"  {heading}"]
    remaining = iter(aligned)
    for stream in report.streams:
        yield stream_name(stream.name)
        for kind, row in zip(stream.kinds, remaining, strict=False):
            yield f"  {row}"
            yield from _details(kind, zone, complete=report.store.complete)


def _zone(name: str) -> tzinfo:
    """Return the service's zone, or UTC if this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return UTC


def stream_name(name: str | None) -> str:
    """Return how a line names a stream."""
    return "the environment's stream" if name is None else f"stream {name}"


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
    """Return the date and time without seconds and zone; the first line of output has the zone."""
    return f"{local(when, zone):%a %Y-%m-%d %H:%M}" if when else ""


def _details(kind: KindReport, zone: tzinfo, *, complete: bool) -> Iterator[str]:
    """Yield the reason for the last outcome, and the active jobs, of which all were read or not."""
    outcome = kind.last_outcome
    if outcome and outcome.reason:
        tick = f" tick {instant(outcome.tick, zone)}:" if outcome.tick else ""
        yield from wrapped(f"{outcome.result}:{tick} {outcome.reason}", 4)
    for job in kind.active:
        if job.trouble is None:
            yield from wrapped(f"active: {job.uri} ({job.status})", 4)
        else:
            yield from _stuck(job, job.trouble, zone)
    if left := kind.active_count - len(kind.active):
        yield f"    active: {left if complete else f'at least {left}'} more"


def _stuck(job: ActiveJobReport, trouble: StuckJobReport, zone: tzinfo) -> Iterator[str]:
    since = f" since {instant(trouble.since, zone)}" if trouble.since else ""
    yield from wrapped(f"stuck{since}, {trouble.cause}: {job.uri} ({job.status})", 4)
    yield from wrapped(trouble.message, 6)
    yield from wrapped(f"→ {trouble.remedy}", 6)
