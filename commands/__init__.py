"""The commands for operators at a terminal: `flask check`, `schedule`, `status` and `run-job`."""

from __future__ import annotations

from flask import Flask

from commands import check, run_job, schedule, status
from commands.context import CommandContext

COMMANDS = (check.check, schedule.schedule, status.status, run_job.run_job)


def register(app: Flask, context: CommandContext) -> None:
    """Add the commands to `app`; all of them work with `context`."""
    context.attach(app)
    for command in COMMANDS:
        app.cli.add_command(command)
