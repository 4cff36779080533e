"""Every error as a JSON:API document, so that a script reads all of them in the same way."""

from __future__ import annotations

import json
import logging

from flask import Flask, Response
from werkzeug.exceptions import (
    BadGateway,
    Conflict,
    HTTPException,
    InternalServerError,
    NotFound,
    ServiceUnavailable,
)

from jobs.creation import JobRefused
from jobs.model import NoOperationError
from jobs.store import StoreError, StoreUnavailable
from jobs.streams import UnknownStreamError
from web.health import INTERNAL_ERROR

_log = logging.getLogger(__name__)
_KEPT_HEADERS = ("Allow", "Retry-After")


def register(app: Flask) -> None:
    """Make `app` answer every error with such a document."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(UnknownStreamError, lambda error: _http_error(NotFound(str(error))))
    for refusal in (JobRefused, NoOperationError):
        app.register_error_handler(refusal, lambda error: _http_error(Conflict(str(error))))
    app.register_error_handler(StoreError, _store_error)
    app.register_error_handler(Exception, _unexpected_error)


def _http_error(error: HTTPException) -> Response:
    """Return the document of an error, with the headers that belong to its status."""
    status = error.code or InternalServerError.code
    document = {"status": str(status), "title": error.name, "detail": error.description or ""}
    headers = [(name, value) for name, value in error.get_headers() if name in _KEPT_HEADERS]
    body = json.dumps({"errors": [document]})
    return Response(body, status, headers, content_type="application/vnd.api+json")


def _store_error(error: StoreError) -> Response:
    """Return 503 if the store is unavailable, and 502 if it answered but not as needed."""
    _log.error("a call failed: %s", error)
    if isinstance(error, StoreUnavailable):
        return _http_error(ServiceUnavailable(str(error)))
    return _http_error(BadGateway(str(error)))


def _unexpected_error(error: Exception) -> Response:
    _log.error("a call failed unexpectedly", exc_info=error)
    return _http_error(InternalServerError(INTERNAL_ERROR))
