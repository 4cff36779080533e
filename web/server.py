"""The WSGI application and the HTTP server it runs in."""

from __future__ import annotations

import logging
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

from flask import Flask
from waitress.server import BaseWSGIServer, create_server
from waitress.wasyncore import dispatcher

from web import errors, guard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from web.api import Api
    from web.views import Views

_log = logging.getLogger(__name__)

# Threads of the server. Calls that wait for the store may take MOST_WAITING of them, and looks at
# the status MOST_LOOKING; the rest stays free for what is answered from memory, above all whether
# the service lives.
THREADS = 24
MOST_WAITING = 16
MOST_LOOKING = 4
MOST_CONNECTIONS = 1000
IDLE_SECONDS = 20  # until an idle connection gives its place to another
MOST_BODY = 1 << 20  # bytes; bodies are read and ignored
DRAIN_SECONDS = 1  # for answers that are being sent when the service stops


def create_wsgi(api: Api, views: Views) -> Flask:
    """Return the Flask application with all routes."""
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.register_blueprint(api.blueprint())
    app.register_blueprint(views.blueprint())
    errors.register(app)
    guard.protect(app)
    app.wsgi_app = CaseInsensitive(app.wsgi_app)  # type: ignore[assignment] # Flask's own advice
    return app


class CaseInsensitive:
    """Lets paths be written in any case, as the Node service did.

    WSGI hands a path over as bytes in Latin-1's clothes: only ASCII letters may be touched.
    """

    def __init__(self, wsgi: WSGIApplication) -> None:
        self._wsgi = wsgi

    def __call__(self, environ: WSGIEnvironment, respond: StartResponse) -> Iterable[bytes]:
        """Serve the request with its path in lower case."""
        path = environ.get("PATH_INFO", "").encode("latin-1").lower().decode("latin-1")
        return self._wsgi(environ | {"PATH_INFO": path}, respond)


class Server:
    """Serves an application on one address, in threads of its own."""

    def __init__(self, app: Flask, host: str, port: int) -> None:
        """Bind the address; raise OSError where that can't be done."""
        sockets: dict[int, Any] = {}
        self._server: Any = create_server(
            app,
            sockets,
            host=host,
            port=port,
            threads=THREADS,
            ident=None,
            connection_limit=MOST_CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=IDLE_SECONDS // 2,
            max_request_body_size=MOST_BODY,
        )
        self._listening: list[Any] = [
            one for one in sockets.values() if isinstance(one, BaseWSGIServer)
        ]

    def start(self) -> None:
        """Serve in the background."""
        Thread(target=self._server.run, name="http", daemon=True).start()

    def stop_accepting(self) -> None:
        """Take no more connections; what came in before goes on.

        The server's own thread has to do it: it would die of a socket closed under its hands, and
        with it the answers that are still to be sent.
        """
        for listening in self._listening:
            listening.trigger.pull_trigger(partial(dispatcher.close, listening))

    def finish(self) -> None:
        """Let answers that are ready be sent, for a moment."""
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=DRAIN_SECONDS)
