"""What can be looked at: greeting and page, status, health, metrics, and how each of them fails."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobs.diagnosis import Patience
from jobs.journal import Event, Result
from jobs.model import Job, JobKind, Status, Stream, Trigger
from jobs.store import StoreUnavailable
from tests.builders import (
    DUMP,
    HEALING,
    NOW,
    TASK_OPERATIONS,
    World,
    at,
    job_of,
    operation,
    stream_of,
    task_of,
)
from tests.fakes import FakeJobStore
from tests.harness import Harness
from web.report import KindReport, StatusReport, StreamReport

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

GREETING = "Hello from delta-producer-background-jobs-initiator :)"
HOUR = timedelta(hours=1)
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
LOOKS = ["/", "/status", "/public/status", "/health/live", "/health/ready", "/metrics"]
LOOKS += ["/openapi.json"]


@dataclass
class Service:
    """The application on a store in memory."""

    streams: tuple[Stream, ...] = (stream_of(None), stream_of("public"), stream_of("Posts"))
    store: FakeJobStore = field(default_factory=FakeJobStore)
    ready: bool = True
    alive: bool = True

    def __post_init__(self) -> None:
        self.world = World(patience=Patience(pickup=HOUR))
        self.harness = Harness(self.streams, self.world, self.store, alive=self.alive)
        self.client: FlaskClient = self.harness.app(ready=self.ready).test_client()

    def status(self, path: str = "/status") -> StatusReport:
        answer = self.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        return StatusReport.model_validate_json(answer.text)

    def stream(self, name: str | None = "public") -> StreamReport:
        return next(stream for stream in self.status().streams if stream.name == name)

    def kind(self, kind: JobKind, name: str | None = "public") -> KindReport:
        return next(report for report in self.stream(name).kinds if report.kind == kind.slug)

    def note(self, result: Result, trigger: Trigger, **more: Any) -> None:
        stream = next(stream for stream in self.streams if stream.name == "public")
        fixed: dict[str, Any] = {"stream": stream, "kind": DUMP, "at": NOW}
        self.world.journal.note(Event(result=result, trigger=trigger, **fixed | more))


def detail(answer: TestResponse, status: int, title: str) -> str:
    """Check that the answer is a JSON:API error and return its detail."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    assert answer.json is not None
    (error,) = answer.json["errors"]
    assert (error["status"], error["title"]) == (str(status), title)
    text: str = error["detail"]
    return text


def away() -> StoreUnavailable:
    return StoreUnavailable("no answer from http://database:8890/sparql: refused", sent=False)


# the greeting and the page


@pytest.mark.parametrize("accept", BROWSERS.values(), ids=BROWSERS)
def test_a_browser_is_shown_the_page(accept: str) -> None:
    answer = Service().client.get("/", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1" in answer.text
    assert "public" in answer.text
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("accept", [None, *OTHERS.values()], ids=["no header", *OTHERS])
def test_everybody_else_is_greeted_as_ever(accept: str | None) -> None:
    service = Service()
    answer = service.client.get("/", headers={} if accept is None else {"Accept": accept})
    assert answer.status_code == 200
    assert answer.text == GREETING
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert not service.store.calls


def test_the_page_comes_while_the_store_is_away() -> None:
    service = Service()
    service.store.failures["active"] = [away()]
    answer = service.client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "refused" in answer.text


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
    ],
)
def test_the_status_of_all_streams_or_one(path: str, names: list[str | None]) -> None:
    assert [stream.name for stream in Service().status(path).streams] == names


@pytest.mark.parametrize("path", ["/pubic/status", "/health/status", "/-/status"])
def test_an_unknown_stream_is_answered_with_those_there_are(path: str) -> None:
    text = detail(Service().client.get(path), 404, "Not Found")
    assert path.split("/")[1] in text
    assert "public, Posts" in text


def test_a_name_that_is_no_text_is_answered_too() -> None:
    assert "there is" in detail(Service().client.get("/%ff%ed%a0%80/status"), 404, "Not Found")


def test_a_service_without_an_environments_stream_lists_its_named_ones() -> None:
    service = Service(streams=(stream_of("public"),))
    assert [stream.name for stream in service.status().streams] == ["public"]


def test_keys_are_stable_and_each_is_there_even_where_it_says_nothing() -> None:
    """Scripts read them: one that is renamed breaks somebody's stack."""
    service = Service()
    service.store.add(job_of(DUMP, created=NOW, tasks=(task_of("a"),)))
    service.note(Result.CREATED, Trigger.REQUEST)
    answer = service.client.get("/public/status").json
    assert answer is not None
    (stream,) = answer["streams"]
    kind = stream["kinds"][2]
    job = {"uri", "status", "created", "modified"}
    assert answer.keys() == {
        *("version", "now", "started", "uptime_seconds", "time_zone", "ready", "problem"),
        *("store", "streams"),
    }
    assert answer["store"].keys() == {"endpoint", "reachable", "problem"}
    assert stream.keys() == {"name", "jobs_graph", "error_creator", "synced", "kinds"}
    assert [kind["kind"] for kind in stream["kinds"]] == ["initial-sync", "healing", "dump"]
    assert kind.keys() == {
        *("kind", "enabled", "job_operation", "task_operation", "pattern", "pattern_in_words"),
        *(
            "next_fire_time",
            "coming",
            "passed",
            "last_job",
            "last_success",
            "last_outcome",
            "active",
        ),
        "recent",
    }
    assert kind["last_job"].keys() == job
    assert kind["active"][0].keys() == job | {"trouble"}
    assert kind["last_outcome"].keys() == {"result", "at", "tick", "reason", "job"}
    assert all(stream["kinds"][0].keys() == one.keys() for one in stream["kinds"])


def test_what_is_known_of_the_service() -> None:
    service = Service()
    service.world.now += HOUR
    report = service.status()
    assert report.now == NOW + HOUR
    assert report.started == NOW
    assert report.uptime_seconds == 3600
    assert report.time_zone == "Europe/Brussels"
    assert (report.ready, report.problem) == (True, None)
    assert report.store.model_dump() == {
        "endpoint": "http://database:8890/sparql",
        "reachable": True,
        "problem": None,
    }


def test_a_service_that_is_not_ready_says_why() -> None:
    report = Service(ready=False).status()
    assert not report.ready
    assert "waits for the store" in (report.problem or "")
    report = Service(alive=False).status()
    assert not report.ready
    assert "thread has died" in (report.problem or "")


def test_what_is_configured() -> None:
    patterns = {HEALING: "0 0 4 * * *", DUMP: "0 0 6 * * 6"}
    streams = (stream_of("public", patterns=patterns, disabled=[HEALING], unconfigured=[DUMP]),)
    report = Service(streams).stream()
    assert report.jobs_graph == "http://mu.semte.ch/graphs/system/jobs"
    assert report.error_creator == "http://lblod.data.gift/services/initiator/public"
    sync, healing, dump = report.kinds
    assert (sync.enabled, sync.pattern, sync.next_fire_time, sync.coming) == (True, None, None, ())
    assert (healing.enabled, healing.pattern, healing.coming) == (False, None, ())
    assert healing.job_operation == operation(HEALING)
    assert (dump.enabled, dump.job_operation) == (False, None)
    assert dump.task_operation == TASK_OPERATIONS + "dump"


def test_a_schedule_is_told_in_words_and_with_its_next_fire_time() -> None:
    dump = Service().kind(DUMP)
    assert dump.pattern == "0 0 6 * * 6"
    assert dump.pattern_in_words == "At 06:00 on Saturday"
    assert dump.next_fire_time == at("2024-01-13T06:00")
    assert dump.coming == (), "none within 24 hours"


@pytest.mark.parametrize(
    ("pattern", "count", "last"),
    [("0 0 * * * *", 24, NOW + 24 * HOUR), ("* * * * * *", 100, NOW + timedelta(seconds=100))],
)
def test_no_more_than_a_hundred_fire_times_of_a_day_are_listed(
    pattern: str, count: int, last: object
) -> None:
    coming = Service((stream_of(patterns={DUMP: pattern}),)).kind(DUMP).coming
    assert len(coming) == count
    assert coming[-1] == last


def test_no_more_than_a_hundred_jobs_of_a_day_are_listed_the_newest_last() -> None:
    service = Service()
    minute = timedelta(minutes=1)
    service.store.add(
        *(
            job_of(DUMP, Status.SUCCESS, uri=f"urn:{n}", created=NOW - n * minute)
            for n in range(150)
        ),
        job_of(DUMP, Status.FAILED, uri="urn:yesterday", created=NOW - 25 * HOUR),
    )
    recent = service.kind(DUMP).recent
    assert [job.uri for job in recent] == [f"urn:{n}" for n in reversed(range(100))]
    assert not service.kind(HEALING).recent


def test_the_last_job_and_the_last_success() -> None:
    service = Service()
    service.store.add(
        job_of(DUMP, Status.SUCCESS, created=NOW - 50 * HOUR),
        job_of(DUMP, Status.FAILED, created=NOW - 26 * HOUR, modified=NOW - 25 * HOUR),
        job_of(DUMP, Status.SUCCESS, None, uri="urn:other stream", created=NOW - HOUR),
    )
    dump = service.kind(DUMP)
    assert dump.last_job
    assert (dump.last_job.status, dump.last_job.modified) == ("failed", NOW - 25 * HOUR)
    assert dump.last_success == NOW - 50 * HOUR
    assert service.kind(DUMP, None).last_success == NOW - HOUR
    assert service.kind(HEALING).last_success is None


def test_the_outcome_of_a_persons_call() -> None:
    service = Service()
    assert service.kind(DUMP).last_outcome is None
    assert service.client.post("/public/dump-publication-graph-jobs").status_code == 200
    outcome = service.kind(DUMP).last_outcome
    assert outcome
    (job,) = service.store.created
    assert (outcome.result, outcome.tick, outcome.job) == ("created", None, job.uri)
    assert (outcome.at, outcome.reason) == (NOW, "")
    assert service.kind(DUMP, None).last_outcome is None


def test_the_outcome_of_a_call_that_was_refused_or_failed() -> None:
    service = Service()
    assert service.client.post("/public/healing-jobs").status_code == 409
    outcome = service.kind(HEALING).last_outcome
    assert outcome
    assert outcome.result == "refused"
    assert "HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false" in outcome.reason
    service.store.failures["state"] = [away()]
    assert service.client.post("/public/dump-publication-graph-jobs").status_code == 503
    outcome = service.kind(DUMP).last_outcome
    assert outcome
    assert (outcome.result, outcome.reason) == ("failed", str(away()))


def test_the_outcome_of_a_tick() -> None:
    service = Service()
    service.note(Result.WAITS, Trigger.TICK, tick=NOW - HOUR, reason="active: x", job="urn:x")
    outcome = service.kind(DUMP).last_outcome
    assert outcome
    assert outcome.model_dump() == {
        "result": "waits",
        "at": NOW,
        "tick": NOW - HOUR,
        "reason": "active: x",
        "job": "urn:x",
    }


@pytest.mark.parametrize("result", Result, ids=lambda result: result.name)
def test_every_result_can_be_told(result: Result) -> None:
    service = Service()
    service.note(result, Trigger.TICK)
    outcome = service.kind(DUMP).last_outcome
    assert (outcome.result if outcome else "superseded") == result.value


@pytest.mark.parametrize("status", [*Status, None], ids=str)
def test_every_status_can_be_told(status: Status | None) -> None:
    service = Service()
    service.store.add(replace(job_of(DUMP, created=NOW), status=status))
    job = service.kind(DUMP).last_job
    assert job
    assert job.status == (status.value if status else "unknown")


def stuck_dump() -> Job:
    then = NOW - 2 * HOUR
    return job_of(DUMP, uri="urn:stuck", created=then, tasks=(task_of("t", created=then),))


def test_an_active_job_comes_with_its_trouble_and_the_remedy() -> None:
    service = Service()
    service.store.add(stuck_dump(), job_of(DUMP, uri="urn:fine", created=NOW))
    for _ in range(2):
        service.harness.watchdog.look()
    stuck, fine = service.kind(DUMP).active
    assert (stuck.uri, stuck.status, fine.uri, fine.trouble) == (
        *("urn:stuck", "busy"),
        *("urn:fine", None),
    )
    assert stuck.trouble
    assert stuck.trouble.cause == "task never picked up"
    assert stuck.trouble.since == NOW - HOUR
    assert "is scheduled since" in stuck.trouble.message
    assert "DELETE /public/dump-publication-graph-jobs" in stuck.trouble.remedy


def test_a_job_of_a_disabled_kind_is_told_as_well() -> None:
    service = Service((stream_of(disabled=[DUMP]),))
    service.store.add(job_of(DUMP, created=NOW))
    assert len(service.kind(DUMP).active) == 1
    assert not service.kind(DUMP).enabled


def test_while_the_store_is_away_what_the_process_knows_is_told() -> None:
    service = Service()
    service.store.add(stuck_dump())
    service.note(Result.WAITS, Trigger.TICK, tick=NOW, reason="store")
    service.store.failures["newest"] = [away()]
    report = service.status("/public/status")
    assert report.ready
    assert (report.store.reachable, report.store.problem) == (False, str(away()))
    (stream,) = report.streams
    dump = stream.kinds[2]
    assert stream.synced is None
    assert (dump.last_job, dump.last_success, dump.active, dump.recent) == (None, None, (), ())
    assert dump.next_fire_time
    assert dump.last_outcome


@pytest.mark.parametrize("path", LOOKS)
def test_an_error_of_the_store_that_nobody_foresaw_takes_nothing_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    service = Service()
    monkeypatch.setattr(service.store, "active", lambda *_: 1 / 0)
    monkeypatch.setattr(service.store, "ping", lambda *_: 1 / 0)
    answer = service.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == (503 if path == "/health/ready" else 200)
    assert "zero" not in answer.text.lower()
    reads = path not in ("/health/live", "/openapi.json")
    assert ("ZeroDivisionError" in caplog.text) is reads


HALF = "http://example.org/\ud800"


@pytest.mark.parametrize("path", ["/", "/status", "/public/status", "/metrics"])
def test_half_a_character_from_the_store_spoils_nothing(path: str) -> None:
    service = Service()
    stuck = replace(stuck_dump(), uri=HALF, tasks=(replace(stuck_dump().tasks[0], uri=HALF),))
    service.store.add(stuck, job_of(HEALING, Status.SUCCESS, uri="\udfff", created=NOW))
    for _ in range(2):
        service.harness.watchdog.look()
    service.note(Result.WAITS, Trigger.TICK, reason=f"active: {HALF}", job=HALF)
    answer = service.client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    if path.endswith("status"):
        dump = service.kind(DUMP)
        assert dump.active[0].uri == "http://example.org/?"
        assert dump.active[0].trouble
        assert dump.last_outcome
        assert dump.last_outcome.job == "http://example.org/?"
        assert dump.last_outcome.reason == "active: http://example.org/?"


def test_half_a_character_in_the_stores_words_spoils_nothing() -> None:
    service = Service()
    service.store.failures["active"] = [StoreUnavailable("half \ud800", sent=False)]
    assert service.status().store.problem == "half ?"
    service.store.failures["ping"] = [StoreUnavailable("half \ud800", sent=False)]
    assert service.client.get("/health/ready").status_code == 503


# health


def test_a_service_that_lives_says_so_and_asks_nobody() -> None:
    service = Service(ready=False)
    answer = service.client.get("/health/live")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert not service.store.calls


def test_a_scheduler_that_died_is_told_with_what_to_do() -> None:
    service = Service(alive=False)
    for path in ("/health/live", "/health/ready"):
        text = detail(service.client.get(path), 503, "Service Unavailable")
        assert "thread has died" in text
        assert "restart the service" in text
    assert not service.store.calls


def test_a_service_that_can_do_its_work_is_ready() -> None:
    service = Service()
    answer = service.client.get("/health/ready")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert service.store.calls == ["ping"]


def test_a_service_without_its_store_is_not_ready() -> None:
    service = Service()
    service.store.failures["ping"] = [away()]
    answer = service.client.get("/health/ready")
    assert detail(answer, 503, "Service Unavailable") == str(away())
    assert answer.headers["Retry-After"] == "5"
    assert service.client.get("/health/ready").status_code == 200
    assert service.client.get("/health/live").status_code == 200


def test_a_service_whose_schedules_are_not_armed_is_not_ready() -> None:
    service = Service(ready=False)
    answer = service.client.get("/health/ready")
    assert "waits for the store" in detail(answer, 503, "Service Unavailable")
    assert not service.store.calls


# metrics and the document


def test_prometheus_gets_what_it_understands() -> None:
    answer = Service().client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"initiator_ticks", "initiator_store_reachable"} <= names


def test_the_document_is_there_while_nothing_else_is() -> None:
    service = Service(ready=False, alive=False)
    answer = service.client.get("/openapi.json")
    assert answer.json is not None
    assert answer.json["openapi"] == "3.1.0"
    assert answer.headers["Content-Type"] == "application/json"
    assert not service.store.calls


# what all of them have in common


@pytest.mark.parametrize("path", LOOKS)
def test_a_head_is_a_get_without_its_body(path: str) -> None:
    service = Service()
    head, get = service.client.head(path), service.client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.data == b""
    ignored = {"Content-Length"}  # of metrics it changes from look to look
    assert {*head.headers.items()} - {*get.headers.items()} <= {
        (name, head.headers[name]) for name in ignored
    }


@pytest.mark.parametrize("path", LOOKS)
def test_options_name_the_methods(path: str) -> None:
    answer = Service().client.options(path)
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", LOOKS)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_other_methods_are_answered_with_those_there_are(path: str, method: str) -> None:
    service = Service()
    answer = service.client.open(path, method=method)
    detail(answer, 405, "Method Not Allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert not service.store.calls


@pytest.mark.parametrize("path", [*LOOKS, "/nowhere", "/pubic/status"])
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_every_answer_is_kept_from_other_pages(path: str, accept: str) -> None:
    answer = Service().client.get(path, headers={"Accept": accept})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Server" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/status", "/public/status", "/health/ready", "/metrics"])
def test_a_look_beyond_the_bound_is_turned_away(path: str) -> None:
    service = Harness((stream_of("public"),))
    client = service.app(most_at_once=0).test_client()
    answer = client.get(path, headers={"Accept": "text/html"})
    assert "too many" in detail(answer, 503, "Service Unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert client.get("/health/live").status_code == 200
