"""Looks at the store several times a second, directly, and remembers what it showed.

Jobs may be deleted by the operator: what was seen once stays known.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeAlias

from chaos.history import Record, Span
from chaos.store import STATUS, Direct
from chaos.streams import Kind, Stream
from chaos.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterable

POLL = 0.15
ACTIVE = {f"{STATUS}busy", f"{STATUS}scheduled"}
SUCCESS = f"{STATUS}success"
TYPES = ("cogs:Job", "task:Task", "oslc:Error")

# What is active, and initial syncs and healings whatever they are: healings wait for one's success.
# Everything of a subject in each branch: a join with all triples would read them all.
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
    """Fills a book with what the store shows."""

    def __init__(self, store: Direct, streams: tuple[Stream, ...]) -> None:
        super().__init__("recorder")
        self.book = Book()
        self._store = store
        kinds = (Kind.SYNC, Kind.HEALING)
        operations = " ".join(f"<{stream.operation(k)}>" for stream in streams for k in kinds)
        self._now = NOW.replace("{operations}", operations)

    def work(self) -> None:
        """Look until the run is over."""
        while not self.over.wait(POLL):
            self.look()

    def look(self) -> None:
        """Note what is active now."""
        began = time.time()
        rows = self._store.select(self._now)
        self.book.note(began, time.time(), subjects(rows))

    def look_at_all(self) -> None:
        """Note everything, at the end."""
        began = time.time()
        rows = [row for type_ in TYPES for row in self._store.select(ALL.format(type_))]
        self.book.close(began, time.time(), subjects(rows))


def subjects(rows: Iterable[dict[str, str]]) -> dict[str, Values]:
    """Return the values of each property of each subject, by the property's last segment."""
    found: dict[str, Values] = {}
    for row in rows:
        name = row["p"].replace("#", "/").rpartition("/")[2]
        found.setdefault(row["s"], {}).setdefault(name, []).append(row["o"])
    for values in found.values():
        for objects in values.values():
            objects.sort()
    return found


class Book:
    """The records of all jobs, tasks and errors that were ever seen."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self._looked = 0.0  # when the last look began
        self._shown: set[str] = set()  # by the last look

    def note(self, began: float, ended: float, seen: dict[str, Values]) -> None:
        """Take in one look at what is active; it began and ended at these instants."""
        for uri, values in seen.items():
            record = self.records.get(uri)
            if record is None:
                record = self.records[uri] = Record(uri=uri, first=ended, values=values)
            record.doubled |= {name for name, objects in values.items() if len(objects) > 1}
        for uri in self._shown | set(seen):
            statuses = set(seen.get(uri, {}).get("status", []))
            record, active = self.records[uri], bool(statuses & ACTIVE)
            self._extend(record.active, began, ended, holds=active)
            self._extend(record.succeeded, began, ended, holds=SUCCESS in statuses)
        self._looked, self._shown = began, set(seen)

    def close(self, began: float, ended: float, seen: dict[str, Values]) -> None:
        """Take in the last look, at everything."""
        self.note(began, ended, seen)
        for uri, record in self.records.items():
            record.final = seen.get(uri)

    def _extend(self, spans: list[Span], began: float, ended: float, *, holds: bool) -> None:
        is_open = bool(spans) and spans[-1].before is None
        if holds and is_open:
            spans[-1].last = began
        elif holds:
            spans.append(Span(after=self._looked, first=ended, last=began))
        elif is_open:
            spans[-1].before = ended
