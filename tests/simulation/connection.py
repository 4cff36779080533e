"""The store as one process reaches it: requests take time, fail, and are applied when they like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from jobs.model import Job, NewJob, Status, Stream, StreamState
from jobs.store import CurrentJobs, Deadline, ErrorResource, Inspection, StoreError
from sparql.terms import is_iri
from tests.simulation import reading, updates
from tests.simulation.store import Update
from tests.simulation.triples import Triples
from tests.simulation.wire import Wire

T = TypeVar("T")


class Observer(Protocol):
    """What the auditor notes of requests when they are sent."""

    def requested(self, update: str, job: str) -> None: ...

    def sent(self, update: Update) -> None: ...


@dataclass(frozen=True)
class Connection:
    """The store of one process."""

    wire: Wire
    observer: Observer

    def within(self, deadline: Deadline) -> Bound:
        return Bound(self, deadline)


@dataclass(frozen=True)
class Bound:
    """The store within one deadline; see `jobs.store.BoundStore`."""

    connection: Connection
    deadline: Deadline

    def ping(self) -> None:
        self._read("ping", len_of)

    def state(self, stream: Stream, known: Sequence[str] = ()) -> StreamState:
        return self._read("state", lambda all_: reading.state(all_, stream, known))

    def one_successful(self, operation: str) -> tuple[Job, ...]:
        return self._read("one_successful", lambda all_: reading.one_successful(all_, operation))

    def active(self, operations: Sequence[str]) -> tuple[Job, ...]:
        return self._read("active", lambda all_: reading.active(all_, operations))

    def recent(self, operations: Sequence[str], since: datetime) -> tuple[Job, ...]:
        return self._read("recent", lambda all_: reading.recent(all_, operations, since))

    def current(self, operations: Sequence[str], since: datetime) -> CurrentJobs:
        return self._read("current", lambda all_: reading.current(all_, operations, since))

    def newest(self, operations: Sequence[str], until: datetime) -> tuple[Job, ...]:
        if not operations:
            return ()
        return self._read("newest", lambda all_: reading.newest(all_, operations, until))

    def find(self, jobs: Sequence[str]) -> tuple[Job, ...]:
        for uri in jobs:
            self.connection.observer.requested("find", uri)
        return self._read("find", lambda all_: reading.find(all_, jobs))

    def create(self, job: NewJob, send_by: Deadline, guarded: bool = False) -> None:  # noqa: FBT001, FBT002
        self.connection.observer.requested("create", job.uri)
        operations = updates.create(job, guarded=guarded)
        self._write("create", operations, job=job.uri, send_by=send_by, guarded=guarded)

    def add_task(self, job: NewJob) -> None:
        self._check([job.uri])
        self._write("add_task", updates.add_task(job), job=job.uri, guarded=True)

    def set_status(self, job: Job, status: Status, at: datetime) -> None:
        self._check([job.uri, *(task.uri for task in job.unfinished)])
        self._write("set_status", updates.set_status(job, status, at), guarded=True)

    def of_operations(self, operations: Sequence[str]) -> tuple[Job, ...]:
        return self._read("of_operations", lambda all_: reading.of_operations(all_, operations))

    def some_of(self, operations: Sequence[str]) -> tuple[Job, ...]:
        return self._read("some_of", lambda all_: reading.some_of(all_, operations))

    def in_use(self, operations: Sequence[str]) -> frozenset[str]:
        return self._read("in_use", lambda all_: reading.in_use(all_, operations))

    def inspect(
        self, operations: Sequence[str], task_operations: Sequence[str], known: Sequence[str]
    ) -> Inspection:
        return self._read(
            "inspect", lambda all_: reading.inspect(all_, operations, task_operations, known)
        )

    def repair(self, subjects: Sequence[str]) -> None:
        writable = list(filter(is_iri, subjects))
        if writable:
            self._write("repair", updates.repair(writable), guarded=True)

    def delete_tasks_without_job(self, tasks: Sequence[str]) -> None:
        self._write("delete_tasks_without_job", updates.delete_orphans(tasks), guarded=True)

    def find_errors(self, errors: Sequence[str]) -> Mapping[str, datetime | None]:
        def found(triples: Triples) -> dict[str, datetime | None]:
            dates = {uri: triples.values(uri, "created") for uri in errors}
            return {uri: date[0] for uri, date in dates.items() if date}

        return self._read("find_errors", found)

    def write_error(self, error: ErrorResource) -> None:
        self._write("write_error", updates.write_error(error), guarded=True)

    def deletable_jobs(self, operation: str) -> tuple[Job, ...]:
        return self._read("deletable_jobs", lambda all_: reading.deletable(all_, operation))

    def delete(self, jobs: Sequence[Job]) -> None:
        self._check([job.uri for job in jobs])
        self._write("delete", updates.delete(jobs), guarded=True)

    def delete_error(self, error: str) -> None:
        self._write("delete_error", updates.delete_error(error), guarded=True)

    def undeletable_jobs(self, operation: str) -> tuple[Job, ...]:
        return self._read("undeletable_jobs", lambda all_: reading.undeletable(all_, operation))

    def _check(self, uris: Sequence[str]) -> None:
        """Refuse a URI that no statement can name, as the real store does."""
        for uri in uris:
            if not is_iri(uri):
                raise StoreError(f"this job can't be changed: {uri!r} is no absolute IRI")

    def _read(self, name: str, evaluate: Callable[[Triples], T]) -> T:
        return self.connection.wire.read(name, self.deadline, evaluate)

    def _write(
        self,
        name: str,
        operations: Sequence[updates.Operation],
        *,
        job: str = "",
        send_by: Deadline | None = None,
        guarded: bool = False,
    ) -> None:
        wire = self.connection.wire
        update = Update(
            name=name,
            operations=operations,
            process=wire.name,
            sent_at=wire.loop.now,
            job=job,
            guarded=guarded,
        )
        self.connection.observer.sent(update)
        wire.write(update, self.deadline, send_by)


def len_of(triples: Triples) -> int:
    return len(triples.subjects)
