"""What is due at one instant: heavy jobs that start together without anybody having meant it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from jobs.collisions import MOST_FIRES, collisions
from tests.builders import DUMP, HEALING, at, stream_of

if TYPE_CHECKING:
    from jobs.model import Stream

START = at("2024-01-01T12:00:00")  # a Monday
TWO_WEEKS = timedelta(days=14)


def found(*streams: Stream, horizon: timedelta = TWO_WEEKS) -> list[tuple[str, str, int, bool]]:
    return [
        (", ".join(map(str, each.due)), each.first.isoformat()[:19], each.times, each.exact)
        for each in collisions(streams, START, horizon)
    ]


def dumps(name: str, pattern: str) -> Stream:
    return stream_of(name, patterns={DUMP: pattern})


def test_schedules_that_never_meet_are_not_told() -> None:
    assert found(dumps("a", "0 0 6 * * 6"), dumps("b", "0 30 6 * * 6")) == []


def test_dumps_of_two_streams_that_start_together_are_counted() -> None:
    both = "dump of stream a, dump of stream b"
    streams = (dumps("a", "0 0 6 * * 6"), dumps("b", "0 0 6 * * *"))
    assert found(*streams) == [(both, "2024-01-06T06:00:00", 2, True)]


def test_healing_and_dump_of_one_stream_are_told_too() -> None:
    stream = stream_of("a", patterns={HEALING: "0 0 4 * * *", DUMP: "0 0 4 * * 6"})
    both = "healing of stream a, dump of stream a"
    assert found(stream) == [(both, "2024-01-06T04:00:00", 2, True)]


def test_each_set_that_meets_is_told_once_the_earliest_first() -> None:
    streams = (
        dumps("a", "0 0 6 * * *"),
        dumps("b", "0 0 6 * * *"),
        dumps("c", "0 0 6 * * 6"),
    )
    assert found(*streams) == [
        ("dump of stream a, dump of stream b", "2024-01-02T06:00:00", 12, True),
        (
            "dump of stream a, dump of stream b, dump of stream c",
            "2024-01-06T06:00:00",
            2,
            True,
        ),
    ]


def test_a_disabled_kind_meets_nothing() -> None:
    assert found(dumps("a", "0 0 6 * * *"), stream_of("b", disabled=[HEALING, DUMP])) == []


def test_the_end_of_the_horizon_counts_and_its_beginning_does_not() -> None:
    streams = (dumps("a", "0 0 12 * * *"), dumps("b", "0 0 12 * * *"))
    assert [times for _, _, times, _ in found(*streams)] == [14]


def test_a_rare_tick_that_meets_one_of_every_second_is_counted_to_the_end() -> None:
    streams = (dumps("a", "0 0 6 * * 6"), dumps("b", "* * * * * *"))
    both = "dump of stream a, dump of stream b"
    assert found(*streams) == [(both, "2024-01-06T06:00:00", 2, True)]


def test_two_that_are_due_all_the_time_are_counted_as_far_as_they_are_listed() -> None:
    streams = (dumps("a", "* * * * * *"), dumps("b", "*/2 * * * * *"))
    both = "dump of stream a, dump of stream b"
    assert found(*streams) == [(both, "2024-01-01T12:00:02", MOST_FIRES, False)]


def test_schedules_of_which_none_is_due_within_the_horizon_meet_nothing() -> None:
    assert found(dumps("a", "0 0 0 29 2 *"), dumps("b", "0 0 0 29 2 *")) == []
