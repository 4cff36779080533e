"""The services that do the work, played as they are: they act a second after a task appeared.

The dump publisher and the publication-graph-maintainer read a task again before they set it busy;
when it is done, success goes to the task and then to its job. The maintainer sets `dct:modified`,
the dump publisher never does.
"""

from __future__ import annotations

import heapq
import itertools
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from threading import Lock
from typing import TYPE_CHECKING

from chaos.history import Work
from chaos.store import STATUS, Direct
from chaos.streams import Kind, Stream
from chaos.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE = 1.0  # seconds from a task's appearance to its pick-up: deltas are bundled that long
POLL = 0.2
EAGER_POLL = 0.03
FAILURES = 0.04

WAITING = f"""\
SELECT DISTINCT ?task ?job ?operation WHERE {{
  GRAPH ?graph {{ ?task a task:Task ; adms:status <{STATUS}scheduled> ; dct:isPartOf ?job . }}
  OPTIONAL {{ GRAPH ?other {{ ?job task:operation ?operation . }} }}
}}"""
STATUSES = "SELECT ?status WHERE {{ GRAPH ?graph {{ <{}> adms:status ?status . }} }}"
SET_STATUS = """\
DELETE {{ GRAPH ?graph {{ <{uri}> adms:status ?old . }} }}
INSERT {{ GRAPH ?graph {{ <{uri}> adms:status <{status}> . }} }}
WHERE {{ GRAPH ?graph {{ <{uri}> adms:status ?old . }} }}"""
TOUCH = """ ;
DELETE {{ GRAPH ?graph {{ <{uri}> dct:modified ?old . }} }}
INSERT {{ GRAPH ?graph {{ <{uri}> dct:modified "{now}"^^xsd:dateTime . }} }}
WHERE {{ GRAPH ?graph {{ <{uri}> dct:modified ?old . }} }}"""


@dataclass(frozen=True)
class Assignment:
    """A task with what its consumer knows of it."""

    task: str
    job: str
    stream: Stream
    kind: Kind


class Consumer(Worker):
    """Runs every task that is scheduled, as often as it is; `works` tells how often that was."""

    def __init__(
        self, store: Direct, streams: tuple[Stream, ...], seed: int, *, eager: bool
    ) -> None:
        super().__init__("consumer")
        self.works: list[Work] = []
        self._store = store
        self._by_operation = {
            stream.operation(kind): (stream, kind) for stream in streams for kind in Kind
        }
        self._random = Random(f"{seed} consumer")
        self._grace, self._poll = (0.0, EAGER_POLL) if eager else (GRACE, POLL)
        self._noticed: set[str] = set()  # tasks that wait for their pick-up
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._holds: dict[Stream, float] = {}
        self._lock = Lock()

    def hold(self, stream: Stream, seconds: float) -> None:
        """Leave the next job of a stream busy for so long."""
        with self._lock:
            self._holds[stream] = seconds

    def work(self) -> None:
        """Look for tasks, and do what has come due."""
        while not self.over.wait(self._poll):
            self._look()
            while self._agenda and self._agenda[0][0] <= time.time():
                heapq.heappop(self._agenda)[2]()

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (time.time() + seconds, next(self._order), what))

    def _look(self) -> None:
        for row in self._store.select(WAITING):
            pair = self._by_operation.get(row.get("operation", ""))
            if pair is not None and row["task"] not in self._noticed:
                self._noticed.add(row["task"])
                assignment = Assignment(row["task"], row["job"], *pair)
                self._later(self._grace, lambda found=assignment: self._pick_up(found))  # type: ignore[misc] # the default binds the loop's value

    def _pick_up(self, found: Assignment) -> None:
        self._noticed.discard(found.task)
        statuses = {row["status"] for row in self._store.select(STATUSES.format(found.task))}
        if f"{STATUS}scheduled" not in statuses:
            return
        self._set(found, found.task, "busy")
        self.works.append(Work(task=found.task, at=time.time()))
        outcome = "failed" if self._random.random() < FAILURES else "success"
        self._later(self._duration(found), lambda: self._finish_task(found, outcome))

    def _duration(self, found: Assignment) -> float:
        with self._lock:
            held = self._holds.pop(found.stream, None)
        usual = self._random.uniform(0.2, 1.2 if found.kind is Kind.DUMP else 2.0)
        return usual if held is None else held

    def _finish_task(self, found: Assignment, outcome: str) -> None:
        self._set(found, found.task, outcome)
        pause = self._random.uniform(0, 0.4)  # the job-controller hears of it, and sets the job
        self._later(pause, lambda: self._set(found, found.job, outcome))

    def _set(self, found: Assignment, uri: str, status: str) -> None:
        text = SET_STATUS.format(uri=uri, status=STATUS + status)
        if found.kind is not Kind.DUMP:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text += TOUCH.format(uri=uri, now=now)
        self._store.update(text)
