"""Read the routes of the dispatcher, which are Elixir.

A route is `match "/path" do … forward conn, path, "http://service/" … end`. Only its strings are of
interest, so a scan for strings and comments is enough, and no parser of Elixir is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""
      (?P<comment>\#[^\n]*)
    | (?P<verb>\b(?:match|get|post|put|patch|delete|head|options)\b)(?=\s*\(?\s*")
    | "(?P<string>(?:[^"\\]|\\.)*)"
    """,
    re.VERBOSE | re.DOTALL,
)
_URL: Final = re.compile(r"https?://")


class Forward(NamedTuple):
    """Where a route leads: its line, the path that it matches, and the beginning of the URL."""

    line: int
    path: str
    url: str


def forwards(source: str) -> Iterator[Forward]:
    """Yield where each route leads, for every URL in it."""
    path, after_verb = "", False
    for token in _TOKEN.finditer(source):
        text = token["string"]
        if token["verb"]:
            after_verb = True
        elif text is not None and after_verb:
            path, after_verb = text, False
        elif text is not None and _URL.match(text):
            yield Forward(source.count("\n", 0, token.start()) + 1, path, text)
