"""The README's tables, made from the code they describe.

`python -m tests.readme_tables` writes them into README.md; a test holds the two together.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.model import (
    AlreadyDone,
    Create,
    Decision,
    JobKind,
    Refuse,
    Status,
    StreamState,
    Trigger,
    Wait,
)
from jobs.rules import RULES, decide
from settings.fields import EnvironmentStream, FileStream, Service
from tests.builders import DUMP, HEALING, INITIAL_SYNC, job_of, stream_of

if TYPE_CHECKING:
    from pydantic import BaseModel

NOTHING = "\u2013"
README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fields(model: type[BaseModel]) -> str:
    """Return the table of a model's fields."""
    heading = ["| name | default | meaning |", "|---|---|---|"]
    rows = [
        f"| `{info.alias}` | {default(info)} | {info.description} |"
        for info in model.model_fields.values()
    ]
    return "\n".join([*heading, *rows])


def default(info: Any) -> str:
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
        f"{kind.value}, {'a person asks' if trigger is Trigger.REQUEST else trigger.value}"
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
    return word(decide(kind, stream, state, trigger))


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
    """Return every table by the name in its place's comment."""
    models = {model.__name__: fields(model) for model in (EnvironmentStream, FileStream, Service)}
    return models | {"decisions": decisions()}


def with_tables(text: str) -> str:
    """Return the README's text with every table as the code has it now."""
    made = tables()
    return BLOCK.sub(lambda match: f"{match[1]}\n{made[match[2]]}\n\n{match[3]}", text)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
