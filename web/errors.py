"""Every error as a JSON:API document, so that a script reads all of them in one way."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.exceptions import BadGateway, HTTPException, InternalServerError, ServiceUnavailable

from jobs.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from flask import Flask

_log = logging.getLogger(__name__)
_KEPT_HEADERS = ("Allow", "Retry-After")


def register(app: Flask) -> None:
    """Make `app` answer its errors this way."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StoreError, _store_error)
    app.register_error_handler(Exception, _unexpected_error)


def _http_error(error: HTTPException) -> Response:
    """Answer with what the exception says, and with the headers that belong to its status."""
    status = error.code or InternalServerError.code
    document = {"status": str(status), "title": error.name, "detail": error.description or ""}
    headers = [(name, value) for name, value in error.get_headers() if name in _KEPT_HEADERS]
    body = json.dumps({"errors": [document]})
    return Response(body, status, headers, content_type="application/vnd.api+json")


def _store_error(error: StoreError) -> Response:
    """Tell a store that is away (503) from one that answered, but not with what was asked (502)."""
    _log.error("a call failed: %s", error)
    if isinstance(error, StoreUnavailable):
        return _http_error(ServiceUnavailable(str(error)))
    return _http_error(BadGateway(str(error)))


def _unexpected_error(error: Exception) -> Response:
    _log.error("a call failed in an unforeseen way", exc_info=error)
    return _http_error(InternalServerError("an error in the service itself; its log has more"))
