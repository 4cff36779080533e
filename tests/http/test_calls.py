"""The six calls as scripts use them: paths, messages, content types, refusals."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from jobs.model import JobKind, Status, Stream
from jobs.store import StoreError, StoreUnavailable
from sparql.client import BadAnswer, Rejected
from tests.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    job_of,
    operation,
    stream_of,
)
from tests.fakes import FakeJobStore
from tests.harness import Harness

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

PATHS = {
    DUMP: "/dump-publication-graph-jobs",
    HEALING: "/healing-jobs",
    INITIAL_SYNC: "/initial-sync-jobs",
}
ID = "http://redpencil.data.gift/id/job/id-1"
CREATED = {
    DUMP: f'{{"msg": "Dump publication graph job {ID} triggered"}}',
    HEALING: f'{{"msg": "Healing job {ID} triggered"}}',
    INITIAL_SYNC: f'{{"msg": "Sync job started {ID}"}}',
}
CLEANED = {
    DUMP: '{"msg": "Dump publication graph job cleaned"}',
    HEALING: '{"msg": "Healing job cleaned"}',
}


@dataclass
class Service:
    """The application on a store in memory."""

    streams: tuple[Stream, ...] = (stream_of(None), stream_of("public"), stream_of("Posts"))
    store: FakeJobStore = field(default_factory=FakeJobStore)
    ready: bool = True
    most_at_once: int = 4

    def __post_init__(self) -> None:
        harness = Harness(self.streams, store=self.store)
        self.app = harness.app(ready=self.ready, most_at_once=self.most_at_once)

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def synced(self, stream: str | None = None) -> Service:
        self.store.add(job_of(INITIAL_SYNC, Status.SUCCESS, stream))
        return self


def detail(answer: TestResponse, status: int, title: str) -> str:
    """Check that the answer is a JSON:API error and return its detail."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    assert answer.json is not None
    (error,) = answer.json["errors"]
    assert error["status"] == str(status)
    assert error["title"] == title
    text: str = error["detail"]
    return text


@pytest.mark.parametrize("stream", [None, "public"], ids=["bare", "named"])
@pytest.mark.parametrize("kind", JobKind, ids=lambda kind: kind.name)
def test_post_creates_a_job_and_says_so_to_the_byte(kind: JobKind, stream: str | None) -> None:
    service = Service().synced(stream)
    answer = service.client.post(f"/{stream}{PATHS[kind]}" if stream else PATHS[kind])
    assert answer.status_code == 200
    assert answer.text == CREATED[kind]
    assert answer.headers["Content-Type"] == "application/vnd.api+json; charset=utf-8"
    assert [job.job_operation for job in service.store.created] == [operation(kind, stream)]


@pytest.mark.parametrize("stream", [None, "public"], ids=["bare", "named"])
@pytest.mark.parametrize("kind", CLEANED, ids=lambda kind: kind.name)
def test_delete_cleans_and_says_so_to_the_byte(kind: JobKind, stream: str | None) -> None:
    service = Service()
    service.store.add(job_of(kind, stream=stream))
    answer = service.client.delete(f"/{stream}{PATHS[kind]}" if stream else PATHS[kind])
    assert answer.text == CLEANED[kind]
    assert answer.headers["Content-Type"] == "application/vnd.api+json; charset=utf-8"
    assert not service.store.jobs


def test_delete_names_the_initial_syncs_that_it_cleaned() -> None:
    service = Service()
    service.store.add(
        job_of(INITIAL_SYNC, stream=None, uri="http://example.org/a"),
        job_of(INITIAL_SYNC, Status.SUCCESS, stream=None, uri="http://example.org/b"),
    )
    answer = service.client.delete("/initial-sync-jobs")
    assert answer.text == '{"msg": "Sync job cleaned http://example.org/a, http://example.org/b"}'


@pytest.mark.parametrize(
    "path",
    [
        "/dump-publication-graph-jobs",
        "/dump-publication-graph-jobs/",
        "/Dump-Publication-Graph-JOBS",
        "/public/dump-publication-graph-jobs/",
        "/PUBLIC/dump-publication-graph-jobs",
        "/posts/dump-publication-graph-jobs",
        "/Posts/dump-publication-graph-jobs",
    ],
)
def test_paths_take_any_case_and_a_trailing_slash(path: str) -> None:
    assert Service().client.post(path).status_code == 200


def test_request_bodies_are_ignored() -> None:
    for body in (b"", b"{", b"\x00" * 1000):
        answer = Service().client.post(PATHS[DUMP], data=body, content_type="application/json")
        assert answer.status_code == 200


def test_the_greeting() -> None:
    answer = Service(ready=False).client.get("/")
    assert answer.text == "Hello from delta-producer-background-jobs-initiator :)"
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", JobKind, ids=lambda kind: kind.name)
def test_a_disabled_kind_is_refused_with_the_setting_that_enables_it(kind: JobKind) -> None:
    service = Service(streams=(stream_of(None, disabled=[kind]),)).synced()
    answer = service.client.post(PATHS[kind])
    text = detail(answer, 409, "Conflict")
    assert f"{kind.value} is disabled for the environment's stream" in text
    assert f"ENABLE_{kind.name}=true" in text
    assert not service.store.created


def test_a_healing_before_the_first_sync_is_refused_with_the_reason() -> None:
    answer = Service().client.post(PATHS[HEALING])
    assert "HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false" in detail(answer, 409, "Conflict")


@pytest.mark.parametrize("kind", JobKind, ids=lambda kind: kind.name)
def test_a_disabled_kind_can_be_cleaned(kind: JobKind) -> None:
    service = Service(streams=(stream_of(None, disabled=[kind]),))
    service.store.add(job_of(kind, stream=None))
    assert service.client.delete(PATHS[kind]).status_code == 200
    assert not service.store.jobs


def test_a_kind_without_an_operation_cannot_be_cleaned() -> None:
    service = Service(streams=(stream_of(None, unconfigured=[DUMP]),))
    text = detail(service.client.delete(PATHS[DUMP]), 409, "Conflict")
    assert "no dump job operation" in text


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_an_unknown_stream_is_answered_with_those_there_are(method: str) -> None:
    answer = Service().client.open("/pubic/healing-jobs", method=method)
    text = detail(answer, 404, "Not Found")
    assert "pubic" in text
    assert "public, Posts" in text


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_bare_call_without_an_environments_stream_lists_the_names(method: str) -> None:
    service = Service(streams=(stream_of("public"), stream_of("posts")))
    answer = service.client.open("/healing-jobs", method=method)
    assert "public, posts" in detail(answer, 404, "Not Found")


@pytest.mark.parametrize("path", ["/nowhere", "//healing-jobs", "/public", "/a/b/healing-jobs"])
def test_other_paths_are_not_found(path: str) -> None:
    detail(Service().client.post(path), 404, "Not Found")


def test_other_methods_are_answered_with_those_there_are() -> None:
    answer = Service().client.put(PATHS[DUMP])
    detail(answer, 405, "Method Not Allowed")
    assert {"POST", "DELETE"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("kind", JobKind, ids=lambda kind: kind.name)
def test_until_the_start_is_done_calls_are_turned_away(kind: JobKind, method: str) -> None:
    service = Service(ready=False)
    answer = service.client.open(PATHS[kind], method=method)
    assert "waits for the store" in detail(answer, 503, "Service Unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert not service.store.calls


@pytest.mark.parametrize(
    ("failure", "status", "title"),
    [
        (StoreUnavailable("refused", sent=False), 503, "Service Unavailable"),
        (Rejected(400, "syntax error"), 502, "Bad Gateway"),
        (BadAnswer("not JSON"), 502, "Bad Gateway"),
    ],
    ids=["unavailable", "rejected", "unreadable"],
)
@pytest.mark.parametrize(("method", "step"), [("POST", "state"), ("DELETE", "delete")])
def test_a_failing_store_is_told_apart(
    method: str, step: str, failure: StoreError, status: int, title: str
) -> None:
    service = Service()
    service.store.add(job_of(DUMP, stream=None))
    service.store.failures[step] = [failure] * 3
    answer = service.client.open(PATHS[DUMP], method=method)
    assert str(failure) in detail(answer, status, title)


def test_a_lost_answer_is_told_with_the_job_that_may_exist() -> None:
    service = Service()
    service.store.failures["create"] = [StoreUnavailable("no answer in time", sent=True)]
    assert ID in detail(service.client.post(PATHS[DUMP]), 503, "Service Unavailable")


def test_an_unforeseen_error_is_logged_and_shows_nothing_of_the_inside(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service()
    monkeypatch.setattr(service.store, "state", lambda *_: 1 / 0)
    text = detail(service.client.post(PATHS[DUMP]), 500, "Internal Server Error")
    assert "ZeroDivisionError" in caplog.text
    assert "zero" not in text.lower()


def test_calls_beyond_the_bound_are_turned_away_while_others_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = Service(most_at_once=1)
    entered, release = Event(), Event()
    create = service.store.create

    def wait_and_create(*args: Any) -> None:
        entered.set()
        release.wait(10)
        create(*args)

    monkeypatch.setattr(service.store, "create", wait_and_create)
    waiting = Thread(target=service.client.post, args=[PATHS[DUMP]])
    waiting.start()
    assert entered.wait(10)
    try:
        answer = service.client.post("/public/dump-publication-graph-jobs")
        assert "too many calls" in detail(answer, 503, "Service Unavailable")
        assert service.client.get("/").status_code == 200
    finally:
        release.set()
        waiting.join()
    assert service.client.post("/public/dump-publication-graph-jobs").status_code == 200
