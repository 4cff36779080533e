"""Which ticks are due: each once, the newest of a schedule, the healing first."""

from __future__ import annotations

from jobs.agenda import Agenda
from tests.builders import DUMP, HEALING, at, stream_of

START = at("2024-01-06T00:00:00")


def agenda_of(**patterns: str) -> Agenda:
    names = {"healing": HEALING, "dump": DUMP}
    stream = stream_of(patterns={names[name]: text for name, text in patterns.items()})
    return Agenda(stream, since=START)


def taken(agenda: Agenda, now: str) -> list[tuple[str, str]]:
    return [(tick.kind.name, f"{tick.fire_time:%H:%M:%S}") for tick in agenda.take(at(now))]


def test_nothing_is_due_before_its_time() -> None:
    assert not taken(agenda_of(dump="0 6 * * *"), "2024-01-06T05:59:59.999")


def test_a_tick_is_due_at_its_instant() -> None:
    assert taken(agenda_of(dump="0 6 * * *"), "2024-01-06T06:00:00") == [("DUMP", "06:00:00")]


def test_a_tick_is_handed_out_once() -> None:
    agenda = agenda_of(dump="0 6 * * *")
    assert taken(agenda, "2024-01-06T06:00:00")
    assert not taken(agenda, "2024-01-06T06:00:00")
    assert not taken(agenda, "2024-01-07T05:59:59")
    assert taken(agenda, "2024-01-07T06:00:00")


def test_a_late_look_finds_the_newest_tick_of_several() -> None:
    assert taken(agenda_of(dump="0 * * * *"), "2024-01-06T05:30:00") == [("DUMP", "05:00:00")]


def test_of_two_ticks_at_one_instant_the_healing_goes_first() -> None:
    agenda = agenda_of(dump="0 6 * * *", healing="0 6 * * *")
    assert taken(agenda, "2024-01-06T06:00:01") == [("HEALING", "06:00:00"), ("DUMP", "06:00:00")]


def test_an_earlier_tick_goes_before_a_later_one() -> None:
    agenda = agenda_of(dump="58 5 * * *", healing="0 6 * * *")
    assert taken(agenda, "2024-01-06T06:00:01") == [("DUMP", "05:58:00"), ("HEALING", "06:00:00")]


def test_a_clock_that_goes_back_brings_no_tick_twice() -> None:
    agenda = agenda_of(dump="0 * * * *")
    assert taken(agenda, "2024-01-06T03:00:00")
    assert not taken(agenda, "2024-01-06T02:00:00")
    assert not taken(agenda, "2024-01-06T03:00:00")


def test_what_fired_before_the_start_is_not_due() -> None:
    assert not taken(agenda_of(dump="0 0 * * *"), "2024-01-06T00:00:01")


def test_the_next_tick_is_the_earliest_of_all_schedules() -> None:
    agenda = agenda_of(dump="0 6 * * *", healing="0 4 * * *")
    assert agenda.next_after(START) == at("2024-01-06T04:00:00")
    assert agenda.next_after(at("2024-01-06T04:00:00")) == at("2024-01-06T06:00:00")


def test_a_stream_without_schedules_has_no_next_tick() -> None:
    assert agenda_of().next_after(START) is None
    assert not taken(agenda_of(), "2024-01-06T06:00:00")
