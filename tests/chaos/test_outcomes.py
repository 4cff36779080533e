"""The auditor finds the outcome of each tick in a history."""

from __future__ import annotations

import pytest

from tests.chaos.history import LogLine
from tests.chaos.history_builder import TICKS, HistoryBuilder, clean_run
from tests.chaos.outcomes import Outcome
from tests.chaos.streams import Kind


def outcome_of(run: HistoryBuilder, tick: int) -> Outcome:
    """Return the outcome of the only tick without a job."""
    outcomes = run.audit().outcomes
    assert sum(outcomes.values()) == len(TICKS)
    (found,) = [outcome for outcome in outcomes if outcome is not Outcome.CREATED]
    assert outcomes[found] == 1, tick
    return found


def test_a_clean_history_is_clean() -> None:
    result = clean_run().audit()
    assert result.clean
    assert result.outcomes == {Outcome.CREATED: len(TICKS)}
    assert not any(result.known_limits.values())
    assert result.median_lateness == pytest.approx(0.07)


def test_a_tick_without_a_log_line_is_unaccounted() -> None:
    assert clean_run(50).violations() == {"unaccounted": 1}


def test_a_log_line_alone_does_not_prove_that_a_job_was_created() -> None:
    run = clean_run(50)
    run.log(50, "tick {50}: created job http://j/50")
    run.log(50, "tick {50}: done by job http://j/50")
    assert run.violations() == {"unaccounted": 1}


def test_a_job_that_was_deleted_before_it_was_seen_was_created() -> None:
    run = clean_run(50)
    run.log(50, "tick {50}: created job http://j/50")
    run.attempt(["http://j/50"], sent=50, applied=50.1)
    assert run.audit().clean


@pytest.mark.parametrize(("since", "clean"), [(40, True), (50, True), (60, False)])
def test_a_range_of_superseded_ticks_covers_what_is_in_it(since: int, *, clean: bool) -> None:
    run = clean_run(50)
    run.log(70, f"tick {{70}} supersedes 2 earlier ones since {{{since}}}")
    assert run.audit().clean == clean
    assert outcome_of(run, 50) is (Outcome.SUPERSEDED if clean else Outcome.UNACCOUNTED)


def test_a_tick_does_not_supersede_itself() -> None:
    run = clean_run(50)
    run.log(50, "tick {50} supersedes 1 earlier one since {40}")
    assert run.violations() == {"unaccounted": 1}


def test_a_line_about_another_schedule_does_not_count() -> None:
    run = clean_run(50)
    run.log(60, "tick {60} supersedes 1 earlier ones since {50}", kind=Kind.HEALING)
    assert run.violations() == {"unaccounted": 1}


MISSED = "tick {50}: missed, with 0 others since {50}: the store did not answer"


def test_a_missed_tick_needs_an_error_that_names_it() -> None:
    run = clean_run(50)
    run.log(85, MISSED)
    assert run.violations() == {"missed without an error": 1}
    run.error(f"dump of stream a: {MISSED}".replace("{50}", "2027-01-15T08:00:50+00:00"))
    assert run.audit().clean
    assert outcome_of(run, 50) is Outcome.MISSED


@pytest.mark.parametrize(("at", "counts"), [(90, True), (70, False)])
def test_a_later_delete_call_may_have_removed_the_error(at: int, *, counts: bool) -> None:
    """A call removes the errors that reference its jobs; a blocking job can be of another kind."""
    run = clean_run(50)
    run.log(85, MISSED)
    run.call("DELETE", at, Kind.HEALING)
    assert (run.violations() == {}) is counts


def test_the_error_of_another_tick_does_not_count() -> None:
    run = clean_run(50)
    run.log(85, MISSED)
    run.error(f"dump of stream a: {MISSED}".replace("{50}", "2027-01-15T08:00:40+00:00"))
    assert run.violations() == {"missed without an error": 1}


@pytest.mark.parametrize(("stored", "counts"), [(79, True), (90, True), (61, False)])
def test_an_error_of_another_tick_counts_while_it_is_recent(stored: int, *, counts: bool) -> None:
    """The window of the tick closed at 80; one cause is stored once in 18 seconds."""
    run = clean_run(50)
    run.log(85, MISSED)
    other = MISSED.replace("{50}", "2027-01-15T08:00:49+00:00")
    run.error(f"dump of stream a: {other}", at=stored)
    assert (outcome_of(run, 50) is Outcome.MISSED) is counts


def test_a_window_must_have_closed() -> None:
    run = clean_run(50)
    run.log(60, MISSED)
    assert run.violations() == {"missed without an error": 1, "missed too early": 1}


@pytest.mark.parametrize(("until", "expected"), [(55, Outcome.CLEANED), (120, Outcome.UNACCOUNTED)])
def test_a_delete_call_ends_the_ticks_that_can_still_be_pending(
    until: int, expected: Outcome
) -> None:
    run = clean_run(50)
    run.log(until, f"ticks up to {{{until}}}: cleaned by request")
    assert outcome_of(run, 50) is expected


@pytest.mark.parametrize(
    ("created", "expected"),
    [(50, Outcome.LATER_JOB), (53, Outcome.LATER_JOB), (49, Outcome.UNACCOUNTED)],
)
def test_a_tick_may_be_done_by_a_later_job(created: float, expected: Outcome) -> None:
    run = clean_run(50)
    run.job(created + 0.5, uri="http://j/by-request")
    run.log(54, "created job http://j/by-request by request")
    run.history.records[-2].values["created"] = [instant(created)]
    run.log(54, "tick {50}: done by job http://j/by-request")
    assert outcome_of(run, 50) is expected


def instant(second: float) -> str:
    return f"2027-01-15T08:00:{second:06.3f}+00:00"


def test_no_tick_is_due_before_a_process_was_ready() -> None:
    run = HistoryBuilder()
    run.process_run(ready=95)
    run.job(100)
    assert run.audit().outcomes == {Outcome.CREATED: 1}
    assert not HistoryBuilder().audit().outcomes


def killed(*, at: float, ready_again: float, without: int = 50) -> HistoryBuilder:
    run = HistoryBuilder()
    run.process_run(killed=at)
    run.process_run(ready=ready_again)
    for tick in TICKS:
        if tick != without:
            run.job(tick)
    return run


def test_a_killed_process_logs_no_outcome_if_a_newer_tick_has_one() -> None:
    assert outcome_of(killed(at=51, ready_again=62), 50) is Outcome.LOST_WITH_PROCESS


def test_a_tick_without_a_running_process_is_superseded_by_a_newer_one() -> None:
    assert outcome_of(killed(at=45, ready_again=62), 50) is Outcome.LOST_WITH_PROCESS


def test_the_newest_tick_of_a_gap_must_be_resumed() -> None:
    assert killed(at=45, ready_again=55).violations() == {"unaccounted": 1}


def test_the_newest_tick_of_a_gap_is_dropped_if_the_operation_has_no_job() -> None:
    run = HistoryBuilder()
    run.process_run(killed=7)
    run.process_run(ready=15)
    for tick in TICKS[1:]:
        run.job(tick)
    assert outcome_of(run, 10) is Outcome.NOTHING_TO_CATCH_UP


def test_the_newest_tick_of_a_gap_is_dropped_if_only_calls_made_jobs() -> None:
    run = HistoryBuilder()
    run.process_run(killed=7)
    run.job(6.3)
    run.process_run(ready=15)
    for tick in TICKS[1:]:
        run.job(tick)
    assert outcome_of(run, 10) is Outcome.NOTHING_TO_CATCH_UP


def test_the_newest_tick_of_a_gap_is_dropped_if_all_jobs_were_deleted() -> None:
    run = killed(at=45, ready_again=55)
    run.call("DELETE", 44)
    assert outcome_of(run, 50) is Outcome.NOTHING_TO_CATCH_UP


def test_a_process_that_ran_through_the_window_must_log_the_outcome() -> None:
    run = killed(at=150, ready_again=155)
    assert run.violations() == {"unaccounted": 1}


def test_a_process_that_logged_a_newer_tick_must_log_the_outcome() -> None:
    run = killed(at=65, ready_again=68)
    assert outcome_of(run, 50) is Outcome.LOST_WITH_PROCESS
    run.log(60.1, "tick {60}: created job http://j/60", process_run=0)
    assert run.violations() == {"unaccounted": 1}


def test_another_running_process_must_log_the_outcome_after_a_kill() -> None:
    run = killed(at=51, ready_again=62)
    run.process_run(process=1)
    assert run.violations() == {"unaccounted": 1}


def test_a_lost_tick_without_a_newer_one_is_unaccounted() -> None:
    run = killed(at=98, ready_again=150, without=100)
    assert run.violations() == {"unaccounted": 1}


def test_a_process_must_not_crash_or_stop_with_an_error() -> None:
    run = clean_run()
    crashed = run.history.process_runs[0]
    crashed.ended, crashed.exit_status = run.history.end, 1
    crashed.lines.append(LogLine(at=run.history.end, text="can't listen on port 80: in use"))
    (found,) = run.audit().violations["crashes and failed stops"]
    assert found.endswith("can't listen on port 80: in use")
    crashed.exit_status = 0
    assert run.audit().clean
