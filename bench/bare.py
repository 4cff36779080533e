"""The least that a job costs: its update and the read that confirms it, on one connection."""

from __future__ import annotations

import urllib.parse
from datetime import UTC, datetime
from http.client import HTTPConnection
from uuid import uuid4

from sparql import queries
from tests.support.builders import DUMP, new_job, stream_of
from tests.support.servers import Store

HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/sparql-results+json",
}
STREAM = stream_of("bare")


class Bare:
    """Writes jobs with the service's own statements, without the service."""

    def __init__(self, store: Store) -> None:
        address = urllib.parse.urlsplit(store.endpoint)
        self._connection = HTTPConnection(address.hostname or "", address.port)
        self._query, self._update = store.query_path, store.update_path

    def create(self) -> None:
        """Write a job as the service does, with random ids and the time, and read it."""
        job = new_job(str(uuid4()), DUMP, STREAM, datetime.now(UTC))
        self._send(self._update, "update", queries.create_job(job))
        answer = self._send(self._query, "query", queries.find_jobs([job.uri]))
        assert job.uri.encode() in answer

    def state(self) -> None:
        """Read what a decision about a stream needs."""
        self._send(self._query, "query", queries.stream_states([STREAM], [new_job("a").uri]))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, path: str, name: str, text: str) -> bytes:
        body = urllib.parse.urlencode({name: text})
        self._connection.request("POST", path, body, HEADERS)
        with self._connection.getresponse() as answer:
            body_of_answer: bytes = answer.read()
            assert answer.status < 300, body_of_answer
            return body_of_answer
