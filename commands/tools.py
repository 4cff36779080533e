"""What the commands work with, and how they come by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click
from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask

    from config import Settings
    from jobs.initiator import Surroundings
    from jobs.model import Stream
    from jobs.store import JobStore

UNNAMED: Final = "-"  # stands for the environment's stream; a name begins with a letter or digit
_EXTENSION: Final = "initiator-commands"


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Settings and surroundings; the store is used by nothing but `run-job --wait`."""

    settings: Settings
    store: JobStore
    world: Surroundings
    pause: Callable[[float], None]

    def attach(self, app: Flask) -> None:
        """Let the commands of `app` find these tools."""
        app.extensions[_EXTENSION] = self


def current_tools() -> Tools:
    """Return the tools of the application whose command runs."""
    tools: Tools = current_app.extensions[_EXTENSION]
    return tools


def find_stream(streams: Iterable[Stream], name: str) -> Stream:
    """Return the stream of a name, without regard to case; raise a usage error if there is none."""
    known = {stream.name or UNNAMED: stream for stream in streams}
    found = [stream for key, stream in known.items() if key.casefold() == name.casefold()]
    if not found:
        names = ", ".join("- (the environment's)" if key == UNNAMED else key for key in known)
        message = f'there is no stream "{name}"; there is {names}'
        raise click.BadParameter(message, param_hint="--stream")
    return found[0]
