"""Run a command in this process, with the settings, clock and store of the test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from click.testing import Result

from commands import command_app
from commands.context import CallContext, CommandContext, Contexts
from commands.output import or_exit
from config import Settings
from jobs.store import JobStore
from tests.support.builders import TestClock
from tests.support.canned import Canned, answer
from tests.support.fakes import FakeJobStore
from web.status.report import StatusReport


def run(
    settings: Settings | Callable[[], Settings],
    *arguments: str,
    clock: TestClock | None = None,
    store: JobStore | None = None,
    pause: Callable[[float], None] | None = None,
) -> Result:
    """Run `flask ARGUMENTS`; an exception that is not an exit fails the test.

    Settings that are still to be loaded may be invalid.
    """

    def context() -> CommandContext:
        found = settings if isinstance(settings, Settings) else or_exit(settings)
        stores, times = store or FakeJobStore(), (clock or TestClock()).clock()
        calls = CallContext(found.service, found.zone, stores, times, pause or never)
        return CommandContext(found, calls)

    result = (
        command_app(Contexts(context, lambda: context().calls))
        .test_cli_runner()
        .invoke(args=list(arguments))
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_against(
    said: bytes,
    settings: Settings,
    *arguments: str,
    status: StatusReport | None = None,
    **more: Any,
) -> tuple[Result, list[str]]:
    """Run a command against a service that answers with these bytes, and GET with a status.

    Return the result and the requests, each as method and path.
    """
    answers = {"GET": answer(200, status.model_dump_json().encode())} if status else {}
    with Canned(said, by_method=answers) as server:
        url = server.endpoint.removesuffix("/sparql")
        result = run(settings, *arguments, "--url", f"{url}/", **more)
        return result, [f"{request.method} {request.path}" for request in server.requests]


def never(seconds: float) -> None:
    """Fail the test, as this command must not pause."""
    raise AssertionError(f"a pause of {seconds} s")
