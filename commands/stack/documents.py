"""The configuration of each neighbour, checked for the form that its service reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from commands.stack.values import Alerting, Consumer, Controller
from jobs.model import MAINTAINERS_HEALING, TASK_OPERATIONS, JobKind

INITIAL_SYNC_TASK: Final = TASK_OPERATIONS + "initialPublicationGraphSyncing"
DUMP_TASK: Final = TASK_OPERATIONS + "deltaDumpFileCreation"
_T = TypeVar("_T")


class DocumentError(Exception):
    """A file does not have the form that its service reads; the text says where and why."""


class _Document(BaseModel):
    """A part of a document; keys that do not matter here are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)


class _Step(_Document):
    current_operation: str | None = None
    next_operation: str | None = None


class _ControlledJob(_Document):
    tasks_configuration: tuple[_Step, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        steps = [(step.current_operation, step.next_operation) for step in self.tasks_configuration]
        return tuple(dict.fromkeys(task for step in steps for task in step if task is not None))


class _MaintainedStream(_Document):
    initial_publication_graph_sync_job_operation: str = ""
    healing_job_operation: str = ""


class _Alerts(_Document):
    creators: tuple[str, ...] = ()


class Callback(_Document):
    """Whom a rule of delta-notifier calls."""

    url: str


class DeltaDocument(_Document):
    """A rule of delta-notifier."""

    match: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)
    callback: Callback
    options: Mapping[str, Any] = Field(default_factory=dict)


_CONTROLLER: Final = TypeAdapter(dict[str, _ControlledJob])
_MAINTAINER: Final = TypeAdapter(dict[str, _MaintainedStream])
_PUBLISHER: Final = TypeAdapter(dict[str, dict[str, Any]])
_ALERTS: Final = TypeAdapter(_Alerts)
_DELTA: Final = TypeAdapter(DeltaDocument)


def controller(file: str, text: str, _environment: Mapping[str, str]) -> Controller:
    """Return a job-controller by its file."""
    jobs = _json(_CONTROLLER, text)
    return Controller(file, {operation: job.tasks for operation, job in jobs.items()})


def maintainer(file: str, text: str, _environment: Mapping[str, str]) -> Consumer:
    """Return a publication-graph-maintainer by its file; its task operations are fixed."""
    streams = _json(_MAINTAINER, text).values()
    tasks = {JobKind.INITIAL_SYNC: INITIAL_SYNC_TASK, JobKind.HEALING: MAINTAINERS_HEALING}
    listed = {
        JobKind.INITIAL_SYNC: tuple(
            s.initial_publication_graph_sync_job_operation for s in streams
        ),
        JobKind.HEALING: tuple(s.healing_job_operation for s in streams),
    }
    return Consumer(file, tasks, listed)


def publisher(file: str, text: str, environment: Mapping[str, str]) -> Consumer:
    """Return a dump-file-publisher by its file and the variable for its task operation."""
    task = environment.get("DUMP_FILE_CREATION_TASK_OPERATION") or DUMP_TASK
    jobs = _json(_PUBLISHER, text)
    return Consumer(file, {JobKind.DUMP: task}, {JobKind.DUMP: tuple(jobs)})


def alerting(file: str, text: str, _environment: Mapping[str, str]) -> Alerting:
    """Return an error-alert service by its file."""
    return Alerting(file, _json(_ALERTS, text).creators)


def delta_rule(value: object) -> DeltaDocument:
    """Return a rule of delta-notifier."""
    try:
        return _DELTA.validate_python(value)
    except ValidationError as error:
        raise _document_error(error) from error


def _json(adapter: TypeAdapter[_T], text: str) -> _T:
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        raise _document_error(error) from error


def _document_error(error: ValidationError) -> DocumentError:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ", ".join(map(str, first["loc"]))
    return DocumentError(f"{place}: {first['msg']}" if place else first["msg"])
