"""What can be looked at: greeting, status page, status, health, metrics and the API's document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.exceptions import ServiceUnavailable

from web import openapi, page
from web.places import RETRY_AFTER

if TYPE_CHECKING:
    from web.board import Board
    from web.lookup import Streams
    from web.metrics import Metrics
    from web.places import Places

GREETING = "Hello from delta-producer-background-jobs-initiator :)"


@dataclass(frozen=True, kw_only=True)
class Views:
    """The calls that change nothing. Those that read the store need one of the `places`."""

    board: Board
    metrics: Metrics
    streams: Streams
    places: Places

    def blueprint(self) -> Blueprint:
        """Return the routes."""
        routes = Blueprint("views", __name__)
        for path, view in (
            ("/", self.home),
            ("/status", self.status),
            ("/<name>/status", self.status),
            ("/health/live", self.live),
            ("/health/ready", self.ready),
            ("/metrics", self.show_metrics),
            ("/openapi.json", self.document),
        ):
            routes.add_url_rule(path, view.__name__, view, methods=["GET"])
        return routes

    def home(self) -> Response:
        """Greet curl and wget, as ever; show a browser how things stand."""
        accepted = request.accept_mimetypes.best_match(["text/plain", "text/html"])
        if accepted == "text/html":
            with self.places.taken():
                report = self.board.report()
            answer = Response(page.render(report, self.board.zone), mimetype="text/html")
        else:
            answer = Response(GREETING, mimetype="text/plain")
        answer.headers["Vary"] = "Accept"
        return answer

    def status(self, name: str | None = None) -> Response:
        """Tell how all streams stand, or one."""
        only = None if name is None else self.streams.find(name)
        with self.places.taken():
            report = self.board.report(only)
        return _json(report.model_dump_json())

    def live(self) -> Response:
        """Tell whether only a restart helps: an orchestrator asks it."""
        death = self.board.health.death()
        if death:
            raise ServiceUnavailable(death)
        return _json(json.dumps({"status": "alive"}))

    def ready(self) -> Response:
        """Tell whether ticks and calls can be done now."""
        problem = self.board.health.problem()
        if problem is None:
            with self.places.taken():
                problem = self.board.store_problem()
        if problem:
            raise ServiceUnavailable(problem, retry_after=RETRY_AFTER)
        return _json(json.dumps({"status": "ready"}))

    def show_metrics(self) -> Response:
        """Tell Prometheus."""
        with self.places.taken():
            text = self.metrics.text()
        return Response(text, content_type=CONTENT_TYPE_LATEST)

    def document(self) -> Response:
        """Describe every call, for machines."""
        return _json(json.dumps(openapi.document()))


def _json(text: str) -> Response:
    answer = Response(text, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
