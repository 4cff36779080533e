"""Two thousand streams: the answers to people and monitoring stay small."""

from __future__ import annotations

import json

import pytest

from jobs.events import Result
from jobs.model import JobKind, Status
from tests.support.builders import DUMP, HEALING, HOUR, NOW, job_of, operation, stream_of
from tests.support.web import WebHarness, event_of, stuck_dump
from tests.unit.test_overview import LONG_NAME, MAX_PAGE, STREAMS

MAX_METRICS = 1_000_000  # bytes
MAX_STATUS = 4_000  # bytes for a stream
NAMES = [LONG_NAME.format(number) for number in range(STREAMS)]


@pytest.fixture(scope="module")
def working() -> WebHarness:
    """Every kind of every stream had a job, and has a successful one and an outcome."""
    harness = WebHarness(tuple(stream_of(name) for name in NAMES))
    for stream in harness.streams:
        for kind in JobKind:
            uri = f"http://redpencil.data.gift/id/job/{stream.name}-{kind.slug}"
            job = job_of(kind, Status.SUCCESS, stream.name, uri=uri, created=NOW - HOUR)
            harness.store.add(job)
            event = event_of(Result.CREATED, stream=stream, kind=kind, job=uri)
            harness.domain.events.record(event)
    return harness


@pytest.fixture(scope="module")
def troubled() -> WebHarness:
    """Every stream has a stuck dump, and a healing that missed a tick and waits for another."""
    harness = WebHarness(tuple(stream_of(name) for name in NAMES))
    stuck = stuck_dump()
    for stream in harness.streams:
        uri = f"http://redpencil.data.gift/id/job/{stream.name}"
        dump = operation(DUMP, stream.name)
        harness.store.jobs[uri] = job_of(
            DUMP, stream=stream.name, uri=uri, created=stuck.created, tasks=stuck.tasks
        )
        assert harness.store.jobs[uri].operation == dump
        done = job_of(HEALING, Status.SUCCESS, stream.name, uri=f"{uri}-h", created=NOW - HOUR)
        harness.store.add(done)
        for result in (Result.MISSED, Result.WAITS):
            reason = f"active: {uri} (busy)"
            event = event_of(result, stream=stream, kind=HEALING, reason=reason, job=uri)
            harness.domain.events.record(event)
    harness.scan_twice()
    return harness


def test_the_answers_about_working_streams_stay_small(working: WebHarness) -> None:
    metrics = working.client.get("/metrics")
    assert metrics.text.count("last_success_timestamp_seconds{") == 2 * STREAMS
    assert len(metrics.data) < MAX_METRICS
    page = working.client.get("/", headers={"Accept": "text/html"})
    assert page.text.count(">fine</b>") == STREAMS
    assert len(page.data) < MAX_PAGE
    status = working.client.get("/status")
    assert len(json.loads(status.data)["streams"]) == STREAMS
    assert len(status.data) < MAX_STATUS * STREAMS


def test_the_answers_about_streams_in_trouble_stay_small(troubled: WebHarness) -> None:
    metrics = troubled.client.get("/metrics")
    for name in ("stuck_jobs", "last_missed_timestamp_seconds", "waiting_tick_timestamp_seconds"):
        assert metrics.text.count(f"initiator_{name}{{") == STREAMS
    assert len(metrics.data) < MAX_METRICS
    page = troubled.client.get("/", headers={"Accept": "text/html"})
    assert "2,000 jobs are stuck" in page.text
    assert len(page.data) < MAX_PAGE
    assert len(troubled.client.get("/status").data) < MAX_STATUS * STREAMS


def test_the_page_of_one_of_many_streams_shows_it_in_full(troubled: WebHarness) -> None:
    answer = troubled.client.get(f"/{NAMES[7]}/")
    assert '<figure class="timeline">' in answer.text
    assert "1 job is stuck" in answer.text
    assert NAMES[8] not in answer.text
