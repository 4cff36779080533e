"""`flask run-job`: have the running service create a job, and see what becomes of it."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click
from flask.cli import with_appcontext

from commands.following import follow
from commands.service import OK, NoAnswerError, call, detail, url_option
from commands.text import instant
from commands.tools import UNNAMED, current_tools, find_stream
from jobs.model import JOB_BASE, JobKind
from jobs.store import Deadline, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commands.following import Progress
    from commands.tools import Tools
    from jobs.model import Job, Stream

FAILED: Final = 1
STILL_RUNNING: Final = 3
LAST_LOOK: Final = 5.0  # seconds that the store has for an answer when the time is up
INTERRUPTED: Final = 130  # as a shell says it of Ctrl-C
_IN_DOUBT: Final = "the job may have been created all the same: flask status shows it"
_NOT_CLOSED: Final = (
    "nothing has closed the job, so it blocks its stream: job-controller should (does its "
    "configuration have this job operation?), or this service with CLOSE_FINISHED_JOBS=true"
)
_ERASE: Final = "\r\x1b[K"  # to the beginning of the terminal's line, and clear it
_JOB: Final = re.compile(re.escape(JOB_BASE) + r"[\w-]+")
_KINDS: Final = {kind.slug: kind for kind in JobKind}


@click.command()
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
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Follow the job for at most so long.",
)
@url_option
@with_appcontext
def run_job(kind: str, name: str | None, seconds: float | None, url: str | None) -> None:
    """Have the running service create a job of KIND now, and print its URI.

    With --wait, ends with exit status 0 if the job's tasks succeeded, 1 if they did not, and 3
    if they still ran when the time was up. What happens meanwhile goes to standard error.
    """
    tools, context = current_tools(), click.get_current_context()
    stream = choose(tools.settings.streams, name)
    try:
        job = create(tools, stream, _KINDS[kind], url)
    except KeyboardInterrupt:
        click.echo(f"interrupted; {_IN_DOUBT}", err=True)
        context.exit(INTERRUPTED)
    click.echo(job)
    if seconds is not None:
        context.exit(wait(tools, job, seconds))


def choose(streams: Sequence[Stream], name: str | None) -> Stream:
    """Return the stream that is asked for; without a name there must be no doubt."""
    if name is not None:
        return find_stream(streams, name)
    unnamed = [stream for stream in streams if stream.name is None]
    if len(unnamed or streams) > 1:
        names = ", ".join(stream.name for stream in streams if stream.name)
        raise click.BadParameter(f"name one of {names}", param_hint="--stream")
    return (unnamed or streams)[0]


def create(tools: Tools, stream: Stream, kind: JobKind, url: str | None) -> str:
    """Have the service create a job; return its URI."""
    try:
        answer = call(tools, "POST", url, stream.address(kind))
    except NoAnswerError as error:
        doubt = f"; {_IN_DOUBT}" if error.sent else ""
        raise click.ClickException(f"{error.message}{doubt}") from error
    found = _JOB.search(answer.text)
    if answer.status != OK or found is None:
        message = f"no {kind.value} of {stream} was created ({answer.status}): {detail(answer)}"
        raise click.ClickException(message)
    return found[0]


def wait(tools: Tools, uri: str, seconds: float) -> int:
    """Follow a job, say how it ended, and return the exit status."""
    until = Deadline.after(seconds, tools.world.monotonic)
    line = ProgressLine(tools)

    def look() -> Job | None:
        seconds = min(tools.world.seconds, until.remaining + LAST_LOOK)
        found = tools.store.find([uri], Deadline.after(seconds, tools.world.monotonic))
        return found[0] if found else None

    try:
        message, status = verdict(follow(look, line.tell, until, tools.pause), seconds)
    except KeyboardInterrupt:
        message, status = "interrupted; the job goes on", INTERRUPTED
    except StoreError as error:
        message, status = f"the job goes on, but can't be followed: {error}", FAILED
    line.end()
    click.echo(message, err=True)
    return status


def verdict(last: Progress, seconds: float) -> tuple[str, int]:
    """Say what a job has come to within the time there was, in words and as exit status."""
    if last.succeeded is None:
        return f"not finished after {seconds:g} s, the job goes on: {last.words}", STILL_RUNNING
    closed = "" if last.closed else f"; {_NOT_CLOSED}"
    if last.succeeded:
        return f"succeeded: {last.words}{closed}", 0
    return f"failed: {last.words}{closed}", FAILED


class ProgressLine:
    """What the job does: one line that changes on a terminal, else a line for every change."""

    def __init__(self, tools: Tools) -> None:
        self._zone = tools.settings.zone
        self._world = tools.world
        self._began = tools.world.monotonic()
        self._terminal = sys.stderr.isatty()
        self._last: Progress | None = None

    def tell(self, progress: Progress) -> None:
        """Show how far the job is."""
        if self._terminal:
            seconds = int(self._world.monotonic() - self._began)
            click.echo(
                f"{_ERASE}{timedelta(seconds=seconds)}  {progress.words}", err=True, nl=False
            )
        elif progress != self._last:
            click.echo(f"{instant(self._world.now(), self._zone)}: {progress.words}", err=True)
        self._last = progress

    def end(self) -> None:
        """Make room for what is said next."""
        if self._terminal:
            click.echo(_ERASE, err=True, nl=False)
