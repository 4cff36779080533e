"""The OpenAPI 3.1 document of the API; the models of the status are its schemas."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeAlias

from jobs.model import JobKind
from settings.version import VERSION
from web.api import CALLS, MESSAGES
from web.status.report import StatusReport

Json: TypeAlias = dict[str, Any]

ERRORS: Final = "application/vnd.api+json"
REASONS: Final = {
    "403": "A page of another origin sent the call, as `Sec-Fetch-Site` or `Origin` shows",
    "404": "The stream does not exist. The detail lists the streams that exist",
    "409": "The call was refused. The detail gives the reason, and the setting to change",
    "500": "An internal error of the service. Its log has the details",
    "502": "The store refused the request, or its answer was unreadable, or jobs are left that no "
    "update can name; the detail lists them",
    "503": "The store did not answer in time, the service is starting or stopping, or too many "
    "calls are waiting. If a job may exist, the detail names it",
}
# The HTTP server sends these as plain text, before the service sees the request.
SERVER_ERRORS: Final = {
    "400": "The request is not valid HTTP",
    "413": "The body is larger than 1 MB",
    "431": "The headers are larger than 256 kB",
    "501": "The transfer encoding is not supported; only `chunked` is",
}
NAME: Final = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "Name of a stream of the config file, in any case",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._~-]*$"},
}
NAME_OR_DASH: Final = NAME | {
    "description": "Name of a stream of the config file, in any case; `-` for the environment's",
    "schema": {"type": "string", "pattern": "^(-|[A-Za-z0-9][A-Za-z0-9._~-]*)$"},
}
SEARCH: Final = {
    "name": "search",
    "in": "query",
    "description": "Words that the page's streams must have in their name or state; only the page "
    "reads it",
    "schema": {"type": "string"},
}
INTRODUCTION: Final = (
    "This service creates the jobs that drive a delta producer, and shows their status. The API "
    "has no login, so it must not be reachable from outside. The case of paths and a trailing "
    "slash make no difference. Request bodies are ignored. Calls without a name are for the "
    "environment's stream. HEAD works wherever GET does, and OPTIONS on every path. Any other "
    "method gets 405 and any other path 404, both as JSON:API errors."
)


@cache
def document() -> Json:
    """Return the document."""
    status = StatusReport.model_json_schema(
        mode="serialization", ref_template="#/components/schemas/{model}"
    )
    schemas = status.pop("$defs") | {"StatusReport": status, "Errors": _errors()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "delta-producer-background-jobs-initiator",
            "version": VERSION,
            "description": INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _views() | _calls(),
        "components": {"schemas": schemas},
    }


def _errors() -> Json:
    error = _object(
        "One error",
        status=_text("HTTP status", pattern="^[45][0-9][0-9]$"),
        title=_text("Name of the HTTP status"),
        detail=_text("What went wrong with this request, and what to do about it"),
    )
    errors = {
        "type": "array",
        "items": error,
        "minItems": 1,
        "description": "The errors, usually one",
    }
    return _object("A JSON:API document of errors", errors=errors)


def _calls() -> Json:
    """Describe the calls that create and remove jobs, with and without the name of a stream."""
    paths = {}
    for kind in JobKind:
        for prefix, parameters in (("", []), ("/{name}", [NAME])):
            paths[f"{prefix}/{kind.path}"] = {
                "parameters": parameters,
                "post": _call(kind, "create", named=bool(parameters)),
                "delete": _call(kind, "clean", named=bool(parameters)),
            }
    return paths


def _call(kind: JobKind, verb: str, *, named: bool) -> Json:
    creates = verb == "create"
    message = CALLS[kind].created if creates else CALLS[kind].cleaned
    summary = f"Create a {kind.value} job"
    if not creates:
        summary = f"Remove all {kind.value} jobs, also running ones, with their tasks and errors"
    msg = _text("What was done", examples=[message.format("<URI>")])
    schema = _object("A message of fixed form, which scripts read", msg=msg)
    return {
        "operationId": f"{verb}-{kind.slug}" + ("-of-stream" if named else ""),
        "summary": summary,
        "responses": {"200": _answer("Done", MESSAGES, schema)}
        | _refusals("403", "404", "409", "500", "502", "503"),
    }


def _views() -> Json:
    """Describe the calls that only read."""
    return _pages() | _status_views() | _monitoring_views()


def _pages() -> Json:
    text = {"type": "string"}
    home = {
        "description": "The greeting, or the status page if the client accepts HTML",
        "content": {"text/plain": {"schema": text}, "text/html": {"schema": text}},
    }
    page = _answer("The page", "text/html", text)
    search = {"parameters": [SEARCH]}
    return {
        "/": {"get": _view("home", "Greeting or status page", home, "503") | search},
        "/{name}/": {
            "parameters": [NAME_OR_DASH],
            "get": _view("page-of-stream", "Page of one stream", page, "404", "503"),
        },
    }


def _status_views() -> Json:
    status = {"$ref": "#/components/schemas/StatusReport"}
    one = _view("status-of-stream", "Status of one stream", _json(status), "404", "503")
    return {
        "/status": {"get": _view("status", "Status of all streams", _json(status), "503")},
        "/{name}/status": {"parameters": [NAME_OR_DASH], "get": one},
    }


def _monitoring_views() -> Json:
    text = {"type": "string"}
    alive, ready = (
        _object("The answer if it is so", status={"const": word, "description": "Always the same"})
        for word in ("alive", "ready")
    )
    works = "Whether the process works; if not, restart it"
    armed = "Whether the store answers and the schedules are armed"
    metrics = _answer("Prometheus's text format, or OpenMetrics if asked for", "text/plain", text)
    metrics["content"]["application/openmetrics-text"] = {"schema": text}
    return {
        "/health/live": {"get": _view("live", works, _json(alive), "503")},
        "/health/ready": {"get": _view("ready", armed, _json(ready), "503")},
        "/metrics": {"get": _view("metrics", "Metrics for Prometheus", metrics, "503")},
        "/openapi.json": {"get": _view("document", "This document", _json({"type": "object"}))},
    }


def _view(name: str, summary: str, answer: Json, *refusals: str) -> Json:
    responses = {"200": answer} | _refusals(*refusals, "500")
    return {"operationId": name, "summary": summary, "responses": responses}


def _json(schema: Json) -> Json:
    return _answer("The present state", "application/json", schema)


def _answer(text: str, content_type: str, schema: Json) -> Json:
    return {"description": text, "content": {content_type: {"schema": schema}}}


def _refusals(*statuses: str) -> Json:
    schema = {"$ref": "#/components/schemas/Errors"}
    ours = {status: _answer(REASONS[status], ERRORS, schema) for status in statuses}
    plain = {"type": "string"}
    return ours | {
        status: _answer(text, "text/plain", plain) for status, text in SERVER_ERRORS.items()
    }


def _object(text: str, **properties: Json) -> Json:
    """Describe an object that always has these members; later versions may add others."""
    return {
        "type": "object",
        "description": text,
        "properties": properties,
        "required": list(properties),
    }


def _text(description: str, **more: object) -> Json:
    return {"type": "string", "description": description, **more}
