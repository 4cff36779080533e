"""The WSGI application and the HTTP server it runs in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from threading import Thread
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from waitress.server import BaseWSGIServer, create_server
from waitress.wasyncore import dispatcher

from web import cross_origin, errors
from web.api import Api
from web.channel import MAX_CONNECTIONS, Channel
from web.listening import listen
from web.stream_paths import converter
from web.views import Views

# How many threads may wait for the store: those of calls of the API, of pages and status, of
# readiness, and of metrics. The others stay free for answers that need no store, such as liveness.
THREADS = 24
MAX_WAITING = 12
MAX_VIEWS = 4
MAX_PROBES = 4
MAX_SCRAPES = 2
MAX_BODY = 1 << 20  # bytes of a request body, which is read and ignored
DRAIN_SECONDS = 1  # to send the last answers when the service stops


def create_wsgi(api: Api, views: Views) -> Flask:
    """Return the Flask application with all routes."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["stream"] = converter(views.streams)
    app.register_blueprint(api.blueprint())
    app.register_blueprint(views.blueprint())
    errors.register(app)
    cross_origin.protect(app)
    app.wsgi_app = CaseInsensitive(app.wsgi_app)  # type: ignore[assignment] # Flask's own advice
    return app


@dataclass(frozen=True)
class CaseInsensitive:
    """Accepts paths in any case, as the Node service did.

    WSGI passes the bytes of a path as a string decoded from Latin-1. Only ASCII letters may change,
    because the other characters may be parts of longer UTF-8 sequences.
    """

    wsgi: WSGIApplication

    def __call__(self, environ: WSGIEnvironment, respond: StartResponse) -> Iterable[bytes]:
        """Serve the request with its path in lower case."""
        path = environ.get("PATH_INFO", "").encode("latin-1").lower().decode("latin-1")
        return self.wsgi(environ | {"PATH_INFO": path}, respond)


class Server:
    """Serves an application on the addresses of a host, with its own threads."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        """Bind the addresses; raise OSError if that fails."""
        channels: dict[int, Any] = {}
        self._server: Any = create_server(
            app,
            channels,
            sockets=listen(host, port),
            threads=THREADS,
            ident=None,
            connection_limit=MAX_CONNECTIONS + 100,  # `Channel` makes room before it is reached
            asyncore_use_poll=True,  # select() fails with many open files
            max_request_body_size=MAX_BODY,
        )
        self._listening: list[Any] = [
            one for one in channels.values() if isinstance(one, BaseWSGIServer)
        ]
        for listening in self._listening:
            listening.channel_class = Channel

    def start(self) -> None:
        """Serve in the background."""
        Thread(target=self._server.run, name="http", daemon=True).start()

    def stop_accepting(self) -> None:
        """Accept no more connections; requests that arrived before are still answered.

        The server's own thread closes the listening sockets. If another thread closed them, the
        server's thread would fail and the last answers would never be sent.
        """
        for listening in self._listening:
            listening.trigger.pull_trigger(partial(dispatcher.close, listening))

    def finish(self) -> None:
        """Wait up to `DRAIN_SECONDS` until the answers that are ready are sent."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=DRAIN_SECONDS)
