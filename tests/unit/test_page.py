"""What the status page shows, as text and as HTML."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, timedelta
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from tests.support import reports
from tests.support.reports import (
    NOW,
    active,
    diagnosis,
    job,
    kind,
    outcome,
    report_of,
    stream,
)
from web.page import render
from web.page.summary import RESULT_TONES, STATUS_TONES, Summary, of_stream, overall
from web.page.timeline import HEIGHTS
from web.status.report import JobStatus, Result, StatusReport, StoreReport

INVISIBLE = ("style", "title", "caption", "thead")
VOID = ("meta", "link", "input")
DOWN = StoreReport(
    endpoint=reports.ENDPOINT,
    reachable=False,
    problem=reports.REFUSED,
    history_problem=None,
    complete=True,
)


class Html(HTMLParser):
    """The parts of a page: its tags with their attributes, and the visible text."""

    def __init__(self, report: StatusReport) -> None:
        super().__init__()
        self.source = render.render(report, reports.BRUSSELS)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(self.source)
        self.close()
        assert self._open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not set(INVISIBLE) & set(self._open):
            self._texts.append(data)


# the service


def test_the_header_shows_version_uptime_time_zone_and_store() -> None:
    html = Html(report_of(stream()))
    assert html.text.startswith(
        "delta-producer-background-jobs-initiator 2.0.0 Working JSON Metrics"
        " Now Sat 2024-01-06 07:00:00 Europe/Brussels, UTC+01:00"
        " Up 3 d 4 h since Wed 2024-01-03 03:00"
        " Store answers http://database:8890/sparql no active jobs"
        " Service ready the schedules are armed"
    )
    assert {"/status", "/metrics"} <= {link["href"] for link in html.all("a")}


def test_a_service_that_is_not_ready_shows_why() -> None:
    html = Html(report_of(stream(), ready=False, problem="it waits for the store"))
    assert "Not ready JSON Metrics" in html.text
    assert "The service is not ready it waits for the store" in html.text


def test_a_service_that_is_ready_but_does_not_work_shows_why() -> None:
    html = Html(report_of(stream(), problem="the scheduler's thread is gone"))
    assert "Not working JSON Metrics" in html.text
    assert "The service does not work correctly the scheduler's thread is gone" in html.text


def test_a_file_that_changed_since_the_start_is_shown() -> None:
    html = Html(report_of(stream(), changed_files=("/config/<b>.json", "/config/x.json")))
    assert (
        "The configuration differs from what runs /config/<b>.json, /config/x.json: " in html.text
    )
    assert "If flask check accepts it, restart the service." in html.text
    assert "differs from what runs" not in Html(report_of(stream())).text


def test_an_unusual_origin_of_a_stream_is_shown() -> None:
    origin = "/config/<b>.json replaces startInitialSync"
    assert f"Configuration {origin}" in Html(report_of(stream(origin=origin))).text
    assert "Configuration" not in Html(report_of(stream())).text


def test_without_the_store_the_page_shows_what_the_process_knows() -> None:
    due = NOW + timedelta(hours=3, minutes=12)
    dump = kind(
        pattern="12 10 * * *",
        pattern_in_words="every day at 10:12",
        next_fire_time=due,
        coming=(due,),
        last_outcome=outcome("missed", reason="the store did not answer"),
    )
    text = Html(report_of(stream("public", dump, synced=None), store=DOWN)).text
    assert "The store does not answer, so jobs are not shown" in text
    assert f"without the store. {reports.REFUSED}" in text
    assert "every day at 10:12 12 10 * * * Sat 2024-01-06 10:12 in 3 h 12 min" in text
    assert "not known not known missed 1 h ago" in text
    assert "the store did not answer" in text
    assert "Synced unknown" in text


def test_a_service_without_streams_has_a_page() -> None:
    assert "No stream is configured." in Html(report_of()).text


def test_times_are_in_the_given_zone() -> None:
    text = render.render(report_of(time_zone="Etc/UTC"), UTC)
    assert "Sat 2024-01-06 06:00:00" in text
    assert "Etc/UTC, UTC+00:00" in text


# streams


def test_a_stream_is_shown_with_its_name_and_settings() -> None:
    text = Html(report_of(stream("public"), stream(None, synced=False))).text
    assert "public fine Synced yes Jobs graph http://mu.semte.ch/graphs/jobs" in text
    assert "the environment's stream not synced Synced no" in text
    assert "Error creator http://lblod.data.gift/services/initiator/public" in text


def test_a_disabled_kind_and_one_without_jobs_are_recognizable() -> None:
    text = Html(report_of(stream("public", kind("healing", enabled=False)))).text
    assert "initial sync enabled once, at the start none none none none since the start" in text
    assert "healing disabled none none none none none since the start" in text


def test_the_last_job_is_shown_and_the_last_success_if_that_was_another() -> None:
    done = Html(report_of(stream("public", kind(last_job=job("a"), last_success=NOW)))).text
    assert "success 1 h ago Sat 2024-01-06 06:00 a none since the start" in done
    failed = kind(last_job=job("b", "failed"), last_success=NOW - timedelta(days=2))
    text = Html(report_of(stream("public", failed))).text
    assert "failed 1 h ago Sat 2024-01-06 06:00 b last success Thu 2024-01-04 07:00" in text


def test_a_job_without_dates_is_shown() -> None:
    undated = job("a", created=None, modified=None)
    text = Html(report_of(stream("public", kind(last_job=undated)))).text
    assert "none success a none since the start" in text


@pytest.mark.parametrize("result", get_args(Result))
def test_every_outcome_is_shown_with_its_reason_and_job(result: str) -> None:
    last = outcome(result, reason="because", job="http://redpencil.data.gift/id/job/j")
    text = Html(report_of(stream("public", kind(last_outcome=last)))).text
    assert f"{result} 1 h ago tick of Sat 2024-01-06 06:00 because j" in text


def test_an_outcome_distinguishes_requests_and_ticks() -> None:
    called = kind("dump", last_outcome=outcome(tick=None))
    late = kind("healing", last_outcome=outcome(tick=NOW - timedelta(hours=3)))
    text = Html(report_of(stream("public", called, late))).text
    assert "1 h ago by request, Sat 2024-01-06 06:00" in text
    assert "1 h ago tick of Sat 2024-01-06 04:00" in text


def test_a_reason_shows_its_job_as_a_link_and_instants_in_the_zone() -> None:
    uri = "http://redpencil.data.gift/id/job/j"
    reason = f"missed since 2024-01-05T02:00:00+00:00: active: {uri} (busy)"
    waits = kind(last_outcome=outcome("waits", reason=reason, job=uri))
    html = Html(report_of(stream("public", waits)))
    assert "missed since Fri 2024-01-05 03:00: active: j (busy)" in html.text
    assert [link["href"] for link in html.all("a")].count(uri) == 1


@pytest.mark.parametrize("status", get_args(JobStatus))
def test_every_status_is_shown_as_text_and_as_a_bar(status: str) -> None:
    found = job("a", status)
    html = Html(report_of(stream("public", kind(last_job=found, recent=(found,)))))
    assert f"{status} 1 h ago" in html.text
    assert f"bar {status}" in [shape.get("class") for shape in html.all("rect")]


def test_every_status_and_result_has_a_colour() -> None:
    assert set(get_args(JobStatus)) == set(STATUS_TONES) == set(HEIGHTS)
    assert set(get_args(Result)) == set(RESULT_TONES)


# stuck jobs and summaries


def test_a_stuck_job_is_shown_at_the_top_with_what_to_do() -> None:
    stuck = active("j", trouble=diagnosis(message="busy for 9 hours"))
    text = Html(report_of(stream("public", kind(active=(stuck,))))).text
    assert text.index("1 job is stuck public , dump: no sign of life") < text.index("Jobs graph")
    assert "Busy for 9 hours busy stuck since Sat 2024-01-06 06:10 , 50 min ago http" in text
    steps = " ".join(reports.STEPS)
    assert f"http://redpencil.data.gift/id/job/j What to do {steps}" in text
    assert f"j : no sign of life {steps}" in text


def test_older_jobs_that_are_not_known_are_shown_as_such() -> None:
    slow = StoreReport(
        endpoint=reports.ENDPOINT,
        reachable=True,
        problem=None,
        history_problem="no answer in time",
        complete=True,
    )
    text = Html(report_of(stream("public", synced=None), store=slow)).text
    assert "older jobs are not known: no answer in time" in text
    assert "public fine Synced unknown" in text


def test_a_stuck_job_without_a_date_is_not_stuck_since_some_date() -> None:
    stuck = active("j", created=None, modified=None, trouble=diagnosis(since=None))
    text = Html(report_of(stream("public", kind(active=(stuck,))))).text
    assert "busy stuck; no date shows since when" in text
    assert "1970" not in text


def test_several_stuck_jobs_are_all_shown() -> None:
    stuck = tuple(active(name, trouble=diagnosis(message=f"about {name}")) for name in "ab")
    text = Html(report_of(stream("public", kind(active=stuck)))).text
    assert "2 jobs are stuck" in text
    assert "About a" in text
    assert "About b" in text


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        ({"active": (active(trouble=diagnosis()),)}, Summary("bad", "dump stuck")),
        ({"last_outcome": outcome("missed")}, Summary("bad", "dump missed")),
        ({"last_outcome": outcome("failed")}, Summary("bad", "dump failed")),
        ({"last_outcome": outcome("waits")}, Summary("warn", "dump waits")),
        ({"last_job": job("a", "failed")}, Summary("bad", "last dump failed")),
        ({"active": (active(status="scheduled"),)}, Summary("run", "dump scheduled")),
        ({}, Summary("good", "fine")),
    ],
    ids=lambda value: value.text if isinstance(value, Summary) else "",
)
def test_the_summary_of_a_stream_is_its_most_serious_fact(
    changes: dict[str, Any], summary: Summary
) -> None:
    quiet = kind("healing", last_outcome=outcome(), last_job=job())
    assert of_stream(stream("public", quiet, kind(**changes)), jobs_known=True) == summary


def test_a_stream_without_enabled_kinds_is_disabled_and_not_fine() -> None:
    off = stream("public", *(kind(slug, enabled=False) for slug in reports.KINDS))
    assert of_stream(off, jobs_known=True) == Summary("idle", "disabled")


def test_the_summary_of_the_service_is_its_most_serious_fact() -> None:
    bad = stream("public", kind(last_outcome=outcome("missed")))
    stuck = stream("public", kind(active=(active(trouble=diagnosis()),)))
    assert overall(report_of(stream())).text == "Working"
    assert overall(report_of(bad)).text == "1 stream needs attention"
    assert overall(report_of(bad, bad)).text == "2 streams need attention"
    assert overall(report_of(bad, stuck)).text == "1 job is stuck"
    assert overall(report_of(stuck, ready=False)).text == "Not ready"
    assert overall(report_of(stuck, ready=False, store=DOWN)).text == "The store does not answer"


# text from outside

HOSTILE = "</style></title></svg><script>alert('x')</script><i a=\"'{{ 1 }}&amp;\u202e"


def hostile(model: Any) -> Any:
    """Return the value with hostile text in place of every free text."""
    if isinstance(model, BaseModel):
        fixed = {"status", "kind", "result"}
        values = {key: getattr(model, key) for key in type(model).model_fields}
        changed = {key: hostile(value) for key, value in values.items() if key not in fixed}
        return model.model_copy(update=changed)
    if isinstance(model, tuple):
        return tuple(hostile(item) for item in model)
    return HOSTILE if isinstance(model, str) else model


def everything() -> StatusReport:
    """Return a report in which every field has a value."""
    found = kind(
        pattern="* * * * *",
        pattern_in_words="every minute",
        next_fire_time=NOW,
        coming=(NOW,),
        last_job=job(),
        last_success=NOW,
        last_outcome=outcome(reason="r", job="http://example.org/j"),
        active=(active(trouble=diagnosis()),),
        recent=(job(),),
    )
    return report_of(stream("public", found), stream("other"), problem="p", store=DOWN)


def test_hostile_text_stays_text_in_every_field() -> None:
    plain, attacked = Html(everything()), Html(hostile(everything()))
    assert attacked.text.count(HOSTILE) > 20
    assert "<script" not in attacked.source
    assert {tag for tag, _ in attacked.tags} <= {tag for tag, _ in plain.tags}
    names = {name for _, attributes in plain.tags for name in attributes}
    assert {name for _, attributes in attacked.tags for name in attributes} <= names


def test_a_tick_from_before_the_start_is_not_shown_as_one_without_a_job() -> None:
    passed = tuple(NOW - timedelta(hours=hours) for hours in (9, 3))
    day = report_of(stream("public", kind(passed=passed)), started=NOW - timedelta(hours=6))
    assert Html(day).source.count(": no job</title>") == 1


def test_a_page_with_a_lone_surrogate_can_be_sent() -> None:
    html = Html(report_of(stream("public", kind(last_job=job("a\ud800b")))))
    assert html.source.encode()
    assert "a?b" in html.text


@pytest.mark.parametrize(
    ("uri", "linked"),
    [
        ("http://example.org/job/1", True),
        ("HTTPS://example.org/", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        (" http://example.org", False),
        ("data:text/html,x", False),
        ("urn:job:1", False),
        ("//example.org", False),
        ("http:example.org", False),
        ("", False),
    ],
)
def test_only_http_addresses_become_links(uri: str, *, linked: bool) -> None:
    found = active("a", uri=uri, trouble=diagnosis())
    last = outcome(job=uri)
    html = Html(
        report_of(stream("public", kind(last_job=found, active=(found,), last_outcome=last)))
    )
    own = ("/status", "/metrics", "/public/")
    outside = [link for link in html.all("a") if link["href"] not in own]
    assert [link["href"] for link in outside] == [uri] * (5 if linked else 0)
    assert {link["rel"] for link in outside} <= {"noreferrer"}
    assert uri in html.source


# the document


def test_the_policy_allows_only_the_style_of_the_page() -> None:
    source = Html(report_of(stream())).source
    [style] = re.findall("<style>(.*?)</style>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert render.CONTENT_SECURITY_POLICY.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]


def test_the_page_loads_nothing_and_has_no_script_and_no_other_style() -> None:
    html = Html(everything())
    tags = {tag for tag, _ in html.tags}
    assert not tags & {"script", "img", "iframe", "form", "object", "embed", "base"}
    attributes = [name for _, found in html.tags for name in found]
    assert "style" not in attributes
    assert not [name for name in attributes if name.startswith("on")]
    assert "url(" not in html.source
    assert "@import" not in html.source
    [icon] = html.all("link")
    assert str(icon["href"]).startswith("data:image/svg+xml,")


def test_the_page_reloads_itself_and_fits_a_phone() -> None:
    html = Html(report_of())
    assert {"http-equiv": "refresh", "content": "30"} in html.all("meta")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in html.all(
        "meta"
    )
    assert html.all("html") == [{"lang": "en"}]


def test_a_screen_reader_finds_headings_tables_and_timelines() -> None:
    html = Html(everything())
    assert len(html.all("h1")) == 1
    assert len(html.all("caption")) == len(html.all("table")) == 2
    assert {cell["scope"] for cell in html.all("th")} == {"col", "row"}
    timelines = [shape for shape in html.all("svg") if shape.get("aria-hidden") != "true"]
    assert [shape["aria-label"] for shape in timelines] == [
        "public: jobs of the last 24 hours and ticks of the next",
        "other: jobs of the last 24 hours and ticks of the next",
    ]
    identifiers = [found["id"] for _, found in html.tags if "id" in found]
    assert len(identifiers) == len(set(identifiers))
    references = [found["aria-labelledby"] for _, found in html.tags if "aria-labelledby" in found]
    assert set(references) <= set(identifiers)


def test_fifty_streams_with_full_lists_are_rendered_whole() -> None:
    recent = tuple(job(str(n), created=NOW - timedelta(minutes=14 * n)) for n in range(100, 0, -1))
    coming = tuple(NOW + timedelta(minutes=14 * n) for n in range(1, 101))
    passed = tuple(NOW - timedelta(minutes=14 * n) for n in range(100, 0, -1))
    lists = {"recent": recent, "coming": coming, "passed": passed}
    full = [kind(slug, **lists) for slug in reports.KINDS]
    report = report_of(*(stream(str(number), *full) for number in range(50)))
    source = render.render(report, reports.BRUSSELS)
    assert source.count('class="bar success"') == 50 * 300 + 1
    assert source.count('class="tick"') == 50 * 300 + 1
