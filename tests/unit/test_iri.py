"""Which texts are absolute IRIs, and the problem of every other text."""

from __future__ import annotations

import pytest

from jobs.iri import iri_problem


@pytest.mark.parametrize(
    "text",
    [
        "http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/healing/public",
        "https://example.org:8443/a?b=c&d=e;f#g",
        "HTTP://EXAMPLE.org/A",
        "http://[2001:db8::1]/a",
        "http://user@example.org/",
        "http://example.org/straße/日本語/🕰",
        "http://例え.jp/",
        "http://example.org/%20%C3%A9/100%",
        "http://example.org/it's(a)*~!$x,$y=1+2",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "urn:x",
        "mailto:operator@example.org",
        "tag:example.org,2024:jobs",
        "a+b-c.d:e",
    ],
)
def test_an_absolute_iri_has_no_problem(text: str) -> None:
    assert iri_problem(text) is None


@pytest.mark.parametrize("place", ["{}http://example.org/a", "http://exa{}mple.org/a", "urn:a{}"])
@pytest.mark.parametrize(
    ("char", "shown"),
    [
        *((char, f"'{char}'") for char in '<>"{}|^` '),
        ("\\", r"'\\'"),
        ("\t", r"'\t'"),
        ("\n", r"'\n'"),
        ("\r", r"'\r'"),
        ("\0", r"'\x00'"),
        ("\x1f", r"'\x1f'"),
        ("\x7f", r"'\x7f'"),
        ("\x85", r"'\x85'"),
        ("\xa0", r"'\xa0'"),
        ("\u2028", r"'\u2028'"),
        ("\u3000", r"'\u3000'"),
        ("\ud800", r"'\ud800'"),
        ("\udfff", r"'\udfff'"),
    ],
    ids=ascii,
)
def test_a_forbidden_character_is_shown(place: str, char: str, shown: str) -> None:
    assert iri_problem(place.format(char)) == f"an IRI holds no {shown}"


@pytest.mark.parametrize(
    "text", ["", "a", "/a/b", "//example.org/a", "../a", "?a", "#a", ":a", "1a:b", "é:a", "http:"]
)
def test_any_other_text_is_not_an_absolute_iri(text: str) -> None:
    assert iri_problem(text) == "not an absolute IRI"
