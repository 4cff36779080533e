"""The files of the configuration, and whether they still are what was read from them."""

from __future__ import annotations

from settings.files import ReadText


class LoadedFiles:
    """Reads files, and remembers what was in each of them."""

    def __init__(self, read_text: ReadText) -> None:
        self._read_text = read_text
        self._texts: dict[str, str | None] = {}  # None: there was no such file

    def read(self, path: str) -> str:
        """Return the text of a file; raise what the reading function raises."""
        self._texts[path] = None
        text = self._texts[path] = self._read_text(path)
        return text

    def changed(self) -> tuple[str, ...]:
        """Return the paths of the files that differ now, that are new, or that are gone."""
        return tuple(path for path, text in self._texts.items() if self._current(path) != text)

    def _current(self, path: str) -> str | None:
        try:
            return self._read_text(path)
        except (OSError, ValueError):
            return None
