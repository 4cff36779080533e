"""The web application on a store in memory, called as a client calls it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from jobs.events import Event, Result
from jobs.model import Job, JobKind, Stream, Trigger
from tests.support.builders import DUMP, NOW, TestClock, job_of, stream_of, task_of
from tests.support.domain import service_of
from tests.support.fakes import FakeJobStore
from web.status.report import KindReport, StatusReport, StreamReport

HOUR = timedelta(hours=1)


@dataclass
class WebHarness:
    """The application with a client; a task counts as never picked up after an hour."""

    streams: tuple[Stream, ...] = (stream_of(),)
    clock: TestClock = field(default_factory=TestClock)
    store: FakeJobStore = field(default_factory=FakeJobStore)
    ready: bool = True
    alive: bool = True
    max_views: int = 4

    def __post_init__(self) -> None:
        self.service = service_of(
            *self.streams,
            clock=self.clock,
            store=self.store,
            ready=self.ready,
            environ={"PICKUP_MINUTES": "60"},
            max_views=self.max_views,
        )
        self.service.health.is_alive = lambda: self.alive
        self.domain, self.app = self.service.domain, self.service.app
        self.client: FlaskClient = self.app.test_client()

    def status(self, path: str = "/status") -> StatusReport:
        answer = self.client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        return StatusReport.model_validate_json(answer.text)

    def stream(self, name: str | None = "public") -> StreamReport:
        return next(stream for stream in self.status().streams if stream.name == name)

    def kind(self, kind: JobKind, name: str | None = "public") -> KindReport:
        return next(report for report in self.stream(name).kinds if report.kind == kind.slug)

    def scan_twice(self) -> None:
        """Let the watchdog see active jobs twice, after which it reports stuck ones."""
        for _ in range(2):
            self.domain.watchdog.scan()


def event_of(result: Result, trigger: Trigger = Trigger.TICK, **more: Any) -> Event:
    """Return the event of a dump of the stream `public`, of a tick at `NOW` or of a call."""
    tick = NOW if trigger is Trigger.TICK else None
    fixed: dict[str, Any] = {"stream": stream_of(), "kind": DUMP, "at": NOW, "tick": tick}
    return Event(result=result, trigger=trigger, **fixed | more)


def stuck_dump() -> Job:
    """Return a job whose task was never picked up."""
    then = NOW - 2 * HOUR
    return job_of(DUMP, uri="urn:stuck", created=then, tasks=(task_of("t", created=then),))


def error_detail(answer: TestResponse, status: int, title: str) -> str:
    """Check that the answer is a JSON:API error and return its detail."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    assert answer.json is not None
    (error,) = answer.json["errors"]
    assert (error["status"], error["title"]) == (str(status), title)
    detail: str = error["detail"]
    return detail
