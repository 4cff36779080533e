"""The auditor on histories written by hand: each violation is flagged, nothing else is."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from chaos.__main__ import HISTORIES
from chaos.accounting import Fate
from chaos.report import Report
from chaos.streams import Kind
from tests.chaos.story import HEALED, STREAM, Story, span

ROOT = Path(__file__).resolve().parents[2]
SERVICE = {"app", "config", "jobs", "settings", "sparql", "web"}
TICKS = range(10, 101, 10)  # of STREAM, after the first readiness and up to the horizon


def story(*without: int) -> Story:
    """A clean history, but for the ticks that have no job and of which nobody speaks."""
    told = Story()
    told.life()
    for tick in TICKS:
        if tick not in without:
            told.job(tick)
            told.tells(tick, f"tick {{{tick}}}: created job http://j/{tick}")
    return told


def fate(told: Story, tick: int) -> Fate:
    """What became of the one tick that has no job."""
    fates = told.verdict().fates
    assert sum(fates.values()) == len(TICKS)
    (found,) = [one for one in fates if one is not Fate.CREATED]
    assert fates[found] == 1, tick
    return found


# -- ticks -----------------------------------------------------------------------------------------


def test_a_clean_history_is_clean() -> None:
    verdict = story().verdict()
    assert verdict.clean
    assert verdict.fates == {Fate.CREATED: len(TICKS)}
    assert not any(verdict.limits.values())
    assert verdict.median_lateness == pytest.approx(0.07)


def test_a_tick_of_which_nobody_spoke_is_unaccounted() -> None:
    assert story(50).flagged() == {"unaccounted": 1}


def test_the_log_is_not_believed_that_a_job_was_created() -> None:
    told = story(50)
    told.tells(50, "tick {50}: created job http://j/50")
    told.tells(50, "tick {50}: done by job http://j/50")
    assert told.flagged() == {"unaccounted": 1}


def test_a_job_that_was_deleted_before_it_was_seen_was_created() -> None:
    told = story(50)
    told.tells(50, "tick {50}: created job http://j/50")
    told.attempt(["http://j/50"], sent=50, applied=50.1)
    assert told.verdict().clean


@pytest.mark.parametrize(("since", "clean"), [(40, True), (50, True), (60, False)])
def test_a_range_of_superseded_ticks_covers_what_is_in_it(since: int, *, clean: bool) -> None:
    told = story(50)
    told.tells(70, f"tick {{70}} supersedes 2 earlier ones since {{{since}}}")
    assert told.verdict().clean == clean
    assert fate(told, 50) is (Fate.SUPERSEDED if clean else Fate.UNACCOUNTED)


def test_a_tick_does_not_supersede_itself() -> None:
    told = story(50)
    told.tells(50, "tick {50} supersedes 1 earlier one since {40}")
    assert told.flagged() == {"unaccounted": 1}


def test_what_another_schedule_says_does_not_count() -> None:
    told = story(50)
    told.tells(60, "tick {60} supersedes 1 earlier ones since {50}", kind=Kind.HEALING)
    assert told.flagged() == {"unaccounted": 1}


MISSED = "tick {50}: missed, with 0 others since {50}: the store did not answer"


def test_a_missed_tick_needs_an_error_that_names_it() -> None:
    told = story(50)
    told.tells(85, MISSED)
    assert told.flagged() == {"missed without an error": 1}
    told.error(f"dump of stream a: {MISSED}".replace("{50}", "2027-01-15T08:00:50+00:00"))
    assert told.verdict().clean
    assert fate(told, 50) is Fate.MISSED


def test_the_error_of_another_tick_does_not_count() -> None:
    told = story(50)
    told.tells(85, MISSED)
    told.error(f"dump of stream a: {MISSED}".replace("{50}", "2027-01-15T08:00:40+00:00"))
    assert told.flagged() == {"missed without an error": 1}


@pytest.mark.parametrize(("stored", "counts"), [(79, True), (90, True), (61, False)])
def test_an_error_of_another_tick_counts_while_it_is_young(stored: int, *, counts: bool) -> None:
    """The window of the tick closed at 80; one cause is stored once in 18 seconds."""
    told = story(50)
    told.tells(85, MISSED)
    other = MISSED.replace("{50}", "2027-01-15T08:00:49+00:00")
    told.error(f"dump of stream a: {other}", at=stored)
    assert (fate(told, 50) is Fate.MISSED) is counts


def test_a_window_must_have_closed() -> None:
    told = story(50)
    told.tells(60, MISSED)
    assert told.flagged() == {"missed without an error": 1, "missed too early": 1}


@pytest.mark.parametrize(("until", "expected"), [(55, Fate.CLEANED), (100, Fate.UNACCOUNTED)])
def test_a_cleaning_settles_what_can_still_be_open(until: int, expected: Fate) -> None:
    told = story(50)
    told.tells(until, f"ticks up to {{{until}}}: cleaned by request")
    assert fate(told, 50) is expected


@pytest.mark.parametrize(
    ("created", "expected"), [(50, Fate.LATER_JOB), (53, Fate.LATER_JOB), (49, Fate.UNACCOUNTED)]
)
def test_a_later_job_may_do_a_tick(created: float, expected: Fate) -> None:
    told = story(50)
    told.job(created + 0.5, uri="http://j/by-request")
    told.tells(54, "created job http://j/by-request by request")
    told.history.records[-2].values["created"] = [told_instant(created)]
    told.tells(54, "tick {50}: done by job http://j/by-request")
    assert fate(told, 50) is expected


def told_instant(second: float) -> str:
    return f"2027-01-15T08:00:{second:06.3f}+00:00"


def test_no_tick_is_due_before_a_process_was_ready() -> None:
    told = Story()
    told.life(ready=95)
    told.job(100)
    assert told.verdict().fates == {Fate.CREATED: 1}
    assert not Story().verdict().fates


# -- ticks and the ends of processes ---------------------------------------------------------------


def killed(*, at: float, ready_again: float, without: int = 50) -> Story:
    told = Story()
    told.life(ended=at)
    told.life(ready=ready_again)
    for tick in TICKS:
        if tick != without:
            told.job(tick)
    return told


def test_a_killed_process_cannot_speak_but_a_newer_tick_can() -> None:
    assert fate(killed(at=51, ready_again=62), 50) is Fate.LOST_WITH_PROCESS


def test_a_tick_that_nobody_was_there_for_is_superseded_by_a_newer_one() -> None:
    assert fate(killed(at=45, ready_again=62), 50) is Fate.LOST_WITH_PROCESS


def test_the_newest_tick_of_a_gap_must_be_taken_up() -> None:
    assert killed(at=45, ready_again=55).flagged() == {"unaccounted": 1}


def test_the_newest_tick_of_a_gap_is_left_where_the_operation_has_no_job() -> None:
    told = Story()
    told.life(ended=7)
    told.life(ready=15)
    for tick in TICKS[1:]:
        told.job(tick)
    assert fate(told, 10) is Fate.NOTHING_TO_CATCH_UP


def test_the_newest_tick_of_a_gap_is_left_where_all_jobs_were_deleted() -> None:
    told = killed(at=45, ready_again=55)
    told.call("DELETE", 44)
    assert fate(told, 50) is Fate.NOTHING_TO_CATCH_UP


def test_a_process_that_lived_through_the_window_must_speak() -> None:
    told = killed(at=150, ready_again=155)
    assert told.flagged() == {"unaccounted": 1}


def test_a_process_that_settled_a_newer_tick_must_speak() -> None:
    told = killed(at=65, ready_again=68)
    assert fate(told, 50) is Fate.LOST_WITH_PROCESS
    told.tells(60.1, "tick {60}: created job http://j/60", life=0)
    assert told.flagged() == {"unaccounted": 1}


def test_a_twin_that_lives_must_speak_for_the_one_that_was_killed() -> None:
    told = killed(at=51, ready_again=62)
    told.life(process=1)
    assert told.flagged() == {"unaccounted": 1}


def test_a_lost_tick_without_a_newer_one_is_unaccounted() -> None:
    told = killed(at=98, ready_again=150, without=100)
    assert told.flagged() == {"unaccounted": 1}


def test_a_process_may_not_end_by_itself_or_badly() -> None:
    told = story()
    told.history.lives[0].ended, told.history.lives[0].exit_status = told.history.end, 1
    assert told.flagged() == {"wrong ends of processes": 1}
    told.history.lives[0].exit_status = 0
    assert told.verdict().clean


# -- jobs and tasks in the store -------------------------------------------------------------------


def test_two_jobs_of_one_tick_are_duplicates() -> None:
    told = story()
    told.job(50, uri="http://j/twin", sent=50)
    assert told.flagged() == {"duplicated": 1, "two active": 1}


def test_two_tasks_of_one_job_are_duplicates() -> None:
    told = story(50)
    told.job(50, tasks=2)
    assert told.flagged() == {"duplicated": 1}


def test_a_job_that_nobody_asked_for_is_flagged() -> None:
    told = story()
    told.job(53.25)
    assert told.flagged() == {"jobs of no tick and no call": 1}


def test_the_log_explains_a_job_by_request() -> None:
    told = story()
    record = told.job(53.25)
    told.tells(53.3, f"created job {record.uri} by request")
    assert told.verdict().clean


def test_a_call_whose_answer_was_lost_explains_one_job() -> None:
    told = story()
    told.call("POST", 53, status=503)
    told.job(53.25)
    assert told.verdict().clean
    told.job(53.3)
    assert told.flagged() == {"jobs of no tick and no call": 1}


def test_nothing_is_caught_up_in_an_empty_store() -> None:
    told = story()
    told.job(0, seen=6)
    assert told.flagged() == {"jobs of no tick and no call": 1}


def test_an_initial_sync_that_a_lost_call_made_did_not_have_to_wait() -> None:
    told = healed()
    told.job(10, kind=Kind.HEALING)
    told.job(12.3, kind=Kind.SYNC)
    assert "duplicated" in told.flagged()
    told.call("POST", 12.2, Kind.SYNC, status=503)
    assert told.verdict().clean


def test_half_a_job_at_the_end_is_flagged() -> None:
    told = story(50)
    record = told.job(50, tasks=0)
    assert told.flagged() == {"half": 1}
    record.final = None
    assert told.verdict().clean


def test_half_a_job_may_be_given_up_with_an_error() -> None:
    told = story(50)
    record = told.job(50, tasks=0)
    assert record.final is not None
    record.final["status"] = [record.final["status"][0].replace("success", "failed")]
    assert told.flagged() == {"half": 1}
    told.error("it had no task", job=record.uri)
    assert told.verdict().clean


@pytest.mark.parametrize(("repaired", "half"), [(60, 0), (95, 1)])
def test_half_a_job_must_be_repaired_in_time(repaired: float, half: int) -> None:
    told = story(50)
    record = told.job(50, tasks=0, done=98)
    told.task(record.uri, repaired)
    assert told.flagged().get("half", 0) == half


def test_half_a_job_that_stayed_one_until_it_was_deleted_is_flagged() -> None:
    told = story(50)
    told.job(50, tasks=0, done=120).final = None
    assert told.flagged()["half"] == 1


def test_a_task_without_its_job_is_flagged() -> None:
    told = story(50)
    told.job(50).final = None
    assert told.flagged() == {"half": 1}


def test_second_values_at_the_end_are_flagged() -> None:
    told = story(50)
    record = told.job(50)
    assert record.final is not None
    record.final["modified"] = ["2027-01-15T08:00:50.000Z", "2027-01-15T08:00:52.000Z"]
    assert told.flagged() == {"second values": 1}


def test_errors_have_two_types_but_reference_one_job() -> None:
    told = story()
    told.error("something", job="http://j/1")
    assert told.verdict().clean
    told.history.records[-1].values["references"].append("http://j/2")
    assert told.flagged() == {"second values": 1}


# -- tasks that were run twice ---------------------------------------------------------------------


def rerun(*, process: int, sent: float, applied: float) -> Story:
    """Tick 50's job is written once more, and its task run once more."""
    told = story()
    job, task = (f"http://redpencil.data.gift/id/{what}/DUMP-50" for what in ("job", "task"))
    told.attempt([job, f"{task}-0"], sent, applied, process)
    told.run(f"{task}-0", 51.2, 55)
    told.life(process=1)
    return told


def test_a_task_that_was_run_twice_is_flagged() -> None:
    assert rerun(process=0, sent=53, applied=53.1).flagged() == {"run twice": 1}


def test_it_is_flagged_though_nobody_wrote_it_twice() -> None:
    told = story()
    told.run("http://redpencil.data.gift/id/task/DUMP-50-0", 51.2, 55)
    assert told.flagged() == {"run twice": 1}


def test_a_twin_that_a_slow_store_served_late_is_a_limit() -> None:
    told = rerun(process=1, sent=50.1, applied=53)
    assert told.verdict().clean
    assert len(told.verdict().limits["run twice, by twins and a slow store"]) == 1


@pytest.mark.parametrize(("sent", "applied"), [(50.1, 51.0), (52.5, 54)])
def test_a_twin_that_the_store_served_at_once_or_that_could_know_is_flagged(
    sent: float, applied: float
) -> None:
    told = rerun(process=1, sent=sent, applied=applied)
    told.history.works[0].at -= 0.3
    assert told.flagged() == {"run twice": 1}


def test_no_twin_keeps_up_with_an_adversarial_consumer() -> None:
    told = rerun(process=1, sent=50.1, applied=50.3)
    told.history.works[0].at -= 1.1
    assert told.flagged() == {"run twice": 1}
    told.history.adversarial = True
    assert told.verdict().clean


@pytest.mark.parametrize(("process", "flags"), [(0, {}), (1, {"run twice": 1})])
def test_what_another_process_cleaned_may_come_back(process: int, flags: dict[str, int]) -> None:
    told = rerun(process=1, sent=54, applied=54.1)
    told.call("DELETE", 53, process=process)
    assert told.flagged() == flags


def test_a_later_start_may_sync_again_what_was_cleaned() -> None:
    told = healed()
    told.job(10, kind=Kind.HEALING, seen=11)
    job, task = (f"http://redpencil.data.gift/id/{what}/SYNC-3.5" for what in ("job", "task"))
    told.attempt([job, f"{task}-0"], sent=14, applied=14.1)
    told.run(f"{task}-0", 4.5, 15.2)
    assert told.flagged() == {"run twice": 1}
    told.call("DELETE", 12, Kind.SYNC)
    assert told.verdict().clean


# -- what was active together ----------------------------------------------------------------------


def healed() -> Story:
    """A stream whose initial sync is done at second 9."""
    told = Story(HEALED, horizon=14)
    told.life()
    told.job(3.5, kind=Kind.SYNC, done=9, process=0)
    return told


def test_an_initial_sync_then_a_healing_then_a_dump() -> None:
    told = healed()
    told.job(10, kind=Kind.HEALING, seen=11)
    assert told.verdict().clean


@pytest.mark.parametrize(("synced", "early"), [(9, 0), (11.0, 0), (13, 1)])
def test_a_healing_before_the_initial_sync_succeeded_is_flagged(synced: float, early: int) -> None:
    told = healed()
    told.history.records[0].succeeded = [span(synced - 0.2, synced, 200, None)]
    told.history.records[0].active = [span(3, 3.2, 5, 6)]
    told.job(10, kind=Kind.HEALING, seen=11)
    assert told.flagged().get("healing too early", 0) == early


def test_a_sync_may_be_deleted_while_the_healing_is_on_its_way() -> None:
    told = healed()
    told.history.records[0].succeeded = [span(8.9, 9, 9.8, 10)]
    told.job(10, kind=Kind.HEALING, seen=13.5, sent=10.1, applied=13.4)
    assert told.verdict().clean


def test_a_second_initial_sync_after_a_success_is_flagged() -> None:
    told = healed()
    told.job(10, kind=Kind.HEALING)
    told.job(12.3, kind=Kind.SYNC)
    assert told.flagged()["duplicated"] == 1


def beside(*, sent: float, process: int = 0, held_until: float = 12) -> Story:
    """A dump of second 5 that is held busy, and a healing that is sent at some time."""
    told = Story(HEALED, horizon=14)
    told.life(ready=0)
    told.life(process=1)
    told.job(1.5, kind=Kind.SYNC, done=3)
    told.job(5, seen=9.1, done=held_until, sent=9, applied=9.05)
    told.job(10, kind=Kind.HEALING, seen=sent + 0.2, sent=sent, process=process)
    told.tells(14, "tick {14} supersedes 1 earlier ones since {0}")
    return told


@pytest.mark.parametrize("process", [0, 1])
def test_a_job_beside_an_active_one_is_flagged(process: int) -> None:
    assert beside(sent=11, process=process).flagged() == {"two active": 1}


def test_what_the_consumer_finished_in_the_meantime_is_no_obstacle() -> None:
    assert beside(sent=11, held_until=10.8).verdict().clean


def test_twins_of_one_second_cannot_know_of_each_other() -> None:
    told = beside(sent=10, process=1)
    assert told.verdict().clean
    assert len(told.verdict().limits["two active, neither could know"]) == 1


def test_a_process_knows_what_it_created_a_moment_ago() -> None:
    assert beside(sent=10).flagged() == {"two active": 1}


def test_a_process_knows_what_it_sent_and_nobody_answered() -> None:
    told = beside(sent=10)
    told.history.attempts[1].applied = told.history.attempts[2].sent + 1
    assert told.flagged() == {"two active": 1}


def test_a_job_by_request_stands_in_the_way_but_waits_for_nothing() -> None:
    told = beside(sent=11)
    told.tells(11, f"created job {told.history.records[4].uri} by request", kind=Kind.HEALING)
    assert "two active" not in told.flagged()
    told = beside(sent=11)
    told.tells(9, f"created job {told.history.records[2].uri} by request")
    assert told.flagged()["two active"] == 1


# -- the other half of the promise -----------------------------------------------------------------


def test_a_tick_that_was_free_and_not_created_is_told() -> None:
    told = story(50)
    told.tells(60, "tick {60} supersedes 1 earlier ones since {50}")
    assert len(told.verdict().limits["free to be created, and was not"]) == 1
    told.call("POST", 50.5)
    assert not told.verdict().limits["free to be created, and was not"]


# -- the report ------------------------------------------------------------------------------------


def test_the_report_tells_what_is_flagged() -> None:
    told = story(50)
    report = Report("a title", told.history, told.verdict())
    assert report.text().startswith("a title\n")
    assert "unaccounted: dump of stream a: tick 1800000050" in report.text()
    assert report.text().endswith("NOT CLEAN: see the flags")
    content = json.loads(report.as_json())
    assert not content["clean"]
    assert content["table"]["ticks"] == len(TICKS)
    assert content["flags"]["unaccounted"] == ["dump of stream a: tick 1800000050"]


def test_a_history_can_be_kept() -> None:
    told = story(50)
    told.error("something")
    assert HISTORIES.validate_json(HISTORIES.dump_json(told.history)) == told.history


# -- independence ----------------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted((ROOT / "chaos").glob("*.py")), ids=lambda file: file.name)
def test_the_harness_shares_no_code_with_the_service(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(str(node.module).partition(".")[0])
    assert imported & SERVICE == set()


def test_the_stories_are_about_the_streams_they_name() -> None:
    assert [STREAM.who(kind) for kind in STREAM.kinds] == ["dump of stream a"]
