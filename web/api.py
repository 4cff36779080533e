"""The API: create a job now, and clean jobs up, for the environment's stream and named ones.

Paths, messages and content types are those that operators' scripts have called for years.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from flask import Blueprint, Response
from werkzeug.exceptions import Conflict, ServiceUnavailable

from jobs.model import JobKind, NoOperationError
from web.places import RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jobs.initiator import Outcome
    from jobs.model import Job, Stream
    from web.health import Health
    from web.lookup import Streams
    from web.places import Places

MESSAGES = "application/vnd.api+json; charset=utf-8"


class Call(NamedTuple):
    """What one job kind's calls answer; `{}` stands for job URIs."""

    created: str
    cleaned: str


CALLS = {
    JobKind.DUMP: Call(
        "Dump publication graph job {} triggered", "Dump publication graph job cleaned"
    ),
    JobKind.HEALING: Call("Healing job {} triggered", "Healing job cleaned"),
    JobKind.INITIAL_SYNC: Call("Sync job started {}", "Sync job cleaned {}"),
}


@dataclass(frozen=True, kw_only=True)
class Api:
    """The calls. Each takes one of the `places` while it waits for the store."""

    streams: Streams
    create_job: Callable[[Stream, JobKind], Outcome]
    clean_jobs: Callable[[Stream, JobKind], tuple[Job, ...]]
    health: Health
    places: Places

    def blueprint(self) -> Blueprint:
        """Return the routes: each call bare, and under the name of a stream."""
        routes = Blueprint("api", __name__)
        for kind in CALLS:
            for path in (f"/{kind.path}", f"/<name>/{kind.path}"):
                for method, view in (("POST", self.create), ("DELETE", self.clean)):
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
            outcome = self.create_job(stream, kind)
        if outcome.job is None:
            raise Conflict(getattr(outcome.decision, "reason", "no job is needed"))
        return _message(CALLS[kind].created.format(outcome.job.uri))

    def clean(self, kind: JobKind, name: str | None = None) -> Response:
        """Remove all jobs of a kind."""
        with self._admitted(name) as stream:
            try:
                jobs = self.clean_jobs(stream, kind)
            except NoOperationError as error:
                raise Conflict(str(error)) from error
        return _message(CALLS[kind].cleaned.format(", ".join(map(str, jobs))))

    @contextmanager
    def _admitted(self, name: str | None) -> Iterator[Stream]:
        """Let a call through to its stream, if there is one and it can be served now."""
        stream = self.streams.find(name)
        problem = self.health.problem()
        if problem:
            raise ServiceUnavailable(problem, retry_after=RETRY_AFTER)
        with self.places.taken():
            yield stream


def _message(text: str) -> Response:
    return Response(json.dumps({"msg": text}), content_type=MESSAGES)
