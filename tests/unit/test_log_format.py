"""One line per event: text with the local time, or JSON with structured data."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from jobs.model import Tick
from jobs.stream_log import log_about
from settings.log_format import JsonLines, TextLines
from tests.support.builders import DUMP, NOW, job_of, stream_of

ZONE = ZoneInfo("Europe/Brussels")
STREAM = stream_of()


def record(text: str = "done", /, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("jobs", logging.WARNING, "file", 1, "%s", (text,), None)
    made.created = datetime(2024, 7, 6, 4, 0, 0, 5000, UTC).timestamp()
    made.__dict__.update(extra)
    return made


def fail(text: str) -> None:
    raise ValueError(text)


def record_of_failure(text: str) -> logging.LogRecord:
    """Return a record with a traceback."""
    with pytest.raises(ValueError, match=re.escape(text)) as caught:
        fail(text)
    return record(exc_info=(caught.type, caught.value, caught.tb))


def test_a_text_line_has_time_with_offset_level_and_message() -> None:
    assert TextLines(ZONE).format(record()) == "2024-07-06T06:00:00.005+02:00 WARNING done"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\u2028\x85", r"two\r\nlines\u2028\x85"),
        ("\x1b[2J\x07 \u202e", r"\x1b[2J\x07 \u202e"),
        ("half \ud800", r"half \ud800"),
        ("d\xe9j\xe0 vu, \u65e5\u672c", "d\xe9j\xe0 vu, \u65e5\u672c"),
    ],
    ids=ascii,
)
def test_a_text_line_is_one_line_of_printable_characters(text: str, shown: str) -> None:
    line = TextLines(ZONE).format(record(text))
    assert line.endswith(f" WARNING {shown}")
    assert line.isprintable()


def test_a_traceback_follows_its_text_line_and_is_printable() -> None:
    lines = TextLines(ZONE).format(record_of_failure("two\n\x1b[31mlines \ud800")).split("\n")
    assert lines[0].endswith(" WARNING done")
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-2:] == ["ValueError: two", r"\x1b[31mlines \ud800"]
    assert all(line.isprintable() for line in lines)


def test_a_json_line_has_the_structured_data_of_its_event() -> None:
    tick, job = Tick(STREAM, DUMP, NOW), job_of(DUMP)
    log = log_about(logging.getLogger(), STREAM, DUMP, tick=tick, job=job)
    assert json.loads(JsonLines(ZONE).format(record(**log.extra or {}))) == {
        "time": "2024-07-06T06:00:00.005+02:00",
        "level": "WARNING",
        "message": "done",
        "stream": "public",
        "kind": "dump",
        "tick": "2024-01-06T06:00:00+00:00",
        "job": job.uri,
    }
    assert json.loads(JsonLines(ZONE).format(record())).keys() == {"time", "level", "message"}


@pytest.mark.parametrize("text", ["two\nlines", 'quotes "', "\x1b[31m red", "half \ud800", "é"])
def test_a_json_line_is_one_line_of_ascii(text: str) -> None:
    line = JsonLines(ZONE).format(record(text))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["message"] == text


def test_a_traceback_is_part_of_its_json_line() -> None:
    line = JsonLines(ZONE).format(record_of_failure("bad value"))
    assert json.loads(line)["exception"].endswith("\nValueError: bad value")
    assert len(line.splitlines()) == 1
