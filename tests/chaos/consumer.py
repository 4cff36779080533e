"""The services that execute jobs, with the timing of the real ones.

A second after a task appeared, the dump publisher and the publication-graph-maintainer read it
again and set it to busy. When the work is done, first the task and then its job get the status
success. The maintainer updates `dct:modified`, the dump publisher never does.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from random import Random
from threading import Lock

from tests.chaos.history import TaskRun
from tests.chaos.store import STATUS, DirectClient
from tests.chaos.streams import Kind, Stream
from tests.chaos.worker import Worker

PICK_UP_DELAY = 1.0  # seconds after a task appeared: deltas are bundled that long
POLL_INTERVAL = 0.2  # seconds
EAGER_POLL_INTERVAL = 0.03
FAILURES = 0.04  # share of the tasks

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
SET_MODIFIED = """ ;
DELETE {{ GRAPH ?graph {{ <{uri}> dct:modified ?old . }} }}
INSERT {{ GRAPH ?graph {{ <{uri}> dct:modified "{now}"^^xsd:dateTime . }} }}
WHERE {{ GRAPH ?graph {{ <{uri}> dct:modified ?old . }} }}"""


@dataclass(frozen=True)
class Assignment:
    """A task with the properties that its consumer needs."""

    task: str
    job: str
    stream: Stream
    kind: Kind


class Consumer(Worker):
    """Runs each task whenever it is scheduled, and records each run in `task_runs`."""

    def __init__(
        self, store: DirectClient, streams: tuple[Stream, ...], seed: int, *, eager: bool
    ) -> None:
        super().__init__("consumer")
        self.task_runs: list[TaskRun] = []
        self._store = store
        self._by_operation = {
            stream.operation(kind): (stream, kind) for stream in streams for kind in Kind
        }
        self._random = Random(f"{seed} consumer")
        self._pick_up_delay = 0.0 if eager else PICK_UP_DELAY
        self._poll_interval = EAGER_POLL_INTERVAL if eager else POLL_INTERVAL
        self._noticed: set[str] = set()  # tasks that wait for their pick-up
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._delays: dict[Stream, float] = {}
        self._lock = Lock()

    def delay_next_job(self, stream: Stream, seconds: float) -> None:
        """Leave the next job of a stream busy for some seconds."""
        with self._lock:
            self._delays[stream] = seconds

    def work(self) -> None:
        """Find tasks, and execute the actions that are due."""
        while not self.over.wait(self._poll_interval):
            self._find_tasks()
            while self._queue and self._queue[0][0] <= time.time():
                heapq.heappop(self._queue)[2]()

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (time.time() + seconds, next(self._order), action))

    def _find_tasks(self) -> None:
        for row in self._store.select(WAITING):
            pair = self._by_operation.get(row.get("operation", ""))
            if pair is not None and row["task"] not in self._noticed:
                self._noticed.add(row["task"])
                assignment = Assignment(row["task"], row["job"], *pair)
                self._later(self._pick_up_delay, partial(self._pick_up, assignment))

    def _pick_up(self, found: Assignment) -> None:
        self._noticed.discard(found.task)
        statuses = {row["status"] for row in self._store.select(STATUSES.format(found.task))}
        if f"{STATUS}scheduled" not in statuses:
            return
        self._set(found, found.task, "busy")
        self.task_runs.append(TaskRun(task=found.task, at=time.time()))
        outcome = "failed" if self._random.random() < FAILURES else "success"
        self._later(self._duration(found), lambda: self._finish_task(found, outcome))

    def _duration(self, found: Assignment) -> float:
        with self._lock:
            delay = self._delays.pop(found.stream, None)
        usual = self._random.uniform(0.2, 1.2 if found.kind is Kind.DUMP else 2.0)
        return usual if delay is None else delay

    def _finish_task(self, found: Assignment, outcome: str) -> None:
        self._set(found, found.task, outcome)
        pause = self._random.uniform(0, 0.4)  # until the job-controller sets the status of the job
        self._later(pause, lambda: self._set(found, found.job, outcome))

    def _set(self, found: Assignment, uri: str, status: str) -> None:
        text = SET_STATUS.format(uri=uri, status=STATUS + status)
        if found.kind is not Kind.DUMP:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text += SET_MODIFIED.format(uri=uri, now=now)
        self._store.update(text)
