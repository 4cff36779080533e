"""The API described for machines: OpenAPI 3.1, with the status's own models as its schemas."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeAlias

from jobs.model import JobKind
from settings.version import VERSION
from web.api import CALLS, MESSAGES
from web.report import StatusReport

Json: TypeAlias = dict[str, Any]

ERRORS: Final = "application/vnd.api+json"
REASONS: Final = {
    "403": "Sent by a page of another site: `Sec-Fetch-Site` or `Origin` says so",
    "404": "No such stream; the detail names those there are",
    "409": "Refused; the detail names the reason, and the setting that would change it",
    "500": "An error in the service itself; its log has more",
    "502": "The store refused, or answered something unreadable",
    "503": "The store did not answer in time, the service is starting or stopping, or too many "
    "calls wait already. Where a job may exist all the same, the detail names it",
}
# Said by the HTTP server before the service sees anything of a request: plain text, no JSON:API.
SERVERS_OWN: Final = {
    "400": "Not a proper HTTP request",
    "413": "A body larger than 1 MB",
    "431": "Headers larger than 256 kB",
    "501": "A transfer encoding other than chunked",
}
NAME: Final = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "Name of a stream of the config file, without regard to case",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._~-]*$"},
}
INTRODUCTION: Final = (
    "Creates the jobs that drive a delta producer, and tells how they fare. The API has no login: "
    "it must not be routed to the outside. Paths ignore case and take a trailing slash; request "
    "bodies are ignored. Calls without a name are for the environment's stream. HEAD goes where "
    "GET does, OPTIONS everywhere; any other method is answered with 405, any other path with "
    "404, both as JSON:API errors."
)


@cache
def document() -> Json:
    """Return the whole document."""
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
        "paths": _looks() | _calls(),
        "components": {"schemas": schemas},
    }


def _errors() -> Json:
    error = _object(
        "What went wrong",
        status=_text("HTTP status", pattern="^[45][0-9][0-9]$"),
        title=_text("Name of the status"),
        detail=_text("What went wrong with this very request, and what to do about it"),
    )
    errors = {"type": "array", "items": error, "minItems": 1, "description": "One, as a rule"}
    return _object("A JSON:API document of errors", errors=errors)


def _calls() -> Json:
    """Describe what creates and removes jobs, bare and under the name of a stream."""
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
    does = f"Create a {kind.value} job" if creates else f"Remove all {kind.value} jobs"
    says = _text("What was done", examples=[message.format("<URI>")])
    schema = _object("The same message as ever: scripts read it", msg=says)
    return {
        "operationId": f"{verb}-{kind.slug}" + ("-of-stream" if named else ""),
        "summary": does + ("" if creates else ", running ones too, with their tasks and errors"),
        "responses": {"200": _answer("Done", MESSAGES, schema)}
        | _refusals("403", "404", "409", "500", "502", "503"),
    }


def _looks() -> Json:
    """Describe what only looks."""
    text, status = {"type": "string"}, {"$ref": "#/components/schemas/StatusReport"}
    alive, ready = (
        _object("A short answer", status={"const": word, "description": "That it is so"})
        for word in ("alive", "ready")
    )
    home = {
        "description": "The greeting, or the status page where HTML is accepted",
        "content": {"text/plain": {"schema": text}, "text/html": {"schema": text}},
    }
    one = _look("status-of-stream", "How one stream stands", _json(status), "404", "503")
    return {
        "/": {"get": _look("home", "Greeting or status page", home, "503")},
        "/status": {"get": _look("status", "How all streams stand", _json(status), "503")},
        "/{name}/status": {"parameters": [NAME], "get": one},
        "/health/live": {"get": _look("live", "Whether a restart is due", _json(alive), "503")},
        "/health/ready": {
            "get": _look("ready", "Whether store and schedules are there", _json(ready), "503")
        },
        "/metrics": {
            "get": _look(
                "metrics",
                "What Prometheus reads",
                {
                    "description": "Prometheus's text format",
                    "content": {"text/plain": {"schema": text}},
                },
                "503",
            )
        },
        "/openapi.json": {"get": _look("document", "This document", _json({"type": "object"}))},
    }


def _look(name: str, summary: str, answer: Json, *refusals: str) -> Json:
    responses = {"200": answer} | _refusals(*refusals, "500")
    return {"operationId": name, "summary": summary, "responses": responses}


def _json(schema: Json) -> Json:
    return _answer("As it stands", "application/json", schema)


def _answer(text: str, content_type: str, schema: Json) -> Json:
    return {"description": text, "content": {content_type: {"schema": schema}}}


def _refusals(*statuses: str) -> Json:
    schema = {"$ref": "#/components/schemas/Errors"}
    ours = {status: _answer(REASONS[status], ERRORS, schema) for status in statuses}
    plain = {"type": "string"}
    return ours | {
        status: _answer(text, "text/plain", plain) for status, text in SERVERS_OWN.items()
    }


def _object(text: str, **properties: Json) -> Json:
    """Describe an object that always has all of these members, and perhaps more one day."""
    return {
        "type": "object",
        "description": text,
        "properties": properties,
        "required": list(properties),
    }


def _text(description: str, **more: object) -> Json:
    return {"type": "string", "description": description, **more}
