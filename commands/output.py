"""Output on any terminal, file or pipe.

Lines may hold text from the store and characters that the terminal's encoding does not have.
Standard output may be closed or full. No function here fails with a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import json
import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from config import ConfigError
from jobs.text import escaped

EX_CONFIG: Final = 78  # of sysexits.h: the configuration is wrong, a restart does not help
_ASCII: Final = str.maketrans({"→": "->", "←": "<-", "…": "...", "—": "--"})
_T = TypeVar("_T")


class OutputError(click.ClickException):
    """Standard output cannot be written; the exit status is 1.

    Nothing is printed about a reader that has closed its pipe, such as `head`.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror or error}")
        self._closed = error.errno == errno.EPIPE

    def show(self, _file: Any = None) -> None:
        """Print the message on standard error."""
        if not self._closed:
            note(f"Error: {self.message}")


class Command(click.Command):
    """A command whose `--help` also reports an output that cannot be written."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        """Return the context of an invocation."""
        with _reporting_failure():
            return super().make_context(*args, **more)


def show(line: str) -> None:
    """Print a line on standard output; raise `OutputError` if that fails.

    A standard output that was closed from the start is no failure: the line is dropped.
    """
    with _reporting_failure():
        click.echo(_printable(line, sys.stdout))


def show_json(text: str) -> None:
    """Print a JSON document on standard output, unchanged if every character can be shown."""
    if _printable(text.replace("\n", ""), sys.stdout) != text.replace("\n", ""):
        text = json.dumps(json.loads(text))
    with _reporting_failure():
        click.echo(text)


def note(*lines: str, before: str = "", nl: bool = True) -> None:
    """Print lines on standard error, each after the control sequence `before`.

    A failure is ignored, because there is no other place to report it.
    """
    with contextlib.suppress(OSError):
        for line in lines:
            click.echo(before + _printable(line, sys.stderr), err=True, nl=nl)


def or_exit(load: Callable[[], _T]) -> _T:
    """Return what `load` returns, or print every problem and end with exit status 78."""
    try:
        return load()
    except ConfigError as error:
        note(*str(error).split("\n"))
        raise SystemExit(EX_CONFIG) from error


@contextlib.contextmanager
def _reporting_failure() -> Any:
    try:
        yield
    except OSError as error:
        # Without a standard output, the interpreter does not try to write the rest at its exit.
        sys.stdout = None
        raise OutputError(error) from error


def _printable(line: str, stream: Any) -> str:
    """Return the line with escapes for control characters and for what the stream cannot encode."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    printable = escaped(line)
    try:
        printable.encode(encoding)
    except UnicodeEncodeError:
        printable = printable.translate(_ASCII)
    return printable.encode(encoding, "backslashreplace").decode(encoding)
