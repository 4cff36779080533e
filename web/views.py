"""The calls that only read: greeting, status page, status, health, metrics, OpenAPI document."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Blueprint, Response, request
from werkzeug.exceptions import ServiceUnavailable

from jobs.model import Stream
from jobs.streams import Streams
from web import openapi
from web.limits import RETRY_AFTER, ConcurrencyLimit
from web.metrics import Metrics
from web.page import render
from web.status.reader import StatusReader
from web.stream_paths import find

MAX_SEARCH = 100  # characters
GREETING = "Hello from delta-producer-background-jobs-initiator :)"


@dataclass(frozen=True)
class Views:
    """The calls that change nothing.

    Those that read the store are limited. Readiness and metrics have limits of their own, so that
    monitoring works while many people read the page.
    """

    reader: StatusReader
    metrics: Metrics
    streams: Streams
    pages: ConcurrencyLimit
    probes: ConcurrencyLimit
    scrapes: ConcurrencyLimit

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("views", __name__)
        for path, view in (
            ("/", self.home),
            ("/status", self.status),
            ("/<name>/status", self.status),
            ("/<stream:name>/", self.stream),
            ("/health/live", self.live),
            ("/health/ready", self.ready),
            ("/metrics", self.show_metrics),
            ("/openapi.json", self.document),
        ):
            routes.add_url_rule(path, view.__name__, view, methods=["GET"])
        return routes

    def home(self) -> Response:
        """Return the status page for browsers, and the old greeting for curl and wget."""
        accepted = request.accept_mimetypes.best_match(["text/plain", "text/html"])
        if accepted == "text/html":
            with self.pages.slot():
                report = self.reader.report()
            search = _search()
            page = render.render(report, self.reader.zone, search)
            answer = Response(page, mimetype="text/html")
            if render.is_overview(report, search):
                answer.headers["Content-Security-Policy"] = render.SEARCH_POLICY
        else:
            answer = Response(GREETING, mimetype="text/plain")
        answer.headers["Vary"] = "Accept"
        return answer

    def stream(self, name: Stream) -> Response:
        """Return the page of the stream that a path names."""
        with self.pages.slot():
            report = self.reader.report(name)
        page = render.render_stream(report, self.reader.zone)
        return Response(page, mimetype="text/html")

    def status(self, name: str | None = None) -> Response:
        """Return the status of all streams, or of one."""
        only = None if name is None else find(self.streams, name)
        with self.pages.slot():
            report = self.reader.report(only)
        return _json(report.model_dump_json())

    def live(self) -> Response:
        """Return 503 if only a restart helps; orchestrators restart the service then."""
        problem = self.reader.health.fatal_problem()
        if problem:
            raise ServiceUnavailable(problem)
        return _json(json.dumps({"status": "alive"}))

    def ready(self) -> Response:
        """Return 503 if the service can't handle ticks and calls now."""
        problem = self.reader.health.problem()
        if problem is None:
            with self.probes.slot():
                problem = self.reader.store.problem()
        if problem:
            raise ServiceUnavailable(problem, retry_after=RETRY_AFTER)
        return _json(json.dumps({"status": "ready"}))

    def show_metrics(self) -> Response:
        """Return the metrics in Prometheus's text format."""
        with self.scrapes.slot():
            text, content_type = self.metrics.text(request.headers.get("Accept", ""))
        answer = Response(text, content_type=content_type)
        answer.headers["Vary"] = "Accept"
        return answer

    def document(self) -> Response:
        """Return the OpenAPI document."""
        return _json(json.dumps(openapi.document()))


def _search() -> str:
    """Return the words that the page is searched for."""
    return " ".join(request.args.get("search", "").split())[:MAX_SEARCH]


def _json(text: str) -> Response:
    answer = Response(text, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
