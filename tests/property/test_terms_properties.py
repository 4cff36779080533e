"""No value changes the statement around it, as pyoxigraph parses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pyoxigraph
from dateutil.parser import isoparse
from hypothesis import example, given, reject
from hypothesis import strategies as st

from sparql.terms import TermError, date_time, iri, string

SUBJECT = pyoxigraph.NamedNode("http://s")
BEFORE = pyoxigraph.Quad(SUBJECT, pyoxigraph.NamedNode("http://before"), pyoxigraph.Literal("b"))
AFTER = pyoxigraph.Quad(SUBJECT, pyoxigraph.NamedNode("http://after"), pyoxigraph.Literal("a"))
DATE_TIME = pyoxigraph.NamedNode("http://www.w3.org/2001/XMLSchema#dateTime")
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# Texts that could end a term, begin another one, or be an escape.
DANGEROUS = st.sampled_from(
    [
        *"\"'\\<>{}|^`#;.,@$?&%+=: \t\n\r\0\x0b\x7f\x85\xa0",
        *['"""', "'''", '\\"', "\\\\", "\\u0022", "\\U00000022", "\\n", "%22", "&quot;"],
        *['" } ; DROP ALL #', "> . <urn:x> <urn:y> <urn:z> .", "${graph}", "$$", "/*", "-- "],
        *"\ud800\udfff\ufffe\uffff\u2028\ufeff\U0010ffffé🕰",
        "日本",
    ]
)
ANY_CHARACTER = st.integers(0, 0x10FFFF).map(chr)
TEXT = st.lists(DANGEROUS | ANY_CHARACTER | st.text(max_size=4), max_size=12).map("".join)


def inserted(term: str) -> Iterator[pyoxigraph.Quad]:
    """Return what an INSERT DATA with this term stores, without the triples around it."""
    store = pyoxigraph.Store()
    store.update(
        f'INSERT DATA {{ <http://s> <http://before> "b" ; <http://p> {term} ; <http://after> "a" }}'
    )
    quads = list(store)
    assert BEFORE in quads
    assert AFTER in quads
    return (quad for quad in quads if quad not in (BEFORE, AFTER))


@given(TEXT)
@example("\\u0022 } ; DROP ALL #")
@example('a\n\\"')
@example("".join(map(chr, range(0x300))))
def test_a_string_is_one_literal_of_the_same_value(value: str) -> None:
    (quad,) = inserted(string(value))
    assert quad.object == pyoxigraph.Literal(NOT_IN_XML.sub("\ufffd", value))


@given(TEXT)
def test_a_string_in_a_query_matches_the_same_value(value: str) -> None:
    store = pyoxigraph.Store()
    literal = pyoxigraph.Literal(NOT_IN_XML.sub("\ufffd", value))
    store.add(pyoxigraph.Quad(SUBJECT, pyoxigraph.NamedNode("http://p"), literal))
    solutions = store.query(f"SELECT ?s WHERE {{ ?s ?p {string(value)} }}")
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    assert [solution["s"] for solution in solutions] == [SUBJECT]


IRI_LIKE = st.builds(
    "{}{}{}".format,
    st.sampled_from(["http://example.org/", "urn:", "x:", ""]),
    st.lists(DANGEROUS | ANY_CHARACTER, max_size=3).map("".join),
    st.sampled_from(["", "/a", "#b", "?c=d"]),
)


@given(IRI_LIKE)
@example("http://a> <http://b")
@example("http://a/\\u003E")
def test_an_accepted_text_is_that_iri_and_nothing_else(value: str) -> None:
    try:
        term = iri(value)
    except TermError:
        reject()
    try:
        (quad,) = inserted(term)
    except SyntaxError as error:
        # pyoxigraph refuses some IRIs that this service accepts, but it parsed the text as an IRI.
        if "IRI parsing failed" not in str(error):
            raise
    else:
        assert quad.object == pyoxigraph.NamedNode(value)


# RFC 3987: the characters that are allowed in every path, query and fragment.
UNRESERVED = "abcxyzABCXYZ0189-._~!$&'()*+,;=:@"
UCSCHAR = st.one_of(
    st.integers(0xA1, 0xD7FF), st.integers(0xF900, 0xFDCF), st.integers(0x10000, 0x1FFFD)
)
IPCHAR = st.one_of(
    st.sampled_from([*UNRESERVED, "%20", "%C3%A9", "%7e"]),
    UCSCHAR.map(chr).filter(lambda char: not char.isspace()),
)
SEGMENT = st.lists(IPCHAR, max_size=6).map("".join)
CONFIGURABLE = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["http://example.org", "https://user@example.org:8443", "http://[::1]"]),
    st.lists(SEGMENT.map("/{}".format), max_size=4).map("".join),
    SEGMENT.map("?{}".format) | st.just(""),
    SEGMENT.map("#{}".format) | st.just(""),
) | SEGMENT.map("urn:example:{}".format)


@given(CONFIGURABLE)
def test_every_iri_of_rfc_3987_is_accepted(value: str) -> None:
    (quad,) = inserted(iri(value))
    assert quad.object == pyoxigraph.NamedNode(value)


ZONES = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59)).map(
    timezone
)
INSTANTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - bounds


@given(INSTANTS)
def test_an_instant_is_written_in_one_form_with_milliseconds(instant: datetime) -> None:
    term = date_time(instant)
    form = r'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"\^\^<http:\S+#dateTime>'
    written = re.fullmatch(form, term)
    assert written
    remainder = instant.astimezone(UTC) - isoparse(written[1])
    assert timedelta() <= remainder < timedelta(milliseconds=1)
    (quad,) = inserted(term)
    assert isinstance(quad.object, pyoxigraph.Literal)
    assert quad.object.datatype == DATE_TIME
    assert isoparse(quad.object.value) == isoparse(written[1])  # without trailing zeros
