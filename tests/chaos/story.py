"""Histories written by hand: a process, its ticks and jobs, told from second 0 of the story."""

from __future__ import annotations

from datetime import UTC, datetime

from chaos.auditor import Verdict, audit
from chaos.history import Asked, Attempt, History, Life, Line, Record, Span, Work
from chaos.streams import Kind, Stream
from chaos.times import Times

START = 1_800_000_000
STATUS = "http://redpencil.data.gift/id/concept/JobStatus/"
STREAM = Stream(name="a", dump="*/10 * * * * *")
HEALED = Stream(name="a", healing="*/10 * * * * *", dump="5/10 * * * * *", syncs=True)
TIMES = Times(window=30, settle=4, timeout=2, error_repeat=18)


def iso(second: float) -> str:
    return datetime.fromtimestamp(START + second, UTC).isoformat()


class Story:
    """One stream; the story is over at second 200, and its ticks are judged up to second 100."""

    def __init__(self, stream: Stream = STREAM, *, horizon: float = 100) -> None:
        self.stream = stream
        self.history = History(
            streams=(stream,), times=TIMES, horizon=START + horizon, end=START + 200
        )

    def life(self, process: int = 0, *, ready: float = 5, ended: float | None = None) -> Life:
        """A process that was ready at an instant; with `ended`, it was killed."""
        life = Life(process=process, slot=0, began=START + ready - 2)
        life.ended = None if ended is None else START + ended
        life.killed = ended is not None
        self.history.lives.append(life)
        self.says(ready, "ready: the schedules are armed")
        return life

    def says(self, at: float, text: str, life: int = -1) -> None:
        self.history.lives[life].lines.append(Line(at=START + at, text=text))

    def tells(self, at: float, text: str, *, kind: Kind = Kind.DUMP, life: int = -1) -> None:
        """A line of one kind; `{5}` in it stands for second 5."""
        written = text.replace("{", "{0[").replace("}", "]}").format(Instants())
        self.says(at, f"{self.stream.who(kind)}: {written}", life)

    def job(  # noqa: PLR0913 - a story names the few that matter to it
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
        """A job, by default seen and sent at once, and done two seconds later."""
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
        record = Record(uri=uri, first=START + seen, values=values, final=final)
        self.history.records.append(record)
        return record

    def attempt(self, uris: list[str], sent: float, applied: float, process: int = 0) -> None:
        self.history.attempts.append(
            Attempt(process=process, sent=START + sent, uris=uris, applied=START + applied)
        )

    def call(
        self, method: str, at: float, kind: Kind = Kind.DUMP, *, process: int = 0, status: int = 200
    ) -> None:
        self.history.calls.append(
            Asked(
                process=process,
                method=method,
                operation=self.stream.operation(kind),
                sent=START + at,
                answered=START + at + 0.1,
                status=status,
            )
        )

    def run(self, task: str, *instants: float) -> None:
        self.history.works += [Work(task=task, at=START + at) for at in instants]

    def verdict(self) -> Verdict:
        return audit(self.history)

    def flagged(self) -> dict[str, int]:
        """What is flagged, and how often."""
        flags = self.verdict().flags
        return {name: len(found) for name, found in flags.items() if found}


class Instants:
    """Seconds of the story as the log writes them, for `str.format`."""

    def __getitem__(self, second: int) -> str:
        return iso(second)


def span(after: float, first: float, last: float, before: float | None) -> Span:
    return Span(
        after=START + after,
        first=START + first,
        last=START + last,
        before=None if before is None else START + before,
    )
