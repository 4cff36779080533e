"""The page of many streams: what needs a person comes first, then one line for each stream."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support import reports
from tests.support.reports import active, diagnosis, job, kind, outcome, report_of, stream
from web.page import render
from web.page.overview import MAX_ATTENTION, MAX_LINES, overview
from web.status.report import StatusReport, StoreReport, StreamReport

STREAMS = 2000
MAX_PAGE = 300_000  # bytes
LONG_NAME = "besluiten-mandatarissen-{:04}"  # as long as those of real stacks
STUCK = kind(active=(active("j", trouble=diagnosis()),))
MISSED = kind("healing", last_outcome=outcome("missed", reason="the store did not answer"))
WAITS = kind("healing", last_outcome=outcome("waits", reason="active: http://example.org/j (busy)"))
FAILED = kind(last_job=job("j", "failed"))
RUNS = kind(active=(active("j"),))


def many(*streams: StreamReport, **more: Any) -> StatusReport:
    return report_of(*streams, detailed=False, **more)


def page(report: StatusReport, search: str = "") -> str:
    return render.render(report, reports.BRUSSELS, search)


def names(report: StatusReport, search: str = "") -> list[str | None]:
    return [line.stream.name for line in overview(report, search).lines]


MIXED = many(
    stream("fine"),
    stream("waits", WAITS),
    stream("failed", FAILED),
    stream("runs", RUNS),
    stream("stuck", STUCK),
    stream("missed", MISSED),
    stream(None, synced=False),
)


def test_streams_that_need_a_person_come_first_the_most_serious_one_first() -> None:
    shown = overview(MIXED, "")
    assert [(one.name, concern.summary.text) for one, concern in shown.attention] == [
        ("stuck", "dump stuck"),
        ("failed", "last dump failed"),
        ("missed", "healing missed"),
        ("waits", "healing waits"),
    ]
    assert names(MIXED) == ["fine", "waits", "failed", "runs", "stuck", "missed", None]
    assert shown.tally == "3 need attention, 1 wait, 1 run a job, 1 are idle, 1 are fine"


def test_the_page_shows_why_a_stream_needs_a_person_and_links_to_its_page() -> None:
    source = page(MIXED)
    attention, lines = source.split('<ul class="lines">')
    for text in ("no sign of life", "the store did not answer", "http://example.org/j (busy)"):
        assert text in attention
    for name in ("fine", "waits", "failed", "runs", "stuck", "missed", "-"):
        assert lines.count(f'href="/{name}/"') == 1
    assert attention.count('href="/missed/"') == 1
    assert '<b class="good">fine</b>' in lines
    assert "the environment&#39;s stream" in lines


def test_a_stream_that_works_is_not_in_the_list_of_those_that_need_a_person() -> None:
    source = page(many(stream("fine"), stream("runs", RUNS)))
    assert "need a person" not in source


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["fine", "waits", "failed", "runs", "stuck", "missed", None]),
        ("STUCK", ["stuck"]),
        ("ing w", ["waits"]),
        ("healing", ["waits", "missed"]),
        ("environment", [None]),
        ("healing stuck", []),
    ],
)
def test_a_search_finds_streams_by_words_of_name_and_state(
    search: str, found: list[str | None]
) -> None:
    assert names(MIXED, search) == found
    source = page(MIXED, search)
    assert (f"{len(found)} of 7 streams" in source) is bool(search)


def test_the_search_is_a_plain_form_that_keeps_its_words() -> None:
    (form,) = re.findall(r"<form.*?</form>", page(MIXED, 'a"b'), re.DOTALL)
    assert 'action="/"' in form
    assert "method" not in form
    assert 'name="search" value="a&#34;b"' in form


def test_the_page_says_how_many_are_left_out() -> None:
    left = 5
    source = page(many(*(stream(f"s{n}", MISSED) for n in range(MAX_LINES + left))))
    assert source.count('class="bad">healing missed</b>') == MAX_LINES
    assert f"And {left} more: search for them." in source
    assert f"And {MAX_LINES + left - MAX_ATTENTION:,} more, marked below." in source


def test_stuck_jobs_are_counted_also_where_they_are_not_listed() -> None:
    stuck = kind(
        active=(active("j", trouble=diagnosis()),), active_count=400, stuck={"no task": 300}
    )
    source = page(many(*(stream(f"s{n}", stuck) for n in range(20))))
    assert "6,000 jobs are stuck" in source
    assert "8,000 active jobs" in source
    assert source.count("What to do</b>") == render.MAX_STUCK_OF_MANY


def test_more_active_jobs_than_were_read_are_shown_as_such() -> None:
    cut = StoreReport(
        endpoint="http://db/sparql",
        reachable=True,
        problem=None,
        history_problem=None,
        complete=False,
    )
    full = kind(active=(active("j"),), active_count=5000)
    assert "5,000 or more active jobs" in page(many(stream("a", full), store=cut))
    detailed = page(report_of(stream("a", full), store=cut))
    assert "5,000 or more active jobs" in detailed
    assert "and 4,999 or more" in detailed
    assert "and 4,999 more" in page(report_of(stream("a", full)))


@pytest.mark.parametrize(
    "found",
    [(), (RUNS,), (WAITS,), (MISSED, FAILED), (STUCK, MISSED)],
    ids=["fine", "run", "wait", "missed and failed", "stuck and missed"],
)
def test_the_page_of_two_thousand_streams_stays_small(found: tuple[Any, ...]) -> None:
    report = many(*(stream(LONG_NAME.format(n), *found) for n in range(STREAMS)))
    source = page(report)
    assert source.count("<li><a href=") >= STREAMS
    assert len(source.encode()) < MAX_PAGE
    assert "<script" not in source
