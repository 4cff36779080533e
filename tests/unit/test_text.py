"""Text that is printable, short and encodable, and numbers with their nouns."""

from __future__ import annotations

import pytest

from jobs.text import count, invisible


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "no jobs"),
        (1, "1 job"),
        (2, "2 jobs"),
        (1234567, "1234567 jobs"),
        (1.0, "1 job"),
        (1.5, "1.5 jobs"),
    ],
)
def test_a_noun_is_singular_for_one_and_plural_otherwise(number: float, text: str) -> None:
    assert count(number, "job") == text


@pytest.mark.parametrize(
    "char",
    "\u00ad\u034f\u061c\u115f\u17b4\u180e\u200b\u200c\u200d\u200e\u202a\u202e\u2060\u2064\u2066"
    "\u206f\u2800\u3164\ufe0f\ufeff\uffa0\ufffb\U0001d173\U000e0001\U000e0100",
    ids=ascii,
)
def test_a_character_that_shows_nothing_is_found(char: str) -> None:
    assert invisible(f"a{char}b") == char


@pytest.mark.parametrize("text", ["http://example.org/a", "d\xe9j\xe0", "e\u0301", "日本語", "🕰"])
def test_characters_that_show_something_are_not_invisible(text: str) -> None:
    assert invisible(text) is None
