"""The recorder keeps what it has seen, with the times in which it held."""

from __future__ import annotations

from tests.chaos.recorder import Records, subjects

JOB = "http://redpencil.data.gift/id/job/1"
BUSY, SUCCESS = (
    f"http://redpencil.data.gift/id/concept/JobStatus/{status}" for status in ("busy", "success")
)


def rows(*statuses: str) -> dict[str, dict[str, list[str]]]:
    return subjects({"s": JOB, "p": "http://x/status", "o": status} for status in statuses)


def test_a_state_lasts_from_the_first_poll_that_found_it_to_the_last() -> None:
    records = Records()
    for started in (10, 11, 12, 13):
        records.add_poll(started, started + 0.1, rows(BUSY) if started in (11, 12) else {})
    (record,) = records.by_uri.values()
    (span,) = record.active
    assert (span.after, span.first, span.last, span.before) == (10, 11.1, 12, 13.1)
    assert (record.first_seen, record.not_yet) == (11.1, 10)
    assert span.covers(11.2, 11.9)
    assert not span.covers(11, 12)
    assert span.may_touch(12.5, 13)
    assert not span.may_touch(13.2, 14)


def test_a_state_that_returns_has_a_new_span() -> None:
    records = Records()
    for started, shown in enumerate((rows(BUSY), rows(SUCCESS), rows(BUSY), {})):
        records.add_poll(started, started + 0.1, shown)
    (record,) = records.by_uri.values()
    assert [(span.after, span.before) for span in record.active] == [(0, 1.1), (1, 3.1)]
    assert len(record.succeeded) == 1


def test_the_first_values_are_kept_and_the_last_poll_finds_deletions() -> None:
    records = Records()
    records.add_poll(1, 1.1, rows(BUSY, SUCCESS))
    records.add_poll(2, 2.1, rows(BUSY))
    records.add_last_poll(3, 3.1, {})
    (record,) = records.by_uri.values()
    assert record.values == {"status": [BUSY, SUCCESS]}
    assert record.final is None
