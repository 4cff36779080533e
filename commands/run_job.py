"""`flask run-job`: make the running service create a job, and follow it with `--wait`."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import click
from flask.cli import with_appcontext

from commands.context import UNNAMED, CallContext, current_call_context, find_name
from commands.follow import Progress, follow
from commands.output import Command, OutputError, note, show
from commands.service import OK, NoAnswerError, call, detail, url_option
from commands.status import changes, fetch, stream_name
from commands.text import instant
from jobs.model import JOB_BASE, Job, JobKind
from jobs.store import Deadline, StoreError

FAILED: Final = 1
STILL_RUNNING: Final = 3
INTERRUPTED: Final = 130  # the exit status that shells use for Ctrl-C
FINAL_READ_SECONDS: Final = 5.0  # the store has this long to answer after --wait is over
_IN_DOUBT: Final = "the job may have been created anyway; check with flask status"
_NOT_CLOSED: Final = (
    "the job is still open and blocks its stream: configure job-controller to close jobs of this "
    "operation, or set CLOSE_FINISHED_JOBS=true"
)
_CLEAR_LINE: Final = "\r\x1b[K"
_JOB: Final = re.compile(re.escape(JOB_BASE) + r"[\w-]+", re.ASCII)
_KINDS: Final = {kind.slug: kind for kind in JobKind}
MAX_WAIT: Final = 31_536_000  # seconds, a year


class WaitSeconds(click.FloatRange):
    """A number of seconds; `nan` is refused, although it is in no order with the bounds."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number of seconds.", param, ctx)
        return number


@click.command(cls=Command)
@click.argument("kind", type=click.Choice(list(_KINDS)))
@click.option(
    "--stream",
    "name",
    metavar="NAME",
    help=f"The stream; {UNNAMED} is the environment's.  [default: that, or the only one]",
)
@click.option(
    "--wait",
    "seconds",
    type=WaitSeconds(min=0, max=MAX_WAIT, min_open=True),
    metavar="SECONDS",
    help="Follow the job for at most this long.",
)
@url_option
@with_appcontext
def run_job(kind: str, name: str | None, seconds: float | None, url: str | None) -> None:
    """Make the running service create a job of KIND now, and print the URI of the job.

    With --wait, the exit status is 0 if the tasks of the job succeeded, 1 if one of them did not,
    and 3 if they were still running when the time was over. Progress goes to standard error.
    """
    context = current_call_context()
    _, report = fetch(context, url)
    for line in changes(report):
        note(line)
    stream = choose([stream.name for stream in report.streams], name)
    try:
        job = create(context, stream, _KINDS[kind], url)
    except KeyboardInterrupt:
        note(f"interrupted; {_IN_DOUBT}")
        click.get_current_context().exit(INTERRUPTED)
    status = print_uri(job)
    if seconds is not None:
        status = wait(context, job, seconds)
    click.get_current_context().exit(status)


def print_uri(job: str) -> int:
    """Print the URI of a job and return the exit status.

    If standard output cannot be written, it goes to standard error: the job was created.
    """
    try:
        show(job)
    except OutputError as error:
        note(f"created {job}, but {error.message}")
        return FAILED
    return 0


def choose(streams: Sequence[str | None], name: str | None) -> str | None:
    """Return the stream of this name, or without a name the environment's or the only one.

    Streams are names; None is the environment's. Raise `click.BadParameter`, a usage error, if
    there is no such stream or no single one.
    """
    if name is not None:
        return find_name(streams, name)
    if None in streams:
        return None
    if len(streams) > 1:
        names = ", ".join(map(str, streams))
        raise click.BadParameter(f"choose one of {names}", param_hint="--stream")
    return streams[0]


def create(context: CallContext, stream: str | None, kind: JobKind, url: str | None) -> str:
    """Make the service create a job and return its URI; raise `click.ClickException` otherwise."""
    try:
        answer = call(context, "POST", url, kind.address(stream))
    except NoAnswerError as error:
        doubt = f"; {_IN_DOUBT}" if error.sent else ""
        raise click.ClickException(f"{error.message}{doubt}") from error
    found = _JOB.search(answer.text)
    if answer.status != OK or found is None:
        owner = stream_name(stream)
        message = f"no {kind.value} of {owner} was created ({answer.status}): {detail(answer)}"
        raise click.ClickException(message)
    return found[0]


def wait(context: CallContext, uri: str, seconds: float) -> int:
    """Follow a job, print its result to standard error, and return the exit status."""
    monotonic, timeout = context.clock.monotonic, context.service.mu_sparql_timeout
    deadline = Deadline.after(seconds, monotonic)
    line = ProgressLine(context)

    def read_job() -> Job | None:
        limit = min(timeout, deadline.remaining + FINAL_READ_SECONDS)
        found = context.store.within(Deadline.after(limit, monotonic)).find([uri])
        return found[0] if found else None

    try:
        last = follow(read_job, line.show, deadline, context.pause)
        message, status = result(last, seconds)
    except KeyboardInterrupt:
        message, status = "interrupted; the job continues", INTERRUPTED
    except StoreError as error:
        message, status = f"the job continues, but its state cannot be read: {error}", FAILED
    line.end()
    note(message)
    return status


def result(last: Progress, seconds: float) -> tuple[str, int]:
    """Return the final message and the exit status, for the last progress within the time."""
    if last.succeeded is None:
        return f"not finished after {seconds:g} s, the job continues: {last.text}", STILL_RUNNING
    not_closed = "" if last.closed else f"; {_NOT_CLOSED}"
    if last.succeeded:
        return f"succeeded: {last.text}{not_closed}", 0
    return f"failed: {last.text}{not_closed}", FAILED


class ProgressLine:
    """Shows progress: on a terminal in one line that changes, else in a line for each change."""

    def __init__(self, context: CallContext) -> None:
        self._clock = context.clock
        self._zone = context.zone
        self._started = context.clock.monotonic()
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._last: Progress | None = None

    def show(self, progress: Progress) -> None:
        """Write the progress to standard error."""
        if self._terminal:
            elapsed = timedelta(seconds=int(self._clock.monotonic() - self._started))
            note(f"{elapsed}  {progress.text}", before=_CLEAR_LINE, nl=False)
        elif progress != self._last:
            note(f"{instant(self._clock.now(), self._zone)}: {progress.text}")
        self._last = progress

    def end(self) -> None:
        """Clear the line, so that the next message can replace it."""
        if self._terminal:
            note("", before=_CLEAR_LINE, nl=False)
