"""Running a command in this process, with settings, clock and store of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from commands.registration import register
from commands.tools import Tools
from tests.builders import World
from tests.fakes import FakeJobStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

    from config import Settings
    from jobs.store import JobStore


def run(
    settings: Settings,
    *arguments: str,
    world: World | None = None,
    store: JobStore | None = None,
    pause: Callable[[float], None] | None = None,
    **more: Any,
) -> Result:
    """Run `flask ARGUMENTS`; an exception that is no exit is the test's failure."""
    app = Flask(__name__, static_folder=None)
    tools = Tools(
        settings=settings,
        store=store or FakeJobStore(),
        world=(world or World()).surroundings(),
        pause=pause or never,
    )
    register(app, tools)
    result = app.test_cli_runner().invoke(args=list(arguments), **more)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def never(seconds: float) -> None:
    """Stand for a pause that must not be made."""
    raise AssertionError(f"a pause of {seconds} s")
