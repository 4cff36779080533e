"""What can be read from the text of a SPARQL update without a parser of the whole language."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The parts of SPARQL in which a brace or a semicolon has no meaning, then these characters.
TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''(?:\\.|[^\\])*?'''"
    r'|"(?:\\.|[^"\\])*"'
    r"|'(?:\\.|[^'\\])*'"
    r"|<[^<>\s]*>"
    r"|#[^\n]*"
    r"|[{};]",
    re.DOTALL,
)
PROLOGUE = r"(?:\s|#[^\n]*\n|(?:BASE|PREFIX\s+\S*:)\s*<[^<>\s]*>)*"
UPDATE = re.compile(
    PROLOGUE + r"(?:INSERT|DELETE|WITH|CLEAR|DROP|CREATE|LOAD|COPY|MOVE|ADD)\b", re.IGNORECASE
)


def is_update(text: str) -> bool:
    """Return whether the text is an update rather than a query."""
    return UPDATE.match(text) is not None


def first_operation(text: str) -> str:
    """Return the text of an update up to the first `;` between two operations."""
    return next(operations(text))


def operations(text: str) -> Iterator[str]:
    """Yield the operations of an update, which a `;` outside of braces separates."""
    depth = start = 0
    for token in TOKEN.finditer(text):
        match token.group():
            case "{":
                depth += 1
            case "}":
                depth -= 1
            case ";" if depth == 0:
                yield text[start : token.start()]
                start = token.end()
    yield text[start:]
