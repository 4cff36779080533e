"""A recorder that polls the store directly, several times a second.

The operator may delete jobs, so the recorder keeps what it has seen once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TypeAlias

from tests.chaos.history import Record, Span
from tests.chaos.store import STATUS, DirectClient
from tests.chaos.streams import Kind, Stream
from tests.chaos.worker import Worker

POLL_INTERVAL = 0.15  # seconds
ACTIVE = {f"{STATUS}busy", f"{STATUS}scheduled"}
SUCCESS = f"{STATUS}success"
TYPES = ("cogs:Job", "task:Task", "oslc:Error")

# Active subjects, and all initial syncs and healings, because healings wait for one that succeeded.
# Each branch reads the properties itself: a join with all triples would read the whole store.
NOW = f"""\
SELECT DISTINCT ?s ?p ?o WHERE {{
  {{
    VALUES ?status {{ <{STATUS}busy> <{STATUS}scheduled> }}
    GRAPH ?g {{ ?s adms:status ?status . }}
    GRAPH ?h {{ ?s ?p ?o . }}
  }} UNION {{
    VALUES ?operation {{ {{operations}} }}
    GRAPH ?g {{ ?s task:operation ?operation . }}
    GRAPH ?h {{ ?s ?p ?o . }}
  }}
}}"""
ALL = "SELECT DISTINCT ?s ?p ?o WHERE {{ GRAPH ?g {{ ?s a {} . }} GRAPH ?h {{ ?s ?p ?o . }} }}"

Values: TypeAlias = dict[str, list[str]]


class Recorder(Worker):
    """Records what the store contains."""

    def __init__(self, store: DirectClient, streams: tuple[Stream, ...]) -> None:
        super().__init__("recorder")
        self.records = Records()
        self._store = store
        kinds = (Kind.SYNC, Kind.HEALING)
        operations = " ".join(f"<{stream.operation(k)}>" for stream in streams for k in kinds)
        self._now = NOW.replace("{operations}", operations)

    def work(self) -> None:
        """Poll until the run is over."""
        while not self.over.wait(POLL_INTERVAL):
            started = time.time()
            rows = self._store.select(self._now)
            self.records.add_poll(started, time.time(), subjects(rows))

    def read_everything(self) -> None:
        """Record all jobs, tasks and errors at the end of the run."""
        started = time.time()
        rows = [row for type_ in TYPES for row in self._store.select(ALL.format(type_))]
        self.records.add_last_poll(started, time.time(), subjects(rows))


def subjects(rows: Iterable[dict[str, str]]) -> dict[str, Values]:
    """Return the values of each property of each subject; properties are last segments of IRIs."""
    found: dict[str, Values] = {}
    for row in rows:
        name = row["p"].replace("#", "/").rpartition("/")[2]
        found.setdefault(row["s"], {}).setdefault(name, []).append(row["o"])
    for values in found.values():
        for objects in values.values():
            objects.sort()
    return found


class Records:
    """The records of all jobs, tasks and errors that were ever seen."""

    def __init__(self) -> None:
        self.by_uri: dict[str, Record] = {}
        self._last_started = 0.0  # the start of the last poll
        self._last_seen: set[str] = set()  # the subjects of the last poll

    def add_poll(self, started: float, ended: float, seen: dict[str, Values]) -> None:
        """Add the subjects of a poll that started and ended at these instants."""
        for uri, values in seen.items():
            if uri not in self.by_uri:
                self.by_uri[uri] = Record(uri=uri, first_seen=ended, values=values)
        for uri in self._last_seen | set(seen):
            statuses = set(seen.get(uri, {}).get("status", []))
            record, active = self.by_uri[uri], bool(statuses & ACTIVE)
            self._extend(record.active, started, ended, holds=active)
            self._extend(record.succeeded, started, ended, holds=SUCCESS in statuses)
        self._last_started, self._last_seen = started, set(seen)

    def add_last_poll(self, started: float, ended: float, seen: dict[str, Values]) -> None:
        """Add the last poll, which reads all subjects."""
        self.add_poll(started, ended, seen)
        for uri, record in self.by_uri.items():
            record.final = seen.get(uri)

    def _extend(self, spans: list[Span], started: float, ended: float, *, holds: bool) -> None:
        is_open = bool(spans) and spans[-1].before is None
        if holds and is_open:
            spans[-1].last = started
        elif holds:
            spans.append(Span(after=self._last_started, first=ended, last=started))
        elif is_open:
            spans[-1].before = ended
