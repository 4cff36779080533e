"""The calls that create a job now and that remove jobs, with and without a stream's name.

Paths, messages and content types are those that operators' scripts have used for years.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from flask import Blueprint, Response
from werkzeug.exceptions import ServiceUnavailable

from jobs.model import Job, JobKind, NewJob, Stream
from jobs.streams import Streams
from web.health import Health
from web.limits import RETRY_AFTER, ConcurrencyLimit

MESSAGES = "application/vnd.api+json; charset=utf-8"


class Call(NamedTuple):
    """The messages of one job kind's calls; `{}` stands for job URIs."""

    created: str
    cleaned: str


CALLS = {
    JobKind.DUMP: Call(
        "Dump publication graph job {} triggered", "Dump publication graph job cleaned"
    ),
    JobKind.HEALING: Call("Healing job {} triggered", "Healing job cleaned"),
    JobKind.INITIAL_SYNC: Call("Sync job started {}", "Sync job cleaned {}"),
}


@dataclass(frozen=True)
class Api:
    """The calls. `web.errors` turns the exceptions of the domain into answers."""

    streams: Streams
    create_job: Callable[[Stream, JobKind], NewJob]
    delete_jobs: Callable[[Stream, JobKind], tuple[Job, ...]]
    health: Health
    limit: ConcurrencyLimit

    def blueprint(self) -> Blueprint:
        """Return the routes: each call without a name, and under the name of a stream."""
        routes = Blueprint("api", __name__)
        for kind in CALLS:
            for path in (f"/{kind.path}", f"/<name>/{kind.path}"):
                for method, view in (("POST", self.create), ("DELETE", self.delete)):
                    routes.add_url_rule(
                        path,
                        f"{method} {kind.name}",
                        view,
                        defaults={"kind": kind},
                        methods=[method],
                    )
        return routes

    def create(self, kind: JobKind, name: str | None = None) -> Response:
        """Create a job because a person asks."""
        with self._admitted(name) as stream:
            job = self.create_job(stream, kind)
        return _message(CALLS[kind].created.format(job.uri))

    def delete(self, kind: JobKind, name: str | None = None) -> Response:
        """Remove all jobs of a kind."""
        with self._admitted(name) as stream:
            jobs = self.delete_jobs(stream, kind)
        return _message(CALLS[kind].cleaned.format(", ".join(map(str, jobs))))

    @contextmanager
    def _admitted(self, name: str | None) -> Iterator[Stream]:
        """Yield the stream of a call if it exists and the call can be served now."""
        stream = self.streams.find(name)
        problem = self.health.call_problem()
        if problem:
            raise ServiceUnavailable(problem, retry_after=RETRY_AFTER)
        with self.limit.slot():
            yield stream


def _message(text: str) -> Response:
    return Response(json.dumps({"msg": text}), content_type=MESSAGES)
