"""Jobs that are due at the same instant, as far as `flask check` warns of them."""

from __future__ import annotations

from datetime import timedelta

from commands.overlaps import MAX_LISTED, overlaps
from jobs.model import Stream
from tests.support.builders import DUMP, HEALING, at, stream_of

START = at("2024-01-01T12:00:00")  # a Monday
TWO_WEEKS = timedelta(days=14)


def found(*streams: Stream, horizon: timedelta = TWO_WEEKS) -> list[tuple[str, str, int, bool]]:
    return [
        (", ".join(map(str, each.kinds)), each.first.isoformat()[:19], each.times, each.exact)
        for each in overlaps(streams, START, horizon)
    ]


def dumps(name: str, pattern: str) -> Stream:
    return stream_of(name, patterns={DUMP: pattern})


def test_schedules_that_are_never_due_together_do_not_overlap() -> None:
    assert found(dumps("a", "0 0 6 * * 6"), dumps("b", "0 30 6 * * 6")) == []


def test_dumps_of_two_streams_that_start_together_are_counted() -> None:
    both = "dump of stream a, dump of stream b"
    streams = (dumps("a", "0 0 6 * * 6"), dumps("b", "0 0 6 * * *"))
    assert found(*streams) == [(both, "2024-01-06T06:00:00", 2, True)]


def test_healing_and_dump_of_one_stream_can_overlap() -> None:
    stream = stream_of("a", patterns={HEALING: "0 0 4 * * *", DUMP: "0 0 4 * * 6"})
    both = "healing of stream a, dump of stream a"
    assert found(stream) == [(both, "2024-01-06T04:00:00", 2, True)]


def test_each_set_of_kinds_is_found_once_the_earliest_first() -> None:
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


def test_a_disabled_kind_does_not_overlap() -> None:
    assert found(dumps("a", "0 0 6 * * *"), stream_of("b", disabled=[HEALING, DUMP])) == []


def test_the_horizon_includes_its_end_but_not_its_start() -> None:
    streams = (dumps("a", "0 0 12 * * *"), dumps("b", "0 0 12 * * *"))
    assert [times for _, _, times, _ in found(*streams)] == [14]


def test_the_overlaps_of_a_rare_and_a_frequent_schedule_are_all_counted() -> None:
    streams = (dumps("a", "0 0 6 * * 6"), dumps("b", "* * * * * *"))
    both = "dump of stream a, dump of stream b"
    assert found(*streams) == [(both, "2024-01-06T06:00:00", 2, True)]


def test_the_overlaps_of_two_frequent_schedules_are_counted_up_to_a_limit() -> None:
    streams = (dumps("a", "* * * * * *"), dumps("b", "*/2 * * * * *"))
    both = "dump of stream a, dump of stream b"
    assert found(*streams) == [(both, "2024-01-01T12:00:02", MAX_LISTED, False)]


def test_schedules_without_fire_times_within_the_horizon_do_not_overlap() -> None:
    assert found(dumps("a", "0 0 0 29 2 *"), dumps("b", "0 0 0 29 2 *")) == []
