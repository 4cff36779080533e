"""What the commands work with: settings, store and clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import click
from flask import Flask, current_app

from config import Settings
from jobs.clock import Clock
from jobs.model import Stream
from jobs.store import JobStore
from jobs.streams import Streams
from jobs.text import escaped

UNNAMED: Final = "-"  # the environment's stream; names in a file begin with a letter or a digit
_EXTENSION: Final = "initiator-commands"


@dataclass(frozen=True)
class CommandContext:
    """Settings, store, clock, and `pause`, which sleeps for a number of seconds.

    Only `run-job --wait` uses the store.
    """

    settings: Settings
    store: JobStore
    clock: Clock
    pause: Callable[[float], None]


def attach(app: Flask, make_context: Callable[[], CommandContext]) -> None:
    """Store in `app` how its context is made, for `current_context`."""
    app.extensions[_EXTENSION] = make_context


def current_context() -> CommandContext:
    """Make the context of the application whose command runs.

    The configuration is read only now, so that a command can be listed, and its `--help` shown,
    with a configuration that is invalid or missing.
    """
    make_context: Callable[[], CommandContext] = current_app.extensions[_EXTENSION]
    return make_context()


def find_stream(streams: Streams, name: str) -> Stream:
    """Return the stream with this name; raise `click.BadParameter` if there is none."""
    return streams.find(find_name([stream.name for stream in streams], name))


def find_name(names: Sequence[str | None], name: str) -> str | None:
    """Return the stream's name as it is written, without regard to case; None is the environment's.

    Raise `click.BadParameter`, a usage error, if there is none.
    """
    spellings = {(one or UNNAMED).casefold(): one for one in names}
    if name.casefold() in spellings:
        return spellings[name.casefold()]
    existing = ", ".join(one or f"{UNNAMED} (the environment's)" for one in names)
    message = f'there is no stream "{escaped(name)}"; existing streams: {existing}'
    raise click.BadParameter(message, param_hint="--stream")
