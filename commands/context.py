"""What the commands work with: settings, store and clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, NamedTuple

import click
from flask import Flask, current_app

from config import Settings
from jobs.clock import Clock
from jobs.model import Stream
from jobs.store import JobStore
from jobs.streams import Streams
from jobs.text import escaped
from settings.fields import Service

UNNAMED: Final = "-"  # the environment's stream; names in a file begin with a letter or a digit
_EXTENSION: Final = "initiator-commands"


@dataclass(frozen=True)
class CallContext:
    """What a command works with that calls the running service; it reads no files.

    The files may be broken or gone while the service runs. `pause` sleeps for a number of seconds.
    Only `run-job --wait` uses the store.
    """

    service: Service
    zone: tzinfo
    store: JobStore
    clock: Clock
    pause: Callable[[float], None]


@dataclass(frozen=True)
class CommandContext:
    """What a command works with that reads the whole configuration."""

    settings: Settings
    calls: CallContext


class Contexts(NamedTuple):
    """How the contexts of commands are made; each may raise `SystemExit`."""

    make: Callable[[], CommandContext]
    make_for_calls: Callable[[], CallContext]


def attach(app: Flask, contexts: Contexts) -> None:
    """Store in `app` how its contexts are made.

    The configuration is read only when a command runs, so that a command can be listed, and its
    `--help` shown, with a configuration that is invalid or missing.
    """
    app.extensions[_EXTENSION] = contexts


def current_context() -> CommandContext:
    """Make the context of the command that runs."""
    return _contexts().make()


def current_call_context() -> CallContext:
    """Make the context of the command that runs and calls the service."""
    return _contexts().make_for_calls()


def _contexts() -> Contexts:
    contexts: Contexts = current_app.extensions[_EXTENSION]
    return contexts


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
