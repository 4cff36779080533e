"""The config file of named streams, and the file whose keys replace theirs.

A file is read as far as it can be; what is wrong with it goes to `Problems`.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from settings.sources import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from settings.problems import Problems

    ReadText = Callable[[str], str]
    Items = Iterable[tuple[str, str | None, Any]]  # where each stands, its stream's name, itself


@dataclass
class Entry:
    """One stream as the files have it, unchecked; `origins` tells of keys from the other file."""

    where: str
    name: str | None
    given: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)

    def replace_by(self, other: Entry) -> None:
        """Take over the keys of `other`; the name that it goes by is none of them."""
        keys = [key for key in other.given if key != "name" or other.given[key] != self.name]
        self.given |= {key: other.given[key] for key in keys}
        self.origins |= {key: f"{other.where}, {key}" for key in keys}


def read_streams(path: str, read_text: ReadText, problems: Problems) -> list[Entry] | None:
    """Return the streams of the config file; None where there is no such file."""
    try:
        content = _read_json(path, read_text, problems)
    except FileNotFoundError:
        return None
    if not isinstance(content, list):
        problems.error(path, f"holds {_kind(content)}", "write an array of streams: [ { … } ]")
        return []
    return list(_entries(_numbered(path, content), problems))


def override(
    entries: list[Entry] | None,
    path: str,
    read_text: ReadText,
    problems: Problems,
    *,
    required: bool,
) -> None:
    """Replace keys of `entries` by those that the override file gives for streams of their name."""
    try:
        content = _read_json(path, read_text, problems)
    except FileNotFoundError:
        if required:
            problems.error(path, "no such file", "mount it there, or unset CONFIG_OVERRIDE_FILE")
        return
    by_name = {entry.name: entry for entry in entries or [] if entry.name is not None}
    for replacement in _entries(_overrides(path, content, problems), problems):
        entry = by_name.get(replacement.name or "")
        if entry:
            entry.replace_by(replacement)
        elif entries != []:  # where the config file holds none, that is what is to be mended
            _warn_of_no_stream(replacement, by_name, problems)


def _warn_of_no_stream(replacement: Entry, names: Iterable[str], problems: Problems) -> None:
    if replacement.name is None:
        problems.warning(replacement.where, "names no stream, ignored", 'add its "name"')
    else:
        fix = suggestion(replacement.name, names)
        problems.warning(replacement.where, "no stream has this name, ignored", fix)


def _overrides(path: str, content: object, problems: Problems) -> Items:
    """Return the items of the override file: an object keyed by name, or an array."""
    if isinstance(content, dict):
        return [(f'{path}, "{name}"', name, item) for name, item in content.items()]
    if isinstance(content, list):
        return _numbered(path, content)
    fix = 'write an object keyed by stream name: { "NAME": { … } }'
    problems.error(path, f"holds {_kind(content)}", fix)
    return []


def _numbered(path: str, content: list[Any]) -> Iterator[tuple[str, str | None, Any]]:
    """Yield the items of an array, with the name that each gives itself."""
    for number, item in enumerate(content, start=1):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name.strip():
            yield f'{path}, stream {number} "{name}"', name, item
        else:
            yield f"{path}, stream {number}", None, item


def _entries(items: Items, problems: Problems) -> Iterator[Entry]:
    for where, name, item in items:
        if isinstance(item, dict):
            yield Entry(where, name, dict(item))
        else:
            problems.error(where, f"is {_kind(item)}", "write an object: { … }")


def _read_json(path: str, read_text: ReadText, problems: Problems) -> Any:
    """Return the file's content, [] where it can't be read; raise only FileNotFoundError."""
    try:
        return _parse_json(path, read_text(path).removeprefix("\ufeff"), problems)
    except FileNotFoundError:
        raise
    except IsADirectoryError:
        fix = "mount a file (docker makes a folder where the file to mount does not exist)"
        problems.error(path, "is a folder", fix)
    except OSError as error:
        fix = "see to it that the service's user can read it"
        problems.error(path, f"can't be read: {error.strerror or error}", fix)
    except UnicodeError:
        problems.error(path, "is not UTF-8", "save it as UTF-8")
    return []


def _parse_json(path: str, text: str, problems: Problems) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        for key in (key for key, count in counts.items() if count > 1):
            problems.warning(path, f'holds "{key}" twice in one object', "remove the first")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}, column {error.colno}"
        near = text[max(error.pos - 30, 0) : error.pos + 10]
        fix = "look for a comma, quote or bracket too many or too few there"
        problems.error(where, f"not JSON: {error.msg}", fix, near)
    except RecursionError:
        problems.error(path, "is nested too deeply", "write an array of streams: [ { … } ]")
    except ValueError:
        problems.error(path, "holds a number of thousands of digits", "remove it")
    return []


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "a number")
