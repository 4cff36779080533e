"""The API: create a job now, and clean jobs up, for the environment's stream and named ones.

Paths, messages and content types are those that operators' scripts have called for years.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, NamedTuple

from flask import Blueprint, Response
from werkzeug.exceptions import Conflict, NotFound, ServiceUnavailable

from jobs.model import JobKind, NoOperationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jobs.initiator import Outcome
    from jobs.model import Job, Stream

GREETING = "Hello from delta-producer-background-jobs-initiator :)"
RETRY_AFTER = 5  # seconds that a turned away caller is asked to wait


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


class Api:
    """The calls. `most_at_once` bounds how many of them may wait for the store at one time.

    One beyond that is turned away at once, so that a store that hangs can't take all of the
    server's threads, and every caller gets an answer in bounded time.
    """

    def __init__(
        self,
        streams: Iterable[Stream],
        *,
        create: Callable[[Stream, JobKind], Outcome],
        clean: Callable[[Stream, JobKind], tuple[Job, ...]],
        is_ready: Callable[[], bool],
        most_at_once: int,
    ) -> None:
        self._streams = {_key(stream.name): stream for stream in streams}
        self._create = create
        self._clean = clean
        self._is_ready = is_ready
        self._places = BoundedSemaphore(most_at_once)

    def blueprint(self) -> Blueprint:
        """Return the routes: each call bare, and under the name of a stream."""
        routes = Blueprint("api", __name__)
        routes.add_url_rule("/", "greeting", lambda: Response(GREETING, mimetype="text/plain"))
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
            outcome = self._create(stream, kind)
        if outcome.job is None:
            raise Conflict(getattr(outcome.decision, "reason", "no job is needed"))
        return _message(CALLS[kind].created.format(outcome.job.uri))

    def clean(self, kind: JobKind, name: str | None = None) -> Response:
        """Remove all jobs of a kind."""
        with self._admitted(name) as stream:
            try:
                jobs = self._clean(stream, kind)
            except NoOperationError as error:
                raise Conflict(str(error)) from error
        return _message(CALLS[kind].cleaned.format(", ".join(map(str, jobs))))

    @contextmanager
    def _admitted(self, name: str | None) -> Iterator[Stream]:
        """Let a call through to its stream, if there is one and it can be served now."""
        stream = self._streams.get(_key(name))
        if stream is None:
            raise NotFound(self._no_such_stream(name))
        if not self._is_ready():
            detail = "not ready: the service waits for the store, or its start is not done yet"
            raise ServiceUnavailable(detail, retry_after=RETRY_AFTER)
        if not self._places.acquire(blocking=False):
            detail = "too many calls are waiting for the store already"
            raise ServiceUnavailable(detail, retry_after=RETRY_AFTER)
        try:
            yield stream
        finally:
            self._places.release()

    def _no_such_stream(self, name: str | None) -> str:
        names = ", ".join(stream.name for stream in self._streams.values() if stream.name)
        if name is None:
            return f"the environment sets up no stream; put a name in front: {names}"
        return f"there is no stream {name}; there is {names or 'only the one without a name'}"


def _key(name: str | None) -> str | None:
    return name if name is None else name.casefold()


def _message(text: str) -> Response:
    content_type = "application/vnd.api+json; charset=utf-8"
    return Response(json.dumps({"msg": text}), content_type=content_type)
