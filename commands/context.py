"""What the commands work with: settings, store and clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import click
from flask import Flask, current_app

from config import Settings
from jobs.clock import Clock
from jobs.model import Stream
from jobs.store import JobStore
from jobs.streams import Streams, UnknownStreamError

UNNAMED: Final = "-"  # the environment's stream; names in a file begin with a letter or a digit
_EXTENSION: Final = "initiator-commands"


@dataclass(frozen=True, kw_only=True)
class CommandContext:
    """Settings, store, clock, and `pause`, which sleeps for a number of seconds.

    Only `run-job --wait` uses the store.
    """

    settings: Settings
    store: JobStore
    clock: Clock
    pause: Callable[[float], None]

    def attach(self, app: Flask) -> None:
        """Store this context in `app`, where `current_context` finds it."""
        app.extensions[_EXTENSION] = self


def current_context() -> CommandContext:
    """Return the context of the application whose command runs."""
    context: CommandContext = current_app.extensions[_EXTENSION]
    return context


def find_stream(streams: Streams, name: str) -> Stream:
    """Return the stream with this name, without regard to case.

    Raise `click.BadParameter`, a usage error, if there is none.
    """
    try:
        return streams.find(None if name == UNNAMED else name)
    except UnknownStreamError as error:
        names = ", ".join(stream.name or f"{UNNAMED} (the environment's)" for stream in streams)
        message = f'there is no stream "{name}"; existing streams: {names}'
        raise click.BadParameter(message, param_hint="--stream") from error
