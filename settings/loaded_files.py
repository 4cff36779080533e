"""The files of the configuration, and whether they still are what was read from them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from settings.files import ReadText

ModifiedAt: TypeAlias = Callable[[str], datetime | None]


def read_text(path: str) -> str:
    """Return the text of a file; raise OSError or UnicodeError."""
    return Path(path).read_text("utf-8")


def modified_at(path: str) -> datetime | None:
    """Return when a file was modified, in UTC; None if the machine has no usable date of it."""
    try:
        return datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return None


class LoadedFiles:
    """Reads files, and remembers what was in each of them and when it was modified.

    `modified` is the newest of these dates; None without files.
    """

    def __init__(self, read_text: ReadText, modified_at: ModifiedAt) -> None:
        self._read_text = read_text
        self._modified_at = modified_at
        self._texts: dict[str, str | None] = {}  # None: there was no such file
        self.modified: datetime | None = None

    def read(self, path: str) -> str:
        """Return the text of a file; raise what the reading function raises."""
        self._texts[path] = None
        text = self._texts[path] = self._read_text(path)
        dates = (self.modified, self._modified_at(path))
        self.modified = max(filter(None, dates), default=None)
        return text

    def changed(self) -> tuple[str, ...]:
        """Return the paths of the files that differ now, that are new, or that are gone."""
        return tuple(path for path, text in self._texts.items() if self._current(path) != text)

    def _current(self, path: str) -> str | None:
        try:
            return self._read_text(path)
        except (OSError, ValueError):
            return None
