"""Status reports for tests: short builders, and complete reports of a real stack.

`healthy`, `with_stuck_job` and `store_down` show the streams of a real configuration, each in a
state that operators meet. `report_of` and the other builders make any other report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from jobs.model import Plan, Stream
from jobs.streams import Streams
from tests.support.builders import at
from tests.support.configuring import CONFIG, loaded
from tests.support.shared_data import shared
from web.status.report import (
    ActiveJobReport,
    JobReport,
    KindReport,
    OutcomeReport,
    StatusReport,
    StoreReport,
    StreamReport,
    StuckJobReport,
)

BRUSSELS = ZoneInfo("Europe/Brussels")
NOW = at("2024-01-06T06:00:00.400")
KINDS = ("initial-sync", "healing", "dump")
ENDPOINT = "http://database:8890/sparql"
REFUSED = "http://database:8890/sparql can't be reached: [Errno 111] Connection refused"
REMEDY = (
    "Read the log of delta-producer-dump-file-publisher; if it is not running, clean the jobs:"
    " curl -X DELETE http://localhost/public/dump-publication-graph-jobs"
)
STEPS = (
    "Read the log of delta-producer-dump-file-publisher",
    REMEDY.partition("; ")[2].replace("if", "If", 1),
)
WORDS = {
    "0 0 3 * * *": "every day at 03:00",
    "0 0 4 * * *": "every day at 04:00",
    "42 * * * *": "at minute 42 of every hour",
    "11 */4 * * *": "at minute 11 of every 4th hour",
    "17 */4 * * *": "at minute 17 of every 4th hour",
}


# parts


def job(name: str = "a", status: Any = "success", **more: Any) -> JobReport:
    """Return a job that was created an hour ago and took ten minutes."""
    return JobReport(**_job(name, status, **more))


def active(
    name: str = "b", status: Any = "busy", trouble: StuckJobReport | None = None, **more: Any
) -> ActiveJobReport:
    """Return an active job."""
    return ActiveJobReport(**_job(name, status, **more), trouble=trouble)


def diagnosis(**more: Any) -> StuckJobReport:
    """Return why a job counts as stuck."""
    fixed: dict[str, Any] = {
        "cause": "no sign of life",
        "since": NOW - timedelta(minutes=50),
        "message": "busy for 9 hours; the dumps before took 12 minutes",
        "remedy": REMEDY,
    }
    return StuckJobReport(**fixed | more)


def outcome(result: Any = "created", **more: Any) -> OutcomeReport:
    """Return the outcome of a tick an hour ago."""
    at = NOW - timedelta(hours=1)
    fixed = {"result": result, "at": at, "tick": at, "reason": "", "job": None}
    return OutcomeReport(**fixed | more)


def kind(slug: Any = "dump", **more: Any) -> KindReport:
    """Return a kind that is enabled and has no jobs and no outcome yet."""
    fixed: dict[str, Any] = {
        "kind": slug,
        "enabled": True,
        "job_operation": f"http://example.org/{slug}",
        "task_operation": f"http://example.org/task/{slug}",
        "task_operation_from": "configuration",
        "last_job": None,
        "last_success": None,
        "last_outcome": None,
        "pattern": None,
        "pattern_in_words": None,
        "next_fire_time": None,
        "coming": (),
        "passed": (),
        "active": (),
        "active_count": len(more.get("active", ())),
        "stuck": Counter(job.trouble.cause for job in more.get("active", ()) if job.trouble),
        "recent": (),
    }
    return KindReport(**fixed | more)


def stream(name: str | None = "public", *kinds: KindReport, **more: Any) -> StreamReport:
    """Return a stream; kinds that are not given have no jobs and no outcome."""
    given: dict[str, KindReport] = {kind.kind: kind for kind in kinds}
    fixed: dict[str, Any] = {
        "jobs_graph": "http://mu.semte.ch/graphs/jobs",
        "error_creator": f"http://lblod.data.gift/services/initiator/{name or ''}",
        "synced": True,
    }
    kinds = tuple(given.get(slug) or kind(slug) for slug in KINDS)
    return StreamReport(name=name, kinds=kinds, **fixed | more)


def report_of(*streams: StreamReport, **more: Any) -> StatusReport:
    """Return the report of a service that works."""
    fixed: dict[str, Any] = {
        "version": "2.0.0",
        "now": NOW,
        "started": NOW - timedelta(days=3, hours=4),
        "uptime_seconds": timedelta(days=3, hours=4).total_seconds(),
        "time_zone": "Europe/Brussels",
        "ready": True,
        "problem": None,
        "store": StoreReport(
            endpoint=ENDPOINT, reachable=True, problem=None, history_problem=None, complete=True
        ),
        "detailed": True,
    }
    return StatusReport(streams=streams, **fixed | more)


def _job(name: str, status: str, **more: Any) -> dict[str, Any]:
    fixed = {
        "uri": f"http://redpencil.data.gift/id/job/{name}",
        "status": status,
        "created": NOW - timedelta(hours=1),
        "modified": NOW - timedelta(minutes=50),
    }
    return fixed | more


# a real stack


def healthy() -> StatusReport:
    """Return a report in which every tick of the last day was done."""
    return report_of(*(_done_stream(found) for found in _streams()), stream(None, synced=False))


def with_stuck_job() -> StatusReport:
    """Return a report with a stuck stream, and a stream with jobs of every other status."""
    organizations, public, posts, unnamed = healthy().streams
    uuid, created = "98e14608-b84b-57ed-b9e9-d7388f638a1e", NOW - timedelta(hours=9)
    stuck = active(uuid, created=created, trouble=diagnosis())
    reason = f"active: {stuck.uri} (busy)"
    return report_of(
        organizations,
        _changed(
            public,
            "dump",
            active=(stuck,),
            active_count=1,
            stuck={"no sign of life": 1},
            last_outcome=outcome("waits", reason=reason),
        ),
        _changed(posts, "healing", **_eventful()),
        unnamed,
    )


def store_down() -> StatusReport:
    """Return what the process still knows while the store does not answer."""
    known = healthy()
    gone: dict[str, Any] = {"last_job": None, "last_success": None, "recent": ()}
    gone |= {"active": (), "active_count": 0, "stuck": {}}
    streams = tuple(
        found.model_copy(
            update={
                "synced": None,
                "kinds": tuple(kind.model_copy(update=gone) for kind in found.kinds),
            }
        )
        for found in known.streams
    )
    return report_of(
        *streams,
        store=StoreReport(
            endpoint=ENDPOINT, reachable=False, problem=REFUSED, history_problem=None, complete=True
        ),
    )


def _streams() -> Streams:
    name = "app-organization-portal--config--HEAD--11817ea.json"
    text = (shared("real-configs") / "files" / name).read_text(encoding="utf-8")
    return loaded(files={CONFIG: text}, zone=lambda: BRUSSELS).streams


def _done_stream(configured: Stream) -> StreamReport:
    return stream(
        configured.name,
        *(_done_kind(plan) for plan in configured.plans),
        jobs_graph=configured.jobs_graph,
        error_creator=configured.error_creator,
    )


def _done_kind(plan: Plan) -> KindReport:
    recent = tuple(
        job(f"{plan.kind.slug}-{number}", created=tick, modified=tick + timedelta(minutes=24))
        for number, tick in enumerate(_ticks(plan, NOW - timedelta(days=1), NOW))
    )
    coming = tuple(islice(_ticks(plan, NOW, NOW + timedelta(days=1)), 100))
    pattern = plan.schedule.pattern if plan.schedule else None
    last = recent[-1] if recent else job("first", created=NOW - timedelta(days=30))
    return kind(
        plan.kind.slug,
        enabled=plan.enabled,
        job_operation=plan.job_operation,
        task_operation=plan.task_operation,
        pattern=pattern,
        pattern_in_words=WORDS.get(pattern or ""),
        next_fire_time=coming[0] if coming else None,
        coming=coming,
        passed=tuple(_ticks(plan, NOW - timedelta(days=1), NOW)),
        recent=recent,
        last_job=last,
        last_success=last.created,
        last_outcome=outcome(job=last.uri, at=last.created, tick=last.created) if recent else None,
    )


def _ticks(plan: Plan, start: datetime, end: datetime) -> Iterator[datetime]:
    if plan.schedule is None:
        return
    tick = plan.schedule.next_after(start)
    while tick <= end:
        yield tick
        tick = plan.schedule.next_after(tick)


def _eventful() -> dict[str, Any]:
    """Return a day on which a kind had a job of every status, and several at the same time."""
    statuses = ("success", "failed", "canceled", "unknown", "success", "failed")
    finished = [
        job(
            f"{status}-{number}",
            status,
            created=NOW - timedelta(hours=20 - 3 * number),
            modified=NOW - timedelta(hours=18 - 3 * number, minutes=20 * number),
        )
        for number, status in enumerate(statuses)
    ]
    running = (
        active("busy-1", created=NOW - timedelta(hours=4)),
        active("scheduled-1", "scheduled", created=NOW - timedelta(minutes=30)),
    )
    reason = "missed, with 2 others since 2024-01-05T02:00:00+00:00: no initial sync succeeded yet"
    return {
        "recent": (*finished, *running),
        "active": running,
        "active_count": len(running),
        "last_job": running[-1],
        "last_outcome": outcome("missed", reason=reason, job=finished[-1].uri),
    }


def _changed(found: StreamReport, slug: str, **update: Any) -> StreamReport:
    kinds = tuple(
        kind.model_copy(update=update) if kind.kind == slug else kind for kind in found.kinds
    )
    return found.model_copy(update={"kinds": kinds})
