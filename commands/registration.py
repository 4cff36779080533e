"""Where the application learns its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commands.check import check
from commands.run_job import run_job
from commands.schedule import schedule
from commands.status import status

if TYPE_CHECKING:
    from flask import Flask

    from commands.tools import Tools


COMMANDS = (check, schedule, status, run_job)


def register(app: Flask, tools: Tools) -> None:
    """Give `app` the commands."""
    tools.attach(app)
    for command in COMMANDS:
        app.cli.add_command(command)
