"""The syntax of an absolute IRI."""

from __future__ import annotations

import re
from typing import Final

# What an operator does with a job that no update can name.
BY_HAND: Final = "remove the triples of such a job in the store itself"

VIRTUOSO_BLANK_NODE: Final = "nodeID://"  # how it names one; no statement finds the node by that
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_FORBIDDEN: Final = re.compile(r"""[\x00-\x20<>"{}|^`\\\s\x7f-\x9f\ud800-\udfff]""")


def iri_problem(text: str) -> str | None:
    """Return what is wrong with the text as an absolute IRI, or None if it is one.

    SPARQL's grammar (IRIREF) forbids most of these characters: with one of them, a text could end
    the IRI early and change the statement around it. Other white space and control characters are
    forbidden too, because they only get into an IRI by mistake.
    """
    if text.startswith(VIRTUOSO_BLANK_NODE):
        return "the name of a blank node"
    forbidden = _FORBIDDEN.search(text)
    if forbidden:
        return f"an IRI holds no {forbidden.group()!a}"
    return None if _ABSOLUTE.match(text) else "not an absolute IRI"
