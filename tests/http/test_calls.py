"""The six calls as scripts use them: paths, messages, content types, refusals."""

from __future__ import annotations

from http import HTTPStatus
from threading import Event, Thread
from typing import Any

import pytest

from jobs.model import JobKind, Status, Stream
from jobs.store import StoreError
from sparql.errors import BadAnswer, Rejected
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, job_of, operation, stream_of
from tests.support.domain import app_of
from tests.support.fakes import GRAPH, LOST, REFUSED, FakeJobStore
from tests.support.patience import PATIENCE
from tests.support.web import WebHarness, error_detail

PATHS = {
    DUMP: "/dump-publication-graph-jobs",
    HEALING: "/healing-jobs",
    INITIAL_SYNC: "/initial-sync-jobs",
}
JOB = "http://redpencil.data.gift/id/job/id-1"
CREATED = {
    DUMP: f'{{"msg": "Dump publication graph job {JOB} triggered"}}',
    HEALING: f'{{"msg": "Healing job {JOB} triggered"}}',
    INITIAL_SYNC: f'{{"msg": "Sync job started {JOB}"}}',
}
CLEANED = {
    DUMP: '{"msg": "Dump publication graph job cleaned"}',
    HEALING: '{"msg": "Healing job cleaned"}',
}
GREETING = "Hello from delta-producer-background-jobs-initiator :)"
MESSAGES = "application/vnd.api+json; charset=utf-8"
UNNAMED, PUBLIC, POSTS = stream_of(None), stream_of("public"), stream_of("Posts")

every_kind = pytest.mark.parametrize("kind", JobKind, ids=lambda kind: kind.name)
both_methods = pytest.mark.parametrize("method", ["POST", "DELETE"])
unnamed_and_named = pytest.mark.parametrize("stream", [UNNAMED, PUBLIC], ids=str)


def service_of(*streams: Stream, **options: Any) -> WebHarness:
    return WebHarness(streams or (UNNAMED, PUBLIC, POSTS), **options)


@pytest.fixture
def service() -> WebHarness:
    return service_of()


@unnamed_and_named
@every_kind
def test_post_creates_a_job_and_answers_the_exact_message(
    service: WebHarness, kind: JobKind, stream: Stream
) -> None:
    service.store.add(job_of(INITIAL_SYNC, Status.SUCCESS, stream.name))
    answer = service.client.post(stream.address(kind))
    assert (answer.status_code, answer.text) == (200, CREATED[kind])
    assert answer.headers["Content-Type"] == MESSAGES
    (job,) = service.store.created
    assert (job.uri, job.job_operation) == (JOB, operation(kind, stream.name))


@unnamed_and_named
@pytest.mark.parametrize("kind", CLEANED, ids=lambda kind: kind.name)
def test_delete_removes_the_jobs_and_answers_the_exact_message(
    service: WebHarness, kind: JobKind, stream: Stream
) -> None:
    service.store.add(job_of(kind, stream=stream.name))
    answer = service.client.delete(stream.address(kind))
    assert (answer.status_code, answer.text) == (200, CLEANED[kind])
    assert answer.headers["Content-Type"] == MESSAGES
    assert not service.store.jobs


def test_delete_names_the_initial_syncs_that_it_removed(service: WebHarness) -> None:
    service.store.add(
        job_of(INITIAL_SYNC, stream=None, uri="http://example.org/a"),
        job_of(INITIAL_SYNC, Status.SUCCESS, stream=None, uri="http://example.org/b"),
    )
    answer = service.client.delete(PATHS[INITIAL_SYNC])
    assert answer.text == '{"msg": "Sync job cleaned http://example.org/a, http://example.org/b"}'


def test_delete_answers_with_the_jobs_that_it_could_not_remove(service: WebHarness) -> None:
    service.store.add(job_of(DUMP, stream=None), left := job_of(DUMP, stream=None, uri="b0"))
    detail = error_detail(service.client.delete(PATHS[DUMP]), 502, "Bad Gateway")
    assert detail == (
        f"1 job removed, but 1 job cannot be removed: 'b0' in graph {GRAPH}; no update can name a "
        "blank node or a relative IRI; remove the triples of such a job in the store itself"
    )
    assert list(service.store.jobs) == [left.uri]


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
def test_paths_may_have_any_case_and_a_trailing_slash(service: WebHarness, path: str) -> None:
    assert service.client.post(path).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"\x00" * 1000], ids=["empty", "cut JSON", "bytes"])
def test_request_bodies_are_ignored(service: WebHarness, body: bytes) -> None:
    answer = service.client.post(PATHS[DUMP], data=body, content_type="application/json")
    assert answer.status_code == 200


@every_kind
def test_a_disabled_kind_is_refused_with_the_setting_that_enables_it(kind: JobKind) -> None:
    service = service_of(stream_of(None, disabled=[kind]))
    detail = error_detail(service.client.post(PATHS[kind]), 409, "Conflict")
    assert f"{kind.value} is disabled for the environment's stream" in detail
    assert f"ENABLE_{kind.name}=true" in detail
    assert not service.store.created


def test_a_healing_before_the_initial_sync_is_refused_with_the_setting_that_allows_it(
    service: WebHarness,
) -> None:
    detail = error_detail(service.client.post(PATHS[HEALING]), 409, "Conflict")
    assert "no initial sync has succeeded yet" in detail
    way = f"POST {PATHS[INITIAL_SYNC]} to create one"
    assert f"; {way}, or set HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false" in detail
    assert service.client.post(PATHS[INITIAL_SYNC]).status_code == 200


@every_kind
def test_jobs_of_a_disabled_kind_can_be_deleted(kind: JobKind) -> None:
    service = service_of(stream_of(None, disabled=[kind]))
    service.store.add(job_of(kind, stream=None))
    assert service.client.delete(PATHS[kind]).status_code == 200
    assert not service.store.jobs


def test_jobs_of_a_kind_without_an_operation_cannot_be_deleted() -> None:
    service = service_of(stream_of(None, unconfigured=[DUMP]))
    detail = error_detail(service.client.delete(PATHS[DUMP]), 409, "Conflict")
    assert "no dump job operation" in detail


@both_methods
def test_an_unknown_stream_is_not_found_and_the_answer_lists_the_names(
    service: WebHarness, method: str
) -> None:
    answer = service.client.open("/pubic/healing-jobs", method=method)
    detail = error_detail(answer, 404, "Not Found")
    assert detail == "there is no stream pubic; there is public, Posts"


@both_methods
def test_a_call_without_a_name_is_not_found_if_the_environment_has_no_stream(method: str) -> None:
    answer = service_of(PUBLIC, POSTS).client.open("/healing-jobs", method=method)
    assert "public, Posts" in error_detail(answer, 404, "Not Found")


@pytest.mark.parametrize("path", ["/nowhere", "//healing-jobs", "/health", "/a/b/healing-jobs"])
def test_other_paths_are_not_found(service: WebHarness, path: str) -> None:
    error_detail(service.client.post(path), 404, "Not Found")


def test_other_methods_are_refused_with_the_allowed_ones(service: WebHarness) -> None:
    answer = service.client.put(PATHS[DUMP])
    error_detail(answer, 405, "Method Not Allowed")
    assert {"POST", "DELETE"} <= set(answer.headers["Allow"].split(", "))


@both_methods
@every_kind
def test_calls_are_refused_until_the_start_is_finished(kind: JobKind, method: str) -> None:
    service = service_of(ready=False)
    answer = service.client.open(PATHS[kind], method=method)
    assert "waits for the store" in error_detail(answer, 503, "Service Unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert not service.store.calls


def test_the_greeting_is_answered_before_the_start_is_finished() -> None:
    service = service_of(ready=False)
    answer = service.client.get("/")
    assert (answer.status_code, answer.text) == (200, GREETING)
    assert not service.store.calls


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (REFUSED, HTTPStatus.SERVICE_UNAVAILABLE),
        (Rejected(400, "syntax error"), HTTPStatus.BAD_GATEWAY),
        (BadAnswer("not JSON"), HTTPStatus.BAD_GATEWAY),
    ],
    ids=["unavailable", "rejected", "unreadable"],
)
@pytest.mark.parametrize(
    ("method", "kind", "step"),
    [("POST", HEALING, "state"), ("DELETE", DUMP, "delete")],
    ids=["POST", "DELETE"],
)
def test_an_absent_store_and_a_wrong_answer_have_different_statuses(
    method: str, kind: JobKind, step: str, failure: StoreError, status: HTTPStatus
) -> None:
    service = service_of()
    service.store.add(job_of(DUMP, stream=None))
    service.store.failures[step] = [failure] * 3
    answer = service.client.open(PATHS[kind], method=method)
    assert error_detail(answer, status, status.phrase) == str(failure)


def test_a_lost_answer_names_the_job_that_may_exist(service: WebHarness) -> None:
    service.store.failures["create"] = [LOST]
    assert JOB in error_detail(service.client.post(PATHS[DUMP]), 503, "Service Unavailable")


def test_an_unexpected_error_is_logged_but_not_shown_to_the_caller(
    service: WebHarness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.store, "create", lambda *_, **__: 1 / 0)
    answer = service.client.post(PATHS[DUMP])
    detail = error_detail(answer, 500, "Internal Server Error")
    assert "ZeroDivisionError" in caplog.text
    assert "zero" not in detail.lower()


def test_calls_beyond_the_limit_are_refused_while_others_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, entered, release = FakeJobStore(), Event(), Event()
    app = app_of(UNNAMED, PUBLIC, store=store, max_calls=1)
    create, other = store.create, PUBLIC.address(DUMP)

    def wait_and_create(*args: Any, **options: Any) -> None:
        entered.set()
        release.wait(PATIENCE)
        create(*args, **options)

    monkeypatch.setattr(store, "create", wait_and_create)
    waiting = Thread(target=app.test_client().post, args=[PATHS[DUMP]])
    waiting.start()
    assert entered.wait(PATIENCE)
    try:
        answer = app.test_client().post(other)
        assert "too many calls" in error_detail(answer, 503, "Service Unavailable")
        assert app.test_client().get("/").status_code == 200
    finally:
        release.set()
        waiting.join()
    assert app.test_client().post(other).status_code == 200
