"""RDF terms as SPARQL text: the only way for a value into a statement.

`Term` is a type of its own, so that the type checker refuses a plain string in its place. rdflib's
`n3()` is not used: for a string that ends in a backslash and a quote it returns invalid SPARQL,
and it accepts IRIs with line breaks (measured with rdflib 7.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from string import Template
from typing import NewType

from jobs.iri import iri_problem
from sparql.vocabulary import XSD_DATE_TIME

Term = NewType("Term", str)
NOTHING = Term("")

_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\r": "\\r",
}
_TO_ESCAPE = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TermError(ValueError):
    """The value cannot be written as a term of the kind that was asked for."""


def iri(value: str) -> Term:
    """Return an absolute IRI; raise `TermError` if the value is none."""
    problem = iri_problem(value)
    if problem:
        raise TermError(problem)
    return Term(f"<{value}>")


def is_iri(value: str) -> bool:
    """Return whether a value from the store can be written as an IRI."""
    return iri_problem(value) is None


def string(value: str) -> Term:
    """Return a plain string literal.

    Characters that XML 1.0 does not allow become U+FFFD: Virtuoso stores such strings, but its
    answers then cannot be parsed.
    """
    readable = _NOT_IN_XML.sub("\ufffd", value)
    return Term('"' + _TO_ESCAPE.sub(lambda match: _ESCAPES[match.group()], readable) + '"')


def date_time(instant: datetime) -> Term:
    """Return an xsd:dateTime in the form of JavaScript's toISOString(): UTC, milliseconds and Z.

    Raise `TermError` for a naive value, and for one outside of the years 1 to 9999 in UTC.
    """
    if instant.utcoffset() is None:
        raise TermError(f"{instant} has no time zone")
    try:
        utc = instant.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise TermError(f"{instant} is in no year from 1 to 9999") from error
    return Term(f'"{utc.isoformat(timespec="milliseconds")}Z"^^<{XSD_DATE_TIME}>')


def fill(template: Template, **terms: Term) -> Term:
    """Return the template with `terms` in their places; a `$` within a term has no meaning."""
    return Term(template.substitute(terms))


def listed(terms: Iterable[Term]) -> Term:
    """Return the terms with commas between them, as in FILTER (… IN (…))."""
    return Term(", ".join(terms))


def integer(value: int) -> Term:
    """Return a number, as in LIMIT."""
    return Term(str(value))


def none_of(variable: str, terms: Iterable[Term]) -> Term:
    """Return the condition that a variable equals none of the terms.

    Not as NOT IN: Virtuoso 7.2.5 answers "Stack Overflow" (SQ200) to that inside FILTER NOT
    EXISTS when sparql-parser runs the WHERE of an update as a SELECT DISTINCT.
    """
    return Term(" && ".join(f"{variable} != {term}" for term in terms))


def row(*terms: Term) -> Term:
    """Return one row of a VALUES block of several variables."""
    return Term(f"({' '.join(terms)})")


def rows(terms: Iterable[Term]) -> Term:
    """Return the rows of a VALUES block, one a line."""
    return Term("\n    ".join(terms))
