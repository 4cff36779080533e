"""The web application behind its real HTTP server, in the process of the tests."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from flask import Flask
from waitress import wasyncore

from tests.support.patience import PATIENCE
from tests.support.sockets import free_port
from web.server import Server


@contextmanager
def serving(app: Flask, host: str = "127.0.0.1") -> Iterator[int]:
    """Serve an application on a host and a free port."""
    port = free_port()
    server = Server(app, host, port)
    server.start()
    try:
        yield port
    finally:
        server.stop_accepting()
        server.finish()
        # The server's thread ends when it has no connections left; elsewhere the process ends it.
        internals = server._server  # noqa: SLF001
        # It may run this, and close the pipe of the trigger, before the trigger writes to the pipe.
        with suppress(OSError):
            internals.trigger.pull_trigger(partial(wasyncore.close_all, internals._map))  # noqa: SLF001


def get(port: int, path: str) -> int:
    """Return the status of a call that succeeds; raise HTTPError for another status."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
        return int(answer.status)
