"""Text that is printable, short and encodable, and numbers with their nouns."""

from __future__ import annotations

import pytest

from jobs.text import count


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
