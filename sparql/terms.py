"""RDF terms as SPARQL text: the only way for a value to get into a statement.

`Term` is a type of its own, so that the type checker refuses a bare string in a statement's place.
rdflib's `n3()` is not used: for a string that ends in a backslash and a quote it gives invalid
SPARQL, and it lets IRIs with line breaks through (measured with rdflib 7.6).
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, NewType

from sparql.vocabulary import XSD_DATE_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from string import Template

Term = NewType("Term", str)
NOTHING = Term("")

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_NOT_IN_IRI = re.compile(r"""[\x00-\x20<>"{}|^`\\\s\x7f-\x9f\ud800-\udfff]""")
_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
}
_TO_ESCAPE = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TermError(ValueError):
    """The value can't be written as the term it was meant to be."""


def iri(value: str) -> Term:
    """Return an absolute IRI; raise `TermError` where it could break out of its brackets.

    SPARQL's grammar (IRIREF) forbids the characters refused here, white space of any script and
    control characters come on top: nobody configures them on purpose.
    """
    bad = _NOT_IN_IRI.search(value)
    if bad:
        raise TermError(f"an IRI holds no {bad.group()!a}")
    if not _ABSOLUTE.match(value):
        raise TermError("not an absolute IRI")
    return Term(f"<{value}>")


def is_iri(value: str) -> bool:
    """Tell whether a value that came from the store can be written as an IRI."""
    return _ABSOLUTE.match(value) is not None and _NOT_IN_IRI.search(value) is None


def string(value: str) -> Term:
    """Return a plain string literal.

    What XML 1.0 can't hold (control characters, lone surrogates) becomes U+FFFD: Virtuoso stores
    such strings but answers with text that no parser reads back.
    """
    readable = _NOT_IN_XML.sub("\ufffd", value)
    return Term('"' + _TO_ESCAPE.sub(lambda match: _ESCAPES[match.group()], readable) + '"')


def date_time(instant: datetime) -> Term:
    """Return an xsd:dateTime as JavaScript's toISOString() has it: UTC, milliseconds and Z.

    Raise `TermError` for a naive value, and for one that in UTC is in no year from 1 to 9999.
    """
    if instant.utcoffset() is None:
        raise TermError(f"{instant} has no time zone")
    try:
        utc = instant.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise TermError(f"{instant} is in no year from 1 to 9999") from error
    return Term(f'"{utc.isoformat(timespec="milliseconds")}Z"^^<{XSD_DATE_TIME}>')


def fill(template: Template, **terms: Term) -> Term:
    """Return the template with `terms` in their places; a `$` within a term means nothing."""
    return Term(template.substitute(terms))


def listed(terms: Iterable[Term]) -> Term:
    """Return the terms with commas between them, as in FILTER (… IN (…))."""
    return Term(", ".join(terms))


def row(*terms: Term) -> Term:
    """Return one row of a VALUES block of several variables."""
    return Term(f"({' '.join(terms)})")


def rows(terms: Iterable[Term]) -> Term:
    """Return the rows of a VALUES block, one a line."""
    return Term("\n    ".join(terms))
