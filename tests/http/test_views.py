"""The calls that only read: page, status, health, metrics, and how each of them fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from markupsafe import escape
from prometheus_client.parser import text_string_to_metric_families

from jobs.events import Result
from jobs.model import Status, Stream, Trigger
from jobs.store import StoreUnavailable
from tests.support.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    TASK_OPERATIONS,
    at,
    job_of,
    operation,
    stream_of,
    task_of,
)
from tests.support.web import HOUR, WebHarness, error_detail, event_of, stuck_dump
from web.health import INTERNAL_ERROR

GREETING = "Hello from delta-producer-background-jobs-initiator :)"
BROWSERS = {
    "Firefox": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Chrome": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "a text browser": "text/html, text/plain;q=0.5",
    "in capitals": "TEXT/HTML",
}
OTHERS = {
    "curl and wget": "*/*",
    "nothing": "",
    "any text": "text/*",
    "JSON": "application/json",
    "an image": "image/avif,image/webp,*/*;q=0.8",
    "anything but HTML": "text/html;q=0, */*",
    "plain before HTML": "text/plain, text/html;q=0.9",
    "nonsense": "))",
}
VIEWS = ["/", "/public/", "/status", "/public/status", "/health/live", "/health/ready", "/metrics"]
VIEWS += ["/openapi.json"]


def harness_of(*streams: Stream, **more: Any) -> WebHarness:
    """Return a service with these streams, or with an unnamed one and two named ones."""
    default = (stream_of(None), stream_of("public"), stream_of("Posts"))
    return WebHarness(streams or default, **more)


def note(harness: WebHarness, result: Result, trigger: Trigger, **more: Any) -> None:
    """Let an event of the dumps of `public` happen."""
    harness.domain.events.record(event_of(result, trigger, **more))


def away() -> StoreUnavailable:
    return StoreUnavailable("no answer from http://database:8890/sparql: refused", sent=False)


# the greeting and the page


@pytest.mark.parametrize("accept", BROWSERS.values(), ids=BROWSERS)
def test_a_browser_gets_the_page(accept: str) -> None:
    answer = harness_of().client.get("/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1" in answer.text
    assert "public" in answer.text
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("accept", [None, *OTHERS.values()], ids=["no header", *OTHERS])
def test_other_clients_get_the_greeting(accept: str | None) -> None:
    harness = harness_of()
    answer = harness.client.get("/", headers={} if accept is None else {"Accept": accept})
    assert answer.status_code == 200
    assert answer.text == GREETING
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert not harness.store.calls


def test_there_is_a_page_while_the_store_is_away() -> None:
    harness = harness_of()
    harness.store.failures["current"] = [away()]
    answer = harness.client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "refused" in answer.text


# the page of a stream


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/public/", "public"),
        ("/public", "public"),
        ("/POSTS/", "Posts"),
        ("/-/", "the environment's stream"),
    ],
)
def test_every_stream_has_a_page_of_its_own(path: str, name: str) -> None:
    answer = harness_of().client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.text.count('<section class="stream"') == 1
    assert f"<bdi>{escape(name)}</bdi></h2>" in answer.text
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]


def test_a_stream_without_a_name_has_a_page_only_if_it_exists() -> None:
    answer = harness_of(stream_of()).client.get("/-/")
    assert "public" in error_detail(answer, 404, "Not Found")


@pytest.mark.parametrize("path", ["/healing-jobs", "/healing-jobs/"])
def test_the_path_of_a_call_is_no_page_of_a_stream(path: str) -> None:
    answer = harness_of().client.get(path)
    error_detail(answer, 405, "Method Not Allowed")
    assert "POST" in answer.headers["Allow"]


# the overview of many streams


def many(number: int = 11) -> WebHarness:
    return harness_of(*(stream_of(f"s{index}") for index in range(number)))


def test_many_streams_have_an_overview_with_a_search() -> None:
    client = many().client
    answer = client.get("/", headers={"Accept": "text/html"})
    assert 'href="/s7/"' in answer.text
    assert 'href="/s10/"' in answer.text
    found = client.get("/?search=+S1+fine", headers={"Accept": "text/html"})
    assert 'href="/s10/"' not in found.text, "it is not synced"
    found = client.get("/?search=S1++sync", headers={"Accept": "text/html"})
    assert [path for path in ("/s1/", "/s10/", "/s7/") if f'href="{path}"' in found.text] == [
        "/s1/",
        "/s10/",
    ]
    for one in (answer, found):
        assert "form-action 'self'" in one.headers["Content-Security-Policy"]
        assert "<svg" not in one.text


def test_few_streams_are_shown_in_full_unless_they_are_searched() -> None:
    client = many(10).client
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.text.count('<figure class="timeline">') == 10
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]
    found = client.get("/?search=s7", headers={"Accept": "text/html"})
    assert 'href="/s7/"' in found.text
    assert 'href="/s8/"' not in found.text


@pytest.mark.parametrize("search", ["%3Cscript%3E%22%27", "a" * 9000, "%ff%ed%a0%80", "%00%0a"])
def test_a_search_is_shown_as_text(search: str) -> None:
    answer = many().client.get(f"/?search={search}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "No stream matches." in answer.text
    assert "a" * 101 not in answer.text


# the status


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/status", [None, "public", "Posts"]),
        ("/status/", [None, "public", "Posts"]),
        ("/STATUS", [None, "public", "Posts"]),
        ("/public/status", ["public"]),
        ("/PUBLIC/Status/", ["public"]),
        ("/posts/status", ["Posts"]),
        ("/Posts/status", ["Posts"]),
        ("/-/status", [None]),
    ],
)
def test_the_status_of_all_streams_or_one(path: str, names: list[str | None]) -> None:
    assert [stream.name for stream in harness_of().status(path).streams] == names


@pytest.mark.parametrize("path", ["/pubic/status", "/health/status", "/pubic/", "/pubic"])
def test_the_answer_to_an_unknown_stream_lists_the_existing_ones(path: str) -> None:
    text = error_detail(harness_of().client.get(path), 404, "Not Found")
    assert path.split("/")[1] in text
    assert "public, Posts" in text


def test_a_name_that_is_not_utf_8_is_an_unknown_stream() -> None:
    assert "there is" in error_detail(
        harness_of().client.get("/%ff%ed%a0%80/status"), 404, "Not Found"
    )


def test_a_service_without_an_environments_stream_lists_its_named_ones() -> None:
    harness = harness_of(stream_of())
    assert [stream.name for stream in harness.status().streams] == ["public"]


def test_keys_are_stable_and_always_there() -> None:
    """Scripts read the keys, so a renamed one breaks a stack."""
    harness = harness_of()
    harness.store.add(job_of(DUMP, created=NOW, tasks=(task_of("a"),)))
    note(harness, Result.CREATED, Trigger.REQUEST)
    answer = harness.client.get("/public/status").json
    assert answer is not None
    (stream,) = answer["streams"]
    kind = stream["kinds"][2]
    job = {"uri", "status", "created", "modified"}
    assert answer.keys() == {
        *("version", "now", "started", "uptime_seconds", "time_zone", "ready", "problem"),
        *("changed_files", "store", "detailed", "streams"),
    }
    assert answer["store"].keys() == {
        *("endpoint", "reachable", "problem", "history_problem", "complete")
    }
    assert stream.keys() == {"name", "jobs_graph", "error_creator", "origin", "synced", "kinds"}
    assert [kind["kind"] for kind in stream["kinds"]] == ["initial-sync", "healing", "dump"]
    assert kind.keys() == {
        *("kind", "enabled", "job_operation", "task_operation", "task_operation_from"),
        *("pattern", "pattern_in_words"),
        *(
            "next_fire_time",
            "coming",
            "passed",
            "last_job",
            "last_success",
            "last_outcome",
            "active",
            "active_count",
            "stuck",
        ),
        "recent",
    }
    assert kind["last_job"].keys() == job
    assert kind["active"][0].keys() == job | {"trouble"}
    assert kind["last_outcome"].keys() == {"result", "at", "tick", "reason", "job"}
    assert all(stream["kinds"][0].keys() == one.keys() for one in stream["kinds"])


def test_facts_of_the_service() -> None:
    harness = harness_of()
    harness.clock.now += HOUR
    report = harness.status()
    assert report.now == NOW + HOUR
    assert report.started == NOW
    assert report.uptime_seconds == 3600
    assert report.time_zone == "Europe/Brussels"
    assert (report.ready, report.problem) == (True, None)
    assert report.store.model_dump() == {
        "endpoint": "http://database:8890/sparql",
        "reachable": True,
        "problem": None,
        "history_problem": None,
        "complete": True,
    }


def test_a_service_that_is_not_ready_shows_why() -> None:
    report = harness_of(ready=False).status()
    assert not report.ready
    assert "waits for the store" in (report.problem or "")
    report = harness_of(alive=False).status()
    assert not report.ready
    assert "thread has died" in (report.problem or "")


def test_settings_of_a_stream() -> None:
    patterns = {HEALING: "0 0 4 * * *", DUMP: "0 0 6 * * 6"}
    stream = stream_of("public", patterns=patterns, disabled=[HEALING], unconfigured=[DUMP])
    report = harness_of(stream).stream()
    assert report.jobs_graph == "http://mu.semte.ch/graphs/system/jobs"
    assert report.error_creator == "http://lblod.data.gift/services/initiator/public"
    sync, healing, dump = report.kinds
    assert (sync.enabled, sync.pattern, sync.next_fire_time, sync.coming) == (True, None, None, ())
    assert (healing.enabled, healing.pattern, healing.coming) == (False, None, ())
    assert healing.job_operation == operation(HEALING)
    assert (dump.enabled, dump.job_operation) == (False, None)
    assert dump.task_operation == TASK_OPERATIONS + "dump"
    assert dump.task_operation_from == "configuration"


def test_a_schedule_is_described_and_has_its_next_fire_time() -> None:
    dump = harness_of().kind(DUMP)
    assert dump.pattern == "0 0 6 * * 6"
    assert dump.pattern_in_words == "At 06:00 on Saturday"
    assert dump.next_fire_time == at("2024-01-13T06:00")
    assert dump.coming == (), "none within 24 hours"


@pytest.mark.parametrize(
    ("pattern", "count", "last"),
    [("0 0 * * * *", 24, NOW + 24 * HOUR), ("* * * * * *", 100, NOW + timedelta(seconds=100))],
)
def test_at_most_a_hundred_fire_times_of_a_day_are_listed(
    pattern: str, count: int, last: object
) -> None:
    coming = harness_of(stream_of(patterns={DUMP: pattern})).kind(DUMP).coming
    assert len(coming) == count
    assert coming[-1] == last


def test_at_most_a_hundred_jobs_of_a_day_are_listed_newest_last() -> None:
    harness = harness_of()
    minute = timedelta(minutes=1)
    harness.store.add(
        *(
            job_of(DUMP, Status.SUCCESS, uri=f"urn:{n}", created=NOW - n * minute)
            for n in range(150)
        ),
        job_of(DUMP, Status.FAILED, uri="urn:yesterday", created=NOW - 25 * HOUR),
    )
    recent = harness.kind(DUMP).recent
    assert [job.uri for job in recent] == [f"urn:{n}" for n in reversed(range(100))]
    assert not harness.kind(HEALING).recent


def test_the_last_job_and_the_last_success() -> None:
    harness = harness_of()
    harness.store.add(
        job_of(DUMP, Status.SUCCESS, created=NOW - 50 * HOUR),
        job_of(DUMP, Status.FAILED, created=NOW - 26 * HOUR, modified=NOW - 25 * HOUR),
        job_of(DUMP, Status.SUCCESS, None, uri="urn:other stream", created=NOW - HOUR),
    )
    dump = harness.kind(DUMP)
    assert dump.last_job
    assert (dump.last_job.status, dump.last_job.created) == ("failed", NOW - 26 * HOUR)
    assert dump.last_success == NOW - 50 * HOUR
    assert harness.kind(DUMP, None).last_success == NOW - HOUR
    assert harness.kind(HEALING).last_success is None


def test_the_outcome_of_a_call() -> None:
    harness = harness_of()
    assert harness.kind(DUMP).last_outcome is None
    assert harness.client.post("/public/dump-publication-graph-jobs").status_code == 200
    outcome = harness.kind(DUMP).last_outcome
    assert outcome
    (job,) = harness.store.created
    assert (outcome.result, outcome.tick, outcome.job) == ("created", None, job.uri)
    assert (outcome.at, outcome.reason) == (NOW, "")
    assert harness.kind(DUMP, None).last_outcome is None


def test_the_outcome_of_a_call_that_was_refused_or_failed() -> None:
    harness = harness_of()
    assert harness.client.post("/public/healing-jobs").status_code == 409
    outcome = harness.kind(HEALING).last_outcome
    assert outcome
    assert outcome.result == "refused"
    assert "HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false" in outcome.reason
    harness.store.failures["create"] = [away()]
    assert harness.client.post("/public/dump-publication-graph-jobs").status_code == 503
    outcome = harness.kind(DUMP).last_outcome
    assert outcome
    assert (outcome.result, outcome.reason) == ("failed", str(away()))


def test_the_outcome_of_a_delete_says_that_healings_wait() -> None:
    harness = harness_of()
    harness.store.add(job_of(INITIAL_SYNC, Status.SUCCESS, uri="urn:sync", created=NOW))
    answer = harness.client.delete("/public/initial-sync-jobs")
    assert answer.json == {"msg": "Sync job cleaned urn:sync"}
    outcome = harness.kind(INITIAL_SYNC).last_outcome
    assert outcome
    assert outcome.result == "cleaned"
    assert outcome.reason == (
        "jobs removed by request: 1; healings wait until an initial sync succeeds: POST"
        " /public/initial-sync-jobs to create one, or set HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false"
    )


def test_the_outcome_of_a_tick() -> None:
    harness = harness_of()
    note(harness, Result.WAITS, Trigger.TICK, tick=NOW - HOUR, reason="active: x", job="urn:x")
    outcome = harness.kind(DUMP).last_outcome
    assert outcome
    assert outcome.model_dump() == {
        "result": "waits",
        "at": NOW,
        "tick": NOW - HOUR,
        "reason": "active: x",
        "job": "urn:x",
    }


@pytest.mark.parametrize("result", Result, ids=lambda result: result.name)
def test_every_result_can_be_shown(result: Result) -> None:
    harness = harness_of()
    note(harness, result, Trigger.TICK)
    outcome = harness.kind(DUMP).last_outcome
    assert (outcome.result if outcome else "superseded") == result.value


@pytest.mark.parametrize("status", [*Status, None], ids=str)
def test_every_status_can_be_shown(status: Status | None) -> None:
    harness = harness_of()
    harness.store.add(replace(job_of(DUMP, created=NOW), status=status))
    job = harness.kind(DUMP).last_job
    assert job
    assert job.status == (status.value if status else "unknown")


def test_a_stuck_job_has_its_cause_and_a_remedy() -> None:
    harness = harness_of()
    harness.store.add(stuck_dump(), job_of(DUMP, uri="urn:fine", created=NOW))
    harness.scan_twice()
    stuck, fine = harness.kind(DUMP).active
    assert (stuck.uri, stuck.status, fine.uri, fine.trouble) == (
        *("urn:stuck", "busy"),
        *("urn:fine", None),
    )
    assert stuck.trouble
    assert stuck.trouble.cause == "task never picked up"
    assert stuck.trouble.since == NOW - HOUR
    assert "is scheduled since" in stuck.trouble.message
    assert "DELETE /public/dump-publication-graph-jobs" in stuck.trouble.remedy


def test_a_job_of_a_disabled_kind_is_shown() -> None:
    harness = harness_of(stream_of(disabled=[DUMP]))
    harness.store.add(job_of(DUMP, created=NOW))
    assert len(harness.kind(DUMP).active) == 1
    assert not harness.kind(DUMP).enabled


def test_while_the_store_is_away_facts_of_the_process_are_shown() -> None:
    harness = harness_of()
    harness.store.add(stuck_dump())
    note(harness, Result.WAITS, Trigger.TICK, tick=NOW, reason="store")
    harness.store.failures["current"] = [away()]
    report = harness.status("/public/status")
    assert report.ready
    assert (report.store.reachable, report.store.problem) == (False, str(away()))
    (stream,) = report.streams
    dump = stream.kinds[2]
    assert stream.synced is None
    assert (dump.last_job, dump.last_success, dump.active, dump.recent) == (None, None, (), ())
    assert dump.next_fire_time
    assert dump.last_outcome


@pytest.mark.parametrize("path", VIEWS)
def test_an_unexpected_error_of_the_store_is_logged_and_contained(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    harness = harness_of()
    monkeypatch.setattr(harness.store, "current", lambda *_: 1 / 0)
    monkeypatch.setattr(harness.store, "ping", lambda *_: 1 / 0)
    monkeypatch.setattr(harness.store, "newest", lambda *_: 1 / 0)
    answer = harness.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == (503 if path == "/health/ready" else 200)
    assert "zero" not in answer.text.lower()
    assert path != "/health/ready" or INTERNAL_ERROR in answer.text
    reads = path not in ("/health/live", "/openapi.json")
    assert ("ZeroDivisionError" in caplog.text) is reads


SURROGATE = "http://example.org/\ud800"


@pytest.mark.parametrize("path", ["/", "/status", "/public/status", "/metrics"])
def test_a_lone_surrogate_from_the_store_is_replaced(path: str) -> None:
    harness = harness_of()
    stuck = replace(
        stuck_dump(), uri=SURROGATE, tasks=(replace(stuck_dump().tasks[0], uri=SURROGATE),)
    )
    harness.store.add(stuck, job_of(HEALING, Status.SUCCESS, uri="\udfff", created=NOW))
    harness.scan_twice()
    note(harness, Result.WAITS, Trigger.TICK, reason=f"active: {SURROGATE}", job=SURROGATE)
    answer = harness.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    if path.endswith("status"):
        dump = harness.kind(DUMP)
        assert dump.active[0].uri == "http://example.org/?"
        assert dump.active[0].trouble
        assert dump.last_outcome
        assert dump.last_outcome.job == "http://example.org/?"
        assert dump.last_outcome.reason == "active: http://example.org/?"


def test_a_lone_surrogate_in_an_error_of_the_store_is_replaced() -> None:
    harness = harness_of()
    harness.store.failures["current"] = [StoreUnavailable("broken \ud800", sent=False)]
    assert harness.status().store.problem == "broken ?"
    harness.store.failures["ping"] = [StoreUnavailable("broken \ud800", sent=False)]
    assert harness.client.get("/health/ready").status_code == 503


# health


def test_liveness_needs_no_store() -> None:
    harness = harness_of(ready=False)
    answer = harness.client.get("/health/live")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert not harness.store.calls


def test_a_dead_scheduler_is_reported_with_what_to_do() -> None:
    harness = harness_of(alive=False)
    for path in ("/health/live", "/health/ready"):
        text = error_detail(harness.client.get(path), 503, "Service Unavailable")
        assert "thread has died" in text
        assert "restart the service" in text
    assert not harness.store.calls


def test_a_service_that_works_is_ready() -> None:
    harness = harness_of()
    answer = harness.client.get("/health/ready")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert harness.store.calls == ["ping"]


def test_a_service_without_its_store_is_not_ready() -> None:
    harness = harness_of()
    harness.store.failures["ping"] = [away()]
    answer = harness.client.get("/health/ready")
    assert error_detail(answer, 503, "Service Unavailable") == str(away())
    assert answer.headers["Retry-After"] == "5"
    assert harness.client.get("/health/ready").status_code == 200
    assert harness.client.get("/health/live").status_code == 200


def test_a_service_whose_schedules_are_not_armed_is_not_ready() -> None:
    harness = harness_of(ready=False)
    answer = harness.client.get("/health/ready")
    assert "waits for the store" in error_detail(answer, 503, "Service Unavailable")
    assert not harness.store.calls


# metrics and OpenAPI document


def test_metrics_are_in_prometheus_text_format() -> None:
    answer = harness_of().client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"initiator_ticks", "initiator_store_reachable"} <= names


def test_the_document_is_available_without_store_and_schedules() -> None:
    harness = harness_of(ready=False, alive=False)
    answer = harness.client.get("/openapi.json")
    assert answer.json is not None
    assert answer.json["openapi"] == "3.1.0"
    assert answer.headers["Content-Type"] == "application/json"
    assert not harness.store.calls


# common to all


@pytest.mark.parametrize("path", VIEWS)
def test_a_head_is_a_get_without_its_body(path: str) -> None:
    harness = harness_of()
    head, get = harness.client.head(path), harness.client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.data == b""
    ignored = {"Content-Length"}  # that of the metrics differs between two calls
    assert {*head.headers.items()} - {*get.headers.items()} <= {
        (name, head.headers[name]) for name in ignored
    }


@pytest.mark.parametrize("path", VIEWS)
def test_options_lists_the_methods(path: str) -> None:
    answer = harness_of().client.options(path)
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_the_answer_to_other_methods_lists_the_allowed_ones(path: str, method: str) -> None:
    harness = harness_of()
    answer = harness.client.open(path, method=method)
    error_detail(answer, 405, "Method Not Allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert not harness.store.calls


@pytest.mark.parametrize("path", [*VIEWS, "/nowhere", "/pubic/status"])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_every_answer_is_protected_from_other_pages(path: str, accept: str) -> None:
    answer = harness_of().client.get(path, headers={"Accept": accept})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Server" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/public/", "/status", "/public/status"])
def test_a_call_beyond_the_limit_is_refused(path: str) -> None:
    client = harness_of(max_views=0).client
    answer = client.get(path, headers={"Accept": "text/html"})
    assert "too many" in error_detail(answer, 503, "Service Unavailable")
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_monitoring_needs_none_of_the_places_of_pages(path: str) -> None:
    assert harness_of(max_views=0).client.get(path).status_code == 200
