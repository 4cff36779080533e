"""A builder of histories for the auditor's tests, in seconds since the start of a short run."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.chaos.auditor import AuditResult, audit
from tests.chaos.history import (
    ApiCall,
    Disruption,
    History,
    InsertAttempt,
    LogLine,
    ProcessRun,
    Record,
    Span,
    TaskRun,
)
from tests.chaos.streams import Kind, Stream
from tests.chaos.times import Times

START = 1_800_000_000
STATUS = "http://redpencil.data.gift/id/concept/JobStatus/"
STREAM = Stream(name="a", dump="*/10 * * * * *")
STREAM_WITH_HEALING = Stream(name="a", healing="*/10 * * * * *", dump="5/10 * * * * *", syncs=True)
TIMES = Times(window=30, settle=4, timeout=2, error_repeat=18)
TICKS = range(10, 101, 10)  # of STREAM, after the first readiness and up to the horizon


def iso(second: float) -> str:
    return datetime.fromtimestamp(START + second, UTC).isoformat()


class HistoryBuilder:
    """A run of one stream that ends at second 200, with ticks until the horizon."""

    def __init__(self, stream: Stream = STREAM, *, horizon: float = 100) -> None:
        self.stream = stream
        self.history = History(
            streams=(stream,), times=TIMES, horizon=START + horizon, end=START + 200
        )

    def process_run(
        self, process: int = 0, *, ready: float = 5, killed: float | None = None, slot: int = 0
    ) -> ProcessRun:
        """Add a process run with the seconds of its readiness and its kill."""
        run = ProcessRun(process=process, slot=slot, started=START + ready - 2)
        run.ended = None if killed is None else START + killed
        run.killed = killed is not None
        self.history.process_runs.append(run)
        self._log(ready, "ready: the schedules are armed", run)
        return run

    def log(self, at: float, text: str, *, kind: Kind = Kind.DUMP, process_run: int = -1) -> None:
        """Add a line about one kind; `{5}` in it means the instant of second 5."""
        written = text.replace("{", "{0[").replace("}", "]}").format(Instants())
        run = self.history.process_runs[process_run]
        self._log(at, f"{self.stream.label(kind)}: {written}", run)

    def _log(self, at: float, text: str, run: ProcessRun) -> None:
        run.lines.append(LogLine(at=START + at, text=text))

    def job(  # noqa: PLR0913 - a test passes the few that it needs
        self,
        tick: float,
        *,
        kind: Kind = Kind.DUMP,
        uri: str = "",
        seen: float | None = None,
        done: float | None = None,
        sent: float | None = None,
        applied: float | None = None,
        process: int = 0,
        tasks: int = 1,
    ) -> Record:
        """Add a job, which by default is sent and seen at once and done two seconds later."""
        uri = uri or f"http://redpencil.data.gift/id/job/{kind.name}-{tick:g}"
        seen = tick + 0.1 if seen is None else seen
        done = seen + 2 if done is None else done
        values = {"operation": [self.stream.operation(kind)], "created": [iso(tick)]}
        record = self.record(uri, seen, values)
        record.active = [span(seen - 0.1, seen, done - 0.1, done)]
        record.succeeded = [span(done - 0.1, done, 200, None)]
        uris = [uri, *(self.task(uri, seen, number) for number in range(tasks))]
        sent = seen - 0.05 if sent is None else sent
        self.attempt(uris, sent, seen - 0.03 if applied is None else applied, process)
        return record

    def task(self, job: str, seen: float, number: int = 0) -> str:
        uri = f"{job.replace('/job/', '/task/')}-{number}"
        self.record(uri, seen, {"isPartOf": [job]})
        return uri

    def error(self, message: str, at: float = 60, job: str | None = None) -> None:
        uri = f"http://redpencil.data.gift/id/jobs/error/{len(self.history.records)}"
        values = {"type": ["Error", "deltas/Error"], "message": [message], "created": [iso(at)]}
        self.record(uri, at, values | ({"references": [job]} if job else {}))

    def record(self, uri: str, seen: float, values: dict[str, list[str]]) -> Record:
        final = {"status": [f"{STATUS}success"]} | values
        record = Record(uri=uri, first_seen=START + seen, values=values, final=final)
        self.history.records.append(record)
        return record

    def attempt(self, uris: list[str], sent: float, applied: float, process: int = 0) -> None:
        self.history.attempts.append(
            InsertAttempt(process=process, sent=START + sent, uris=uris, applied=START + applied)
        )

    def call(
        self, method: str, at: float, kind: Kind = Kind.DUMP, *, process: int = 0, status: int = 200
    ) -> None:
        self.history.calls.append(
            ApiCall(
                process=process,
                method=method,
                operation=self.stream.operation(kind),
                sent=START + at,
                answered=START + at + 0.1,
                status=status,
            )
        )

    def disruption(self, at: float, process: int = 0) -> None:
        """Add a request of a process that met a fault."""
        self.history.disruptions.append(
            Disruption(process=process, description="", start=START + at, end=START + at)
        )

    def task_runs(self, task: str, *instants: float) -> None:
        self.history.task_runs += [TaskRun(task=task, at=START + at) for at in instants]

    def audit(self) -> AuditResult:
        return audit(self.history)

    def violations(self) -> dict[str, int]:
        """Return the names of the violations and how often each was found."""
        violations = self.audit().violations
        return {name: len(found) for name, found in violations.items() if found}


class Instants:
    """Seconds of the run in the format of the log, for `str.format`."""

    def __getitem__(self, second: int) -> str:
        return iso(second)


def span(after: float, first: float, last: float, before: float | None) -> Span:
    return Span(
        after=START + after,
        first=START + first,
        last=START + last,
        before=None if before is None else START + before,
    )


def clean_run(*without: int) -> HistoryBuilder:
    """Return a run without violations, except for the ticks that get no job and no log line."""
    run = HistoryBuilder()
    run.process_run()
    for tick in TICKS:
        if tick not in without:
            run.job(tick)
            run.log(tick, f"tick {{{tick}}}: created job http://j/{tick}")
    return run


def synced_run() -> HistoryBuilder:
    """Return a run of a stream whose initial sync is done at second 9."""
    run = HistoryBuilder(STREAM_WITH_HEALING, horizon=14)
    run.process_run()
    run.job(3.5, kind=Kind.SYNC, done=9, process=0)
    return run
