"""Patterns in English, which operators use to check their patterns."""

from __future__ import annotations

import json
import re
from datetime import UTC

import pytest

from jobs import cron
from tests.support.shared_data import shared

DESCRIPTIONS = {
    "0 0 6 * * 6": "At 06:00 on Saturday",
    "0 0 0 * * *": "At 00:00 every day",
    "20 05 * * *": "At 05:20 every day",
    "42 * * * *": "At minute 42 of every hour",
    "11 */4 * * *": "At minute 11 past every fourth hour",
    "@hourly": "At the start of every hour",
    "@yearly": "At 00:00 on January 1",
    "* * * * * *": "Every second",
    "0/15 * * * * *": "At seconds 0, 15, 30, and 45 of every minute",
    "0 */5 * * * *": "Every fifth minute of every hour",
    "0 0 */6 * * *": "At 00:00, 06:00, 12:00, and 18:00 every day",
    "0 0-59/7 * * * *": "Every seventh minute from 0 through 56 of every hour",
    "0 */5 9-17 * * *": "Every fifth minute from 09:00 through 17:59",
    "0 5-20 11 * * *": "Every minute from 11:05 through 11:20",
    "0 0 6 * * 1-5": "At 06:00 on Monday through Friday",
    "0 0 6 * * fri,sat,7": "At 06:00 on Sunday, Friday, and Saturday",
}
CORRECTED = {  # cronsim's own sentences would mislead here
    "0 0 0 13 * 5": "At 00:00 on the 13th day of the month or on Friday",
    "0 0 0 */16 6-8 5-6": (
        "At 00:00 on the first and the 17th day of the month or on Friday and Saturday, "
        "in June through August"
    ),
    "0 0 0 21-23,31 * *": "At 00:00 on the 21st, the 22nd, the 23rd, and the 31st day of the month",
    "*/2 * * * * *": "Every 2nd second of every minute",
    "0 */2 */2 * * *": "Every 2nd minute past every 2nd hour",
    "* * 5 * * *": "Every second of every minute past hour 5",
    "7 */2 11 * * *": "At second 7 of every 2nd minute past hour 11",
}


@pytest.mark.parametrize(("pattern", "description"), [*DESCRIPTIONS.items(), *CORRECTED.items()])
def test_a_pattern_is_described_in_english(pattern: str, description: str) -> None:
    assert cron.parse(pattern, UTC).in_words == description


def test_many_values_without_a_common_step_are_listed() -> None:
    description = cron.parse("0 0 0 1-9/2 * *", UTC).in_words
    assert description == (
        "At 00:00 on the first, the third, the fifth, the seventh, and the ninth day of the month"
    )


@pytest.mark.parametrize("name", ["cron-corpus.jsonl", "cron-dst.jsonl"])
def test_every_pattern_of_the_corpus_has_a_description(name: str) -> None:
    lines = shared(name).read_text(encoding="utf-8").splitlines()
    for pattern in {json.loads(line)["pattern"] for line in lines}:
        description = cron.parse(pattern, UTC).in_words
        assert re.match("(At|Every) ", description), pattern
        assert not re.search(r"[2-9][123]th|  |None| and on ", description), pattern
