"""Fire times on which several cron engines agree, or that our rules for clock changes define."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from jobs.cron import Schedule, parse
from tests.support.shared_data import shared

SECOND = timedelta(seconds=1)
MIN_ROWS = 1000  # a truncated corpus must not pass


class Row(NamedTuple):
    """A schedule, an instant, and the fire times that follow it."""

    text: str
    schedule: Schedule
    start: datetime
    expected: list[datetime]


def rows(name: str) -> Iterator[Row]:
    """Read a corpus, and make sure that it is complete."""
    lines = shared(name).read_text(encoding="utf-8").splitlines()
    assert len(lines) > MIN_ROWS
    for text in lines:
        row = json.loads(text)
        expected = [datetime.fromisoformat(fire) for fire in row["expected"]]
        schedule = parse(row["pattern"], ZoneInfo(row["tz"]))
        yield Row(text, schedule, datetime.fromisoformat(row["start"]), expected)


@pytest.mark.parametrize("name", ["cron-corpus.jsonl", "cron-dst.jsonl"])
def test_forwards(name: str) -> None:
    """`next_after` finds the next fire time from the start and from each fire time."""
    for row in rows(name):
        found = [row.schedule.next_after(now) for now in [row.start, *row.expected[:-1]]]
        assert found == row.expected, row.text


@pytest.mark.parametrize("name", ["cron-corpus.jsonl", "cron-dst.jsonl"])
def test_backwards(name: str) -> None:
    """Each fire time is the latest one until one second before the next."""
    for row in rows(name):
        assert row.schedule.latest(row.expected[0] - SECOND) <= row.start, row.text
        for fire, following in pairwise(row.expected):
            assert row.schedule.latest(fire) == fire, row.text
            assert row.schedule.latest(following - SECOND) == fire, row.text
