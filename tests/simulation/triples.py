"""The contents of the virtual store: any number of values for each property of a subject.

Beside the triples it keeps what the queries of the service would have to search for.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from jobs.model import Job

INDEXED = ("operation", "status", "created")
SINGLE = ("status", "created", "modified")  # properties that readers expect once
Properties: TypeAlias = dict[str, list[Any]]


class Change(NamedTuple):
    """A triple to be added or removed."""

    add: bool
    uri: str
    name: str
    value: Any


@dataclass
class Triples:
    """Subjects with their properties, by short names; a subject without any does not exist."""

    subjects: dict[str, Properties] = field(default_factory=dict)
    by_status: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    by_date: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    by_operation: dict[str, dict[str, None]] = field(default_factory=dict)
    tasks: dict[str, dict[str, None]] = field(default_factory=dict)
    errors: dict[str, dict[str, None]] = field(default_factory=dict)
    duplicates: dict[str, None] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)  # values that were read and did not change

    def __post_init__(self) -> None:
        self.links = {"job": self.tasks, "references": self.errors}

    def values(self, uri: str, name: str) -> list[Any]:
        return self.subjects.get(uri, {}).get(name, [])

    def is_job(self, uri: str) -> bool:
        return "Job" in self.values(uri, "type")

    def active(self, uri: str) -> bool:
        statuses = self.values(uri, "status")
        return "busy" in statuses or "scheduled" in statuses

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.add:
                self._add(change.uri, change.name, change.value)
            else:
                self._remove(change.uri, change.name, change.value)

    def everything_of(self, uri: str) -> Iterator[Change]:
        """Yield the removal of all triples of a subject."""
        for name, values in self.subjects.get(uri, {}).items():
            for value in values:
                yield Change(add=False, uri=uri, name=name, value=value)

    def _add(self, uri: str, name: str, value: Any) -> None:
        values = self.subjects.setdefault(uri, {}).setdefault(name, [])
        if value in values:
            return
        values.append(value)
        if len(values) > 1 and name in SINGLE:
            self.duplicates[uri] = None
        self._forget(uri)
        if name in self.links:
            self.links[name].setdefault(value, {})[uri] = None
            self.jobs.pop(value, None)
        elif name in INDEXED:
            self._index(uri, name, value, add=True)

    def _remove(self, uri: str, name: str, value: Any) -> None:
        properties = self.subjects.get(uri, {})
        values = properties.get(name, [])
        if value not in values:
            return
        self._forget(uri)
        if name in self.links:
            self.links[name][value].pop(uri, None)
        elif name in INDEXED:
            self._index(uri, name, value, add=False)
        values.remove(value)
        if not values:
            del properties[name]
        if not properties:
            del self.subjects[uri]
        if not any(len(properties.get(one, ())) > 1 for one in SINGLE):
            self.duplicates.pop(uri, None)

    def _index(self, uri: str, name: str, value: Any, *, add: bool) -> None:
        """Note or forget the pairs of operation and status or date that a value makes."""
        if name == "operation":
            self._put(self.by_operation, value, uri, add=add)
            operations = [value]
        else:
            operations = self.values(uri, "operation")
        statuses = [value] if name == "status" else self.values(uri, "status")
        dates = [value] if name == "created" else self.values(uri, "created")
        for operation in operations:
            if name != "created":
                for status in statuses:
                    self._put(self.by_status, (operation, status), uri, add=add)
            if name != "status":
                for date in dates:
                    self._date(operation, date, uri, add=add)

    def _put(self, index: dict[Any, dict[str, None]], key: object, uri: str, *, add: bool) -> None:
        if add:
            index.setdefault(key, {})[uri] = None
        else:
            index[key].pop(uri, None)

    def _date(self, operation: str, date: datetime, uri: str, *, add: bool) -> None:
        dated = self.by_date.setdefault(operation, [])
        if add:
            insort(dated, (date, uri))
        else:
            del dated[bisect_left(dated, (date, uri))]

    def _forget(self, uri: str) -> None:
        """Forget the value that was read of a job, or of the job of a task."""
        self.jobs.pop(uri, None)
        for job in self.values(uri, "job"):
            self.jobs.pop(job, None)
