"""The commands for operators at a terminal: `flask check`, `schedule`, `status` and `run-job`."""

from __future__ import annotations

import click
from flask import Flask
from flask.cli import FlaskGroup

from commands.context import Contexts, attach


def for_commands() -> bool:
    """Return whether `flask` looks for a command of this service, or lists them all.

    `flask run`, other commands of Flask, and servers such as gunicorn need the whole application.
    """
    invocation = click.get_current_context(silent=True)
    return invocation is not None and isinstance(invocation.command, FlaskGroup)


def all_commands() -> tuple[click.Command, ...]:
    """Import the commands, and return them; the service itself needs none."""
    from commands import check, run_job, schedule, status  # noqa: PLC0415

    return check.check, schedule.schedule, status.status, run_job.run_job


def command_app(contexts: Contexts) -> Flask:
    """Return an application that has only the commands; the one that runs makes its context."""
    app = Flask(__name__, static_folder=None)
    attach(app, contexts)
    for command in all_commands():
        app.cli.add_command(command)
    return app
