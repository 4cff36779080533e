"""How values are written as SPARQL, and which values are refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from string import Template

import pytest

from jobs.iri import iri_problem
from sparql.terms import (
    NOTHING,
    TermError,
    date_time,
    fill,
    integer,
    iri,
    listed,
    none_of,
    row,
    rows,
    string,
)

# -- IRIs ---------------------------------------------------------------------------------------


def test_an_iri_is_written_unchanged() -> None:
    value = "http://example.org/straße/%20/it's(a)$operation"
    assert iri(value) == f"<{value}>"


@pytest.mark.parametrize("value", ["http://example.org/a>b", "/a/b"])
def test_what_is_no_absolute_iri_is_refused_with_its_problem(value: str) -> None:
    problem = iri_problem(value)
    assert problem
    with pytest.raises(TermError, match=re.escape(problem)):
        iri(value)


# -- strings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", '""'),
        ("plain", '"plain"'),
        ('say "no"', r'"say \"no\""'),
        ("it's", '"it\'s"'),
        ("back\\slash", r'"back\\slash"'),
        ('a\\"', r'"a\\\""'),  # rdflib's n3() fails here
        (r"\u0022 }", r'"\\u0022 }"'),  # it must not become an escape sequence of SPARQL
        ("two\nlines\r\n", r'"two\nlines\r\n"'),
        ("tab\t", '"tab\t"'),
        ("é 日本 🕰", '"é 日本 🕰"'),
        ("$graph", '"$graph"'),
    ],
)
def test_a_string_is_escaped(value: str, text: str) -> None:
    assert string(value) == text


@pytest.mark.parametrize("char", "\0\x08\x0b\x0c\x0e\x1f\ud800\udfff\ufffe\uffff", ids=ascii)
def test_a_character_that_xml_forbids_is_replaced(char: str) -> None:
    assert string(f"a{char}b") == '"a\ufffdb"'


@pytest.mark.parametrize("char", "\t\x7f\x85\xa0\u2028\ufdd0\ufffd\U0001fffe", ids=ascii)
def test_a_character_that_xml_allows_stays(char: str) -> None:
    assert string(char) == f'"{char}"'


# -- dates --------------------------------------------------------------------------------------


def zone(hours: float) -> tzinfo:
    return timezone(timedelta(hours=hours))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        # As Node writes it: new Date(…).toISOString()
        (datetime(2024, 1, 6, 6, 0, 0, 120_000, UTC), "2024-01-06T06:00:00.120Z"),
        (datetime(2024, 1, 6, 6, tzinfo=zone(1)), "2024-01-06T05:00:00.000Z"),
        (datetime(2024, 2, 29, 23, 30, tzinfo=zone(-5.75)), "2024-03-01T05:15:00.000Z"),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC), "1969-12-31T23:59:59.999Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000Z"),
        (datetime(999, 12, 31, tzinfo=UTC), "0999-12-31T00:00:00.000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC), "9999-12-31T23:59:59.999Z"),
    ],
)
def test_an_instant_is_written_in_utc_with_milliseconds(instant: datetime, text: str) -> None:
    assert date_time(instant) == f'"{text}"^^<http://www.w3.org/2001/XMLSchema#dateTime>'


class Nowhere(tzinfo):
    """A zone without an offset; Python treats a time in it as naive."""

    def utcoffset(self, _: datetime | None) -> None:
        return None

    def dst(self, _: datetime | None) -> None:
        return None

    def tzname(self, _: datetime | None) -> None:
        return None


@pytest.mark.parametrize("zone_of_time", [None, Nowhere()])
def test_an_instant_without_a_zone_is_refused(zone_of_time: tzinfo | None) -> None:
    with pytest.raises(TermError, match="no time zone"):
        date_time(datetime(2024, 1, 6, tzinfo=zone_of_time))


@pytest.mark.parametrize(
    "instant", [datetime(1, 1, 1, tzinfo=zone(1)), datetime(9999, 12, 31, 23, tzinfo=zone(-1))]
)
def test_an_instant_outside_of_the_years_1_to_9999_is_refused(instant: datetime) -> None:
    with pytest.raises(TermError, match="no year from 1 to 9999"):
        date_time(instant)


# -- combinations of terms ----------------------------------------------------------------------


def test_terms_are_combined() -> None:
    one, two = iri("urn:1"), string("2")
    assert listed([one, two]) == '<urn:1>, "2"'
    assert row(one, two) == '(<urn:1> "2")'
    assert rows([one, two]) == '<urn:1>\n    "2"'
    assert rows([]) == listed([]) == NOTHING == ""
    assert integer(7) == "7"
    assert none_of("?a", [one, two]) == '?a != <urn:1> && ?a != "2"'


def test_a_dollar_within_a_term_has_no_meaning() -> None:
    filled = fill(Template("$a $b ?c"), a=string("$b ${b} $$ $"), b=iri("urn:$a"))
    assert filled == '"$b ${b} $$ $" <urn:$a> ?c'


@pytest.mark.parametrize("terms", [{}, {"a": string("")}])
def test_a_template_with_a_missing_term_is_not_filled(terms: dict[str, object]) -> None:
    with pytest.raises(KeyError, match="b"):
        fill(Template("$a $b" if terms else "$b"), **terms)  # type: ignore[arg-type]


def test_the_type_checker_refuses_plain_strings_as_terms() -> None:
    """The type checker reports an ignore that is not needed as an error."""
    raw = '" } ; DROP ALL #'
    fill(Template("$a"), a=raw)  # type: ignore[arg-type]
    listed([raw])  # type: ignore[list-item]
    row(raw)  # type: ignore[arg-type]
    rows([raw])  # type: ignore[list-item]
