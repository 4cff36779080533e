"""Fire times on which several cron engines agree, and those of our policy where they do not."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from jobs.cron import Schedule, parse
from tests.shared_data import shared

SECOND = timedelta(seconds=1)
FEWEST_ROWS = 1000  # a corpus that was cut short must not pass


class Row(NamedTuple):
    """A schedule, an instant, and the fire times that follow it."""

    text: str
    schedule: Schedule
    start: datetime
    expected: list[datetime]


def rows(name: str) -> Iterator[Row]:
    """Read a corpus; it must be a whole one."""
    lines = shared(name).read_text(encoding="utf-8").splitlines()
    assert len(lines) > FEWEST_ROWS
    for text in lines:
        row = json.loads(text)
        expected = [datetime.fromisoformat(fire) for fire in row["expected"]]
        schedule = parse(row["pattern"], ZoneInfo(row["tz"]))
        yield Row(text, schedule, datetime.fromisoformat(row["start"]), expected)


@pytest.mark.parametrize("name", ["cron-corpus.jsonl", "cron-dst.jsonl"])
def test_forwards(name: str) -> None:
    """From the start, and from each fire time, the next one follows."""
    for row in rows(name):
        found = [row.schedule.next_after(now) for now in [row.start, *row.expected[:-1]]]
        assert found == row.expected, row.text


@pytest.mark.parametrize("name", ["cron-corpus.jsonl", "cron-dst.jsonl"])
def test_backwards(name: str) -> None:
    """Until the second before the next one, each fire time is the latest."""
    for row in rows(name):
        assert row.schedule.latest(row.expected[0] - SECOND) <= row.start, row.text
        for fire, following in pairwise(row.expected):
            assert row.schedule.latest(fire) == fire, row.text
            assert row.schedule.latest(following - SECOND) == fire, row.text
