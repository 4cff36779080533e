"""One line an event: for people with the zone's time, for machines with what it is about."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from jobs.journal import about
from jobs.model import Tick
from settings.logs import JsonLines, TextLines
from tests.builders import DUMP, NOW, job_of, stream_of

ZONE = ZoneInfo("Europe/Brussels")
STREAM = stream_of()


def record(text: str = "done", /, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("jobs", logging.WARNING, "file", 1, "%s", (text,), None)
    made.created = datetime(2024, 7, 6, 4, 0, 0, 5000, UTC).timestamp()
    made.__dict__.update(extra)
    return made


def test_a_line_for_people_has_time_with_zone_level_and_message() -> None:
    assert TextLines(ZONE).format(record()) == "2024-07-06T06:00:00.005+02:00 WARNING done"


@pytest.mark.parametrize(
    ("text", "shown"), [("two\r\nlines", r"two\r\nlines"), ("half \ud800", r"half \ud800")]
)
def test_a_line_for_people_is_one_line_that_can_be_written(text: str, shown: str) -> None:
    line = TextLines(ZONE).format(record(text))
    assert line.endswith(f" WARNING {shown}")
    line.encode()


def test_a_line_for_machines_holds_what_it_is_about_where_there_is_something() -> None:
    tick, job = Tick(STREAM, DUMP, NOW), job_of(DUMP)
    facts = about(STREAM, DUMP, tick=tick, job=job)
    assert json.loads(JsonLines(ZONE).format(record(**facts))) == {
        "time": "2024-07-06T06:00:00.005+02:00",
        "level": "WARNING",
        "message": "done",
        "stream": "public",
        "kind": "dump",
        "tick": "2024-01-06T06:00:00+00:00",
        "job": job.uri,
    }
    assert json.loads(JsonLines(ZONE).format(record())).keys() == {"time", "level", "message"}


def test_the_environments_stream_has_no_name() -> None:
    assert about(stream_of(None)) == {"about": {}}


@pytest.mark.parametrize("text", ["two\nlines", 'quotes "', "\x1b[31m red", "half \ud800", "é"])
def test_a_line_for_machines_is_one_line_of_ascii_whatever_is_in_it(text: str) -> None:
    line = JsonLines(ZONE).format(record(text))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == text


def test_a_traceback_is_part_of_the_line_for_machines() -> None:
    try:
        json.loads("{")
    except ValueError:
        made = record(exc_info=sys.exc_info())
    line = JsonLines(ZONE).format(made)
    assert "JSONDecodeError: " in json.loads(line)["exception"]
    assert len(line.splitlines()) == 1
