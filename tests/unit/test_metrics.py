"""The metrics, read with the official parser of Prometheus's text format."""

from __future__ import annotations

import contextlib
import platform
import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from jobs.events import Event, Result
from jobs.model import JobKind, Status, Trigger
from jobs.store import Deadline, StoreError, StoreUnavailable
from settings.version import VERSION
from sparql.client import SparqlClient
from tests.support.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    TestClock,
    at,
    job_of,
    stream_of,
)
from tests.support.canned import Canned, answer
from tests.support.web import HOUR, WebHarness, event_of, stuck_dump
from web.metrics import LATENESS_BUCKETS, Metrics

SECOND = timedelta(seconds=1)
UNITS = ("_seconds", "_bytes", "_total", "_info")
OURS = "initiator_"
# Ends of names of gauges that count things or are 0 or 1, and so have no unit.
COUNTED_THINGS = ("_jobs", "_ready", "_reachable", "_fds", "_failed")


@dataclass(frozen=True)
class Scrape:
    """The families of one answer."""

    families: list[Metric]

    @classmethod
    def of(cls, text: bytes | str) -> Scrape:
        text = text if isinstance(text, str) else text.decode()
        return cls(list(text_string_to_metric_families(text)))

    def value(self, sample: str, **labels: str) -> float | None:
        """Return the value of the one series of this name and these labels."""
        found = [
            one.value
            for family in self.families
            for one in family.samples
            if one.name == OURS + sample and one.labels == labels
        ]
        assert len(found) <= 1
        return found[0] if found else None

    def series(self, sample: str) -> dict[tuple[str, ...], float]:
        """Return all series of a name that are not zero, by the values of their labels."""
        return {
            tuple(one.labels.values()): one.value
            for family in self.families
            for one in family.samples
            if one.name == OURS + sample and one.value
        }


@dataclass
class Scraped(WebHarness):
    """The application on a store in memory, scraped like Prometheus does."""

    def scrape(self) -> Scrape:
        self.clock.elapsed += 10  # the store is read once a second at most
        reply = self.client.get("/metrics")
        assert reply.status_code == 200
        return Scrape.of(reply.text)


def counted(*events: Event) -> Scrape:
    metrics = Metrics()
    for event in events:
        metrics.note(event)
    return Scrape.of(metrics.text()[0])


# counts


@pytest.mark.parametrize(
    "result", [Result.CREATED, Result.DONE, Result.SUPERSEDED, Result.MISSED, Result.CLEANED]
)
def test_ticks_are_counted_by_kind_and_outcome(result: Result) -> None:
    seen = counted(event_of(result), event_of(result, stream=stream_of(None), kind=HEALING))
    assert seen.series("ticks_total") == {
        ("dump", result.value): 1,
        ("healing", result.value): 1,
    }


def test_one_superseded_event_may_count_many_ticks() -> None:
    seen = counted(event_of(Result.SUPERSEDED, count=71), event_of(Result.SUPERSEDED))
    assert seen.value("ticks_total", kind="dump", outcome="superseded") == 72


def test_ticks_that_are_still_due_and_calls_are_not_counted_as_ticks() -> None:
    seen = counted(
        event_of(Result.WAITS),
        event_of(Result.REFUSED, Trigger.REQUEST),
        event_of(Result.CREATED, Trigger.REQUEST),
        event_of(Result.CLEANED, Trigger.REQUEST),
        event_of(Result.FAILED, Trigger.REQUEST),
    )
    assert seen.series("ticks_total") == {}


@pytest.mark.parametrize("trigger", Trigger, ids=lambda trigger: trigger.name)
def test_jobs_are_counted_by_trigger(trigger: Trigger) -> None:
    seen = counted(event_of(Result.CREATED, trigger), event_of(Result.DONE, trigger))
    assert seen.series("jobs_created_total") == {("dump", trigger.value): 1}


def test_every_series_begins_at_zero() -> None:
    """A rate would miss the first count of a series that only begins with it."""
    seen = counted()
    for kind in ("initial-sync", "healing", "dump"):
        assert seen.value("ticks_total", outcome="missed", kind=kind) == 0
        assert seen.value("jobs_created_total", trigger="request", kind=kind) == 0
        assert seen.value("creation_lateness_seconds_count", kind=kind) == 0


def test_lateness_is_a_histogram_in_seconds() -> None:
    late, other = [0.2, 3, 90, 100_000, -5], stream_of("other")
    events = [event_of(Result.CREATED, lateness=s * SECOND) for s in late[1:]]
    seen = counted(*events, event_of(Result.CREATED, stream=other, lateness=late[0] * SECOND))
    buckets = {
        bound: seen.value("creation_lateness_seconds_bucket", le=bound, kind="dump")
        for bound in ("0.5", "2.0", "5.0", "60.0", "300.0", "86400.0", "+Inf")
    }
    assert [*buckets.values()] == [2, 2, 3, 3, 4, 4, 5]
    assert seen.value("creation_lateness_seconds_count", kind="dump") == 5
    assert seen.value("creation_lateness_seconds_sum", kind="dump") == 100_093.2
    assert tuple(sorted(LATENESS_BUCKETS)) == LATENESS_BUCKETS


def test_requests_to_the_store_are_counted_by_outcome_with_their_duration() -> None:
    metrics = Metrics()
    metrics.observe("query", "ok", 0.02)
    metrics.observe("query", "ok", 0.2)
    metrics.observe("update", "TimedOut", 60)
    seen, name = Scrape.of(metrics.text()[0]), "sparql_request_duration_seconds"
    assert seen.series(name + "_count") == {("query", "ok"): 2, ("update", "TimedOut"): 1}
    assert seen.value(name + "_sum", kind="update", outcome="TimedOut") == 60
    assert seen.value(name + "_bucket", kind="query", outcome="ok", le="0.025") == 1


@pytest.mark.parametrize(
    ("raw", "outcome"),
    [
        (answer(body=b'{"results": {"bindings": []}}'), "ok"),
        (answer(400), "Rejected"),
        (answer(503), "Unreachable"),
        (answer(body=b"<html>", headers={"Content-Type": "text/html"}), "BadAnswer"),
        (b"\0", "Unreachable"),
    ],
)
def test_real_requests_appear_in_the_metrics(raw: bytes, outcome: str) -> None:
    metrics = Metrics()
    with Canned(raw) as server:
        url = server.endpoint
        client = SparqlClient(
            query_url=url, update_url=url, new_id=lambda: "a", observe=metrics.observe
        )
        for send, text in ((client.query_once, "ASK {}"), (client.update, "INSERT DATA {}")):
            with contextlib.suppress(StoreError):
                send(text, Deadline.after(10, lambda: 0.0))
    seen = Scrape.of(metrics.text()[0]).series("sparql_request_duration_seconds_count")
    assert seen == {("query", outcome): 1, ("update", outcome): 1}


def test_lateness_counts_from_the_fire_time() -> None:
    six = at("2024-01-06T06:00")
    stream = stream_of(patterns={DUMP: "0 6 * * *"}, disabled=[INITIAL_SYNC])
    scraped = Scraped((stream,), TestClock(now=six - HOUR))
    for late in (2, 4):
        scraped.clock.move_to(six + late * SECOND)
        scraped.domain.confirmation.confirm()
        scraped.domain.reconciler.reconcile(stream)
    seen = scraped.scrape()
    assert seen.series("ticks_total") == {("dump", "created"): 1}
    assert seen.series("jobs_created_total") == {("dump", "tick"): 1}
    assert seen.value("creation_lateness_seconds_sum", kind="dump") == 2


def test_a_job_by_request_is_counted() -> None:
    scraped = Scraped()
    scraped.client.post("/public/dump-publication-graph-jobs")
    scraped.client.post("/public/healing-jobs")
    assert scraped.scrape().series("jobs_created_total") == {("dump", "request"): 1}


# gauges of the status


def test_active_and_stuck_jobs_and_the_last_success() -> None:
    then = NOW - 2 * HOUR
    scraped = Scraped((stream_of(), stream_of(None)))
    scraped.store.add(
        stuck_dump(),
        job_of(DUMP, uri="urn:bare", created=then),
        job_of(DUMP, Status.SCHEDULED, created=NOW),
        job_of(DUMP, stream=None, uri="urn:unnamed", created=NOW),
        job_of(HEALING, created=NOW),
        job_of(DUMP, Status.SUCCESS, created=then - HOUR),
        job_of(DUMP, Status.FAILED, created=then),
    )
    scraped.scan_twice()
    seen = scraped.scrape()
    assert seen.series("active_jobs") == {("dump",): 4, ("healing",): 1}
    assert seen.value("active_jobs", kind="initial-sync") == 0
    assert seen.series("stuck_jobs") == {
        ("no task", "dump", "public"): 1,
        ("task never picked up", "dump", "public"): 1,
    }
    assert seen.series("last_success_timestamp_seconds") == {
        ("dump", "public"): (then - HOUR).timestamp()
    }


def test_a_kind_without_a_schedule_has_no_last_success() -> None:
    """It runs once or by request, so that no age of it is too old."""
    scraped = Scraped((stream_of(disabled=[DUMP]),))
    scraped.store.add(*(job_of(kind, Status.SUCCESS, created=NOW) for kind in JobKind))
    assert {*scraped.scrape().series("last_success_timestamp_seconds")} == {("healing", "public")}


def test_a_newest_job_that_failed_is_shown_until_a_newer_one_exists() -> None:
    scraped = Scraped()
    scraped.store.add(job_of(DUMP, Status.FAILED, created=NOW - HOUR))
    assert scraped.scrape().series("newest_job_failed") == {("dump", "public"): 1}
    scraped.store.add(job_of(DUMP, Status.SCHEDULED, created=NOW))
    assert scraped.scrape().series("newest_job_failed") == {}


def test_a_tick_that_waits_is_shown_with_its_fire_time_until_it_ends() -> None:
    scraped = Scraped()
    scraped.domain.events.record(event_of(Result.WAITS, tick=NOW - HOUR))
    assert scraped.scrape().series("waiting_tick_timestamp_seconds") == {
        ("dump", "public"): (NOW - HOUR).timestamp()
    }
    scraped.domain.events.record(event_of(Result.DONE))
    assert scraped.scrape().series("waiting_tick_timestamp_seconds") == {}


def test_the_time_of_the_last_missed_tick_is_known_by_stream() -> None:
    assert counted(event_of(Result.WAITS)).series("last_missed_timestamp_seconds") == {}
    missed = [event_of(Result.MISSED, at=NOW + hours * HOUR) for hours in (0, 1)]
    other = event_of(Result.MISSED, stream=stream_of(None), kind=HEALING)
    seen = counted(*missed, other, event_of(Result.CREATED, at=NOW + 2 * HOUR))
    assert seen.series("last_missed_timestamp_seconds") == {
        ("dump", "public"): (NOW + HOUR).timestamp(),
        ("healing", "-"): NOW.timestamp(),
    }


def test_a_success_is_overdue_after_two_ticks_without_one() -> None:
    """The dump is due on Saturdays at 6, and now it is Saturday noon."""
    patterns = {DUMP: "0 6 * * 6", HEALING: "0 4 * * *"}
    scraped = Scraped((stream_of(patterns=patterns),), TestClock(now=at("2024-01-20T12:00")))
    scraped.store.add(
        job_of(DUMP, Status.SUCCESS, created=at("2024-01-06T06:00")),
        job_of(HEALING, Status.SUCCESS, created=at("2024-01-19T04:00")),
    )
    assert scraped.scrape().series("success_overdue_seconds") == {
        ("dump", "public"): timedelta(days=7, hours=6).total_seconds()
    }
    scraped.store.add(job_of(DUMP, Status.SUCCESS, uri="urn:last", created=at("2024-01-20T06:00")))
    assert scraped.scrape().series("success_overdue_seconds") == {}


def test_without_any_success_the_time_counts_from_the_start() -> None:
    patterns = {DUMP: "0 6 * * *"}
    scraped = Scraped((stream_of(patterns=patterns),), TestClock(now=at("2024-01-06T12:00")))
    assert scraped.scrape().series("success_overdue_seconds") == {}
    scraped.clock.now = at("2024-01-08T06:30")
    assert scraped.scrape().series("success_overdue_seconds") == {
        ("dump", "public"): timedelta(days=1, minutes=30).total_seconds()
    }


def test_the_build_names_both_versions() -> None:
    seen = Scraped().scrape()
    versions = {"version": VERSION, "python_version": platform.python_version()}
    assert seen.value("build_info", **versions) == 1


def test_readiness_is_one_or_zero() -> None:
    assert Scraped().scrape().value("ready") == 1
    assert Scraped(ready=False).scrape().value("ready") == 0


FROM_THE_STORE = (
    *("active_jobs", "stuck_jobs", "newest_job_failed"),
    *("last_success_timestamp_seconds", "success_overdue_seconds"),
)


def test_gauges_from_a_store_that_does_not_answer_are_left_out() -> None:
    """A zero would mean that no job is stuck, and would end an alert that is still right."""
    scraped = Scraped()
    scraped.store.add(job_of(DUMP, created=NOW), job_of(HEALING, Status.SUCCESS, created=NOW))
    scraped.domain.events.record(event_of(Result.WAITS))
    scraped.store.failures["current"] = [StoreUnavailable("away", sent=False)]
    down, up = scraped.scrape(), scraped.scrape()
    assert (down.value("store_reachable"), up.value("store_reachable")) == (0, 1)
    names = {family.name for family in down.families}
    assert names.isdisjoint(OURS + name for name in FROM_THE_STORE)
    assert {family.name for family in up.families} > {OURS + name for name in FROM_THE_STORE}
    waiting = "waiting_tick_timestamp_seconds"
    assert down.series(waiting) == up.series(waiting) != {}
    assert down.value("ticks_total", kind="dump", outcome="done") == 0


# format


@pytest.fixture
def complete() -> Scrape:
    scraped = Scraped((stream_of(None), stream_of()))
    scraped.store.add(job_of(DUMP, Status.SUCCESS, created=NOW))
    return scraped.scrape()


def test_names_follow_the_conventions(complete: Scrape) -> None:
    for family in complete.families:
        assert re.fullmatch("[a-z][a-z0-9_]*[a-z0-9]", family.name)
        assert family.documentation.strip()
        assert family.type in ("counter", "gauge", "histogram")
        for sample in family.samples:
            assert all(re.fullmatch("[a-z_]+", label) for label in sample.labels)
        for sample in family.samples:
            assert (family.type == "counter") is sample.name.endswith("_total")
        if family.name.startswith(OURS) and family.type != "counter":
            assert family.name.endswith((*UNITS, *COUNTED_THINGS)), family.name


def test_each_family_and_each_series_appears_once(complete: Scrape) -> None:
    names = [family.name for family in complete.families]
    series = [
        (sample.name, *sorted(sample.labels.items()))
        for family in complete.families
        for sample in family.samples
    ]
    assert len(names) == len({*names})
    assert len(series) == len({*series})
    samples = {sample.name for family in complete.families for sample in family.samples}
    assert not {name for name in samples if name.endswith("_created")}, (
        "the times at which counts began"
    )


def test_the_usual_metrics_of_a_process_are_there(complete: Scrape) -> None:
    names = {family.name for family in complete.families}
    assert {"process_resident_memory_bytes", "process_start_time_seconds"} <= names
    assert {"process_cpu_seconds", "python_gc_collections"} <= names


def test_special_characters_in_a_name_are_escaped() -> None:
    name = 'a "b"\n\\c{}'
    scraped = Scraped((stream_of(name),))
    scraped.domain.events.record(event_of(Result.WAITS, stream=scraped.streams[0]))
    seen = scraped.scrape()
    assert seen.value("waiting_tick_timestamp_seconds", stream=name, kind="dump")


def test_two_sets_of_metrics_are_independent() -> None:
    one, other = Metrics(), Metrics()
    one.note(event_of(Result.DONE))
    assert Scrape.of(one.text()[0]).series("ticks_total")
    assert not Scrape.of(other.text()[0]).series("ticks_total")


def test_the_store_is_read_only_at_a_scrape() -> None:
    scraped = Scraped()
    assert not scraped.store.calls
    scraped.scrape()
    assert scraped.store.calls == ["current", "newest"]


# the format that a scraper asks for

TEXT = "text/plain; version=0.0.4; charset=utf-8"
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, TEXT),
        ("*/*", TEXT),
        ("text/html,*/*;q=0.8", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("text/plain;version=none", TEXT),
        ("application/openmetrics-text;version=x", TEXT),
        ("text/plain;version=1.0.0", "text/plain; version=1.0.0; charset=utf-8"),
        ("text/plain;version=1.0.0;escaping=x", "text/plain; version=1.0.0; charset=utf-8"),
        (PROMETHEUS_2, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ],
)
def test_the_format_is_the_old_one_unless_more_is_asked_for(
    accept: str | None, content_type: str
) -> None:
    answer = Scraped().client.get("/metrics", headers={"Accept": accept} if accept else {})
    assert answer.headers["Content-Type"].partition("; escaping")[0] == content_type
    assert answer.headers["Vary"] == "Accept"
    assert answer.text.endswith("# EOF\n") is content_type.startswith("application/openmetrics")
