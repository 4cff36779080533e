"""The config file of named streams, and the override file that replaces keys of these streams.

Both files are read as far as possible. Their problems are added to `Problems`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from settings.problems import Problems, Weight
from settings.sources import suggestion
from settings.stream_fields import KEYS

ReadText = Callable[[str], str]


class _Nothing:
    """What an empty file contains."""


_KEYED: Final = 'write an object keyed by stream name: { "NAME": { … } }'


class Item(NamedTuple):
    """One item of a file: its place in messages, the name of its stream, and its content."""

    where: str
    name: str | None
    content: Any


@dataclass
class Entry:
    """One stream of the files, unchecked.

    `origins` holds the full place of each key that comes from the override file.
    """

    where: str
    name: str | None
    raw: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)

    def override(self, other: Entry) -> None:
        """Replace keys by those of `other`, except for the name that only identifies the stream."""
        keys = [key for key in other.raw if key != "name" or other.raw[key] != self.name]
        self.raw |= {key: other.raw[key] for key in keys}
        self.origins |= {key: f"{other.where}, {key}" for key in keys}


def read_streams(path: str, read_text: ReadText, problems: Problems) -> list[Entry] | None:
    """Return the streams of the config file, or None if there is no such file."""
    try:
        content = _read_json(path, read_text, problems)
    except FileNotFoundError:
        return None
    if not isinstance(content, list):
        single = isinstance(content, dict) and "name" in content
        fix = "put [ ] around it" if single else "write an array of streams: [ { … } ]"
        problems.error(path, f"contains {_json_type(content)}", fix)
        return []
    return list(_entries(_numbered(path, content), problems))


def apply_overrides(
    entries: list[Entry] | None,
    path: str,
    read_text: ReadText,
    problems: Problems,
    *,
    required: bool,
) -> None:
    """Replace keys of `entries` by those of the override file for the stream of the same name.

    A missing file is an error only if it is `required`.
    """
    try:
        content = _read_json(path, read_text, problems)
    except FileNotFoundError:
        if required:
            problems.error(path, "no such file", "mount it there, or unset CONFIG_OVERRIDE_FILE")
        return
    if isinstance(content, _Nothing):
        fix = f"{_KEYED}, or remove it"
        problems.warning(path, "is empty", fix, weight=Weight.IGNORED)
        return
    by_name = {entry.name: entry for entry in entries or [] if entry.name is not None}
    for override in _entries(_overrides(path, content, problems), problems):
        entry = by_name.get(override.name or "")
        if entry:
            entry.override(override)
        elif entries != []:  # without any stream, the config file itself has been reported
            _warn_of_no_stream(override, by_name, problems)


def _warn_of_no_stream(override: Entry, names: Iterable[str], problems: Problems) -> None:
    if override.name is None:
        problem, fix = "has no name, ignored", 'add the "name" of its stream'
    else:
        problem, fix = "no stream has this name, ignored", suggestion(override.name, names)
    problems.warning(override.where, problem, fix, weight=Weight.IGNORED)


def _overrides(path: str, content: object, problems: Problems) -> Iterable[Item]:
    """Return the items of the override file.

    It is an object keyed by name, an array, or the object of one stream with its name.
    """
    if isinstance(content, dict) and isinstance(content.get("name"), str):
        return _numbered(path, [content])
    if isinstance(content, dict) and _is_stream(content):
        fix = 'add the "name" of its stream, or key it by name: { "NAME": { … } }'
        problems.error(path, "has the keys of a stream, but no name", fix)
        return []
    if isinstance(content, dict):
        return [Item(f'{path}, "{name}"', name, item) for name, item in content.items()]
    if isinstance(content, list):
        return _numbered(path, content)
    problems.error(path, f"contains {_json_type(content)}", _KEYED)
    return []


def _is_stream(content: dict[str, Any]) -> bool:
    """Return whether an object holds values of a stream, not streams by their names."""
    return any(key in KEYS and not isinstance(value, dict) for key, value in content.items())


def _numbered(path: str, content: list[Any]) -> Iterator[Item]:
    """Yield the items of an array; messages show the number and, if there is one, the name."""
    for number, item in enumerate(content, start=1):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name.strip():
            yield Item(f'{path}, stream {number} "{name}"', name, item)
        else:
            yield Item(f"{path}, stream {number}", None, item)


def _entries(items: Iterable[Item], problems: Problems) -> Iterator[Entry]:
    for where, name, content in items:
        if isinstance(content, dict):
            yield Entry(where, name, dict(content))
        else:
            problems.error(where, f"is {_json_type(content)}", "write an object: { … }")


def _read_json(path: str, read_text: ReadText, problems: Problems) -> Any:
    """Return the content of the file, or [] if it is unreadable; raise only FileNotFoundError."""
    try:
        return _parse_json(path, read_text(path).removeprefix("\ufeff"), problems)
    except FileNotFoundError:
        raise
    except IsADirectoryError:
        fix = "mount a file (Docker creates a directory if the file to mount does not exist)"
        problems.error(path, "is a directory", fix)
    except PermissionError:
        fix = "run chmod -R o+rX on what is mounted there: in the image, the service is user 1000"
        problems.error(path, "may not be read by the user of the service", fix)
    except OSError as error:
        fix = "make it readable for the user of the service"
        problems.error(path, f"cannot be read: {error.strerror or error}", fix)
    except UnicodeError:
        problems.error(path, "is not UTF-8", "save it as UTF-8")
    return []


def _parse_json(path: str, text: str, problems: Problems) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        for key in (key for key, count in counts.items() if count > 1):
            problem = f'has the key "{key}" twice in one object'
            fix = "remove the first, which is ignored"
            problems.warning(path, problem, fix, weight=Weight.IGNORED)
        return dict(pairs)

    if not text.strip():
        return _Nothing()
    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}, column {error.colno}"
        near = text[max(error.pos - 30, 0) : error.pos + 10]
        fix = "check for a missing or extra comma, quote or bracket there"
        problems.error(where, f"not JSON: {error.msg}", fix, near)
    except RecursionError:
        problems.error(path, "is nested too deeply", "write an array of streams: [ { … } ]")
    except ValueError:
        problems.error(path, "contains a number with thousands of digits", "remove it")
    return []


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    names[_Nothing] = "nothing"
    return names.get(type(value), "null" if value is None else "a number")
