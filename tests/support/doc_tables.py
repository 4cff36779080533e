"""The tables of the documentation that are made from the code.

`python -m tests.support.doc_tables` writes them into the pages. `tests/test_docs.py` fails if a
page has an older table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from jobs.model import JobKind, Status, StreamState, Trigger
from jobs.rules import RULES, AlreadyDone, Create, Decision, Refuse, Wait, decide
from settings.fields import Service
from settings.stream_fields import EnvironmentStream, FileStream
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, NOW, job_of, stream_of

NOTHING = "\u2013"
ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

# The variables that an ordinary deployment may set. All others are in the table for tuning.
COMMON = (
    "MU_SPARQL_ENDPOINT",
    "MU_SPARQL_UPDATEPOINT",
    "TZ",
    "CONFIG_FILE",
    "CONFIG_OVERRIDE_FILE",
    "ERROR_CREATOR_URI",
    "JOB_TIMEOUT_MINUTES",
    "CLOSE_FINISHED_JOBS",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "LOG_SPARQL_ALL",
    "LOG_SPARQL_QUERIES",
    "LOG_SPARQL_UPDATES",
    "PORT",
)


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by the names that an operator writes."""
    return {str(info.alias): info for info in model.model_fields.values()}


def table(infos: dict[str, FieldInfo], names: Iterable[str] | None = None) -> str:
    """Return a table of these fields, by default of all."""
    heading = ["| name | default | meaning |", "|---|---|---|"]
    rows = [
        f"| `{name}` | {default(infos[name])} | {infos[name].description} |"
        for name in (infos if names is None else names)
    ]
    return "\n".join([*heading, *rows])


def default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default is None:
        return NOTHING
    value = info.default
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"


SITUATIONS: dict[str, tuple[StreamState, bool]] = {
    "not synced, no active job": (StreamState(), True),
    "not synced, its initial sync is active": (StreamState((job_of(INITIAL_SYNC),)), True),
    "not synced, another job is active": (StreamState((job_of(DUMP),)), True),
    "not synced, but healed, no active job": (
        StreamState(healed=(job_of(HEALING, Status.SUCCESS),)),
        True,
    ),
    "synced, no active job": (StreamState((), (job_of(INITIAL_SYNC),)), True),
    "synced, a job is active": (StreamState((job_of(HEALING),), (job_of(INITIAL_SYNC),)), True),
    "the kind is disabled": (StreamState((), (job_of(INITIAL_SYNC),)), False),
}


def decisions() -> str:
    """Return the decision table: a row for each situation, a column for each kind and trigger."""
    columns = [(kind, RULES[kind].started_by) for kind in JobKind]
    columns += [(kind, Trigger.REQUEST) for kind in JobKind]
    names = [
        f"{kind.value}, {'call' if trigger is Trigger.REQUEST else trigger.value}"
        for kind, trigger in columns
    ]
    heading = ["| the stream | " + " | ".join(names) + " |", "|---" * (len(columns) + 1) + "|"]
    rows = [
        f"| {situation} | "
        + " | ".join(cell(kind, trigger, state, enabled=on) for kind, trigger in columns)
        + " |"
        for situation, (state, on) in SITUATIONS.items()
    ]
    return "\n".join([*heading, *rows])


def cell(kind: JobKind, trigger: Trigger, state: StreamState, *, enabled: bool) -> str:
    if not enabled and trigger is not Trigger.REQUEST:
        return NOTHING
    stream = stream_of(disabled=() if enabled else [kind])
    return word(decide(stream, kind, trigger, state, NOW))


def word(decision: Decision) -> str:
    match decision:
        case Create():
            return "**create**"
        case AlreadyDone():
            return "already done"
        case Wait():
            return "wait"
        case Refuse():
            return "refuse"


def tables() -> dict[str, str]:
    """Return each table by the name in the comment that marks its place."""
    service = fields(Service)
    return {
        "environment": table(fields(EnvironmentStream)),
        "file": table(fields(FileStream)),
        "service": table(service, COMMON),
        "tuning": table(service, [name for name in service if name not in COMMON]),
        "decisions": decisions(),
    }


def with_tables(text: str) -> str:
    """Return the text of a page with each table as the code has it now."""
    made = tables()
    return BLOCK.sub(lambda match: f"{match[1]}\n{made[match[2]]}\n\n{match[3]}", text)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(with_tables(page.read_text()))
