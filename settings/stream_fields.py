"""The settings of one stream: name, default and meaning of each."""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from jobs.model import MAINTAINERS_HEALING, SERVICE, TASK_OPERATIONS, JobKind
from settings.values import Iri, Name, Switch, Text, WholeMinutesInFile

EVERY_MIDNIGHT: Final = "0 0 0 * * *"


class KindFields(NamedTuple):
    """The names of the fields in `StreamFields` that configure one job kind."""

    kind: JobKind
    job_operation: str
    task_operation: str
    pattern: str | None


KIND_FIELDS: Final = (
    KindFields(
        JobKind.INITIAL_SYNC,
        "initial_publication_graph_sync_job_operation",
        "initial_publication_graph_sync_task_operation",
        None,
    ),
    KindFields(
        JobKind.HEALING,
        "healing_job_operation",
        "healing_task_operation",
        "cron_pattern_healing_job",
    ),
    KindFields(
        JobKind.DUMP,
        "dump_file_creation_job_operation",
        "dump_file_creation_task_operation",
        "cron_pattern_dump_job",
    ),
)


# The switches of the environment, and those of the file that have the opposite meaning.
OPPOSITES: Final = {
    "heal_must_wait_for_initial_sync": "heal_should_not_wait_for_initial_sync",
    "enable_dump_file_creation": "disable_dump_file_creation",
    "enable_healing_job_operation": "disable_healing_job_operation",
}


class Choice(NamedTuple):
    """The name of a switch, and the value of that switch that allows something."""

    field: str
    allows: bool


class StreamFields(BaseModel):
    """The settings that every stream has, wherever it is configured.

    `ENABLED_BY` holds the switch that enables each kind. `FREED_BY` is the switch that allows a
    healing without an initial sync. Both depend on the source, because the switches in the
    environment have the opposite meaning of those in the config file.
    """

    model_config = ConfigDict(defer_build=True)  # of itself it never needs a validator
    ENABLED_BY: ClassVar[dict[JobKind, Choice]]
    FREED_BY: ClassVar[Choice]

    initial_publication_graph_sync_job_operation: Iri | None = Field(
        None,
        description="job operation of the initial sync; required if the initial sync is allowed",
    )
    initial_publication_graph_sync_task_operation: Iri = Field(
        TASK_OPERATIONS + "initialPublicationGraphSyncing",
        description="task operation of the initial sync",
    )
    dump_file_creation_job_operation: Iri | None = Field(
        None, description="job operation of the dump; required unless the dump is disabled"
    )
    dump_file_creation_task_operation: Iri = Field(
        TASK_OPERATIONS + "deltaDumpFileCreation", description="task operation of the dump"
    )
    healing_job_operation: Iri | None = Field(
        None, description="job operation of the healing; required unless the healing is disabled"
    )
    healing_task_operation: Iri = Field(
        TASK_OPERATIONS + "patchPublicationGraph",
        description="task operation of the healing; "
        f"the publication-graph-maintainer listens for `{MAINTAINERS_HEALING}`",
    )
    jobs_graph: Iri = Field(
        "http://mu.semte.ch/graphs/system/jobs", description="graph that jobs are written to"
    )
    cron_pattern_healing_job: Text = Field(EVERY_MIDNIGHT, description="schedule of the healing")
    cron_pattern_dump_job: Text = Field(EVERY_MIDNIGHT, description="schedule of the dump")
    start_initial_sync: Switch = Field(
        default=False, description="allow the initial sync, at startup and through the API"
    )


class EnvironmentStream(StreamFields):
    """The stream that environment variables configure."""

    model_config = ConfigDict(frozen=True, alias_generator=str.upper)
    ENABLED_BY: ClassVar = {
        JobKind.INITIAL_SYNC: Choice("start_initial_sync", allows=True),
        JobKind.HEALING: Choice("enable_healing_job_operation", allows=True),
        JobKind.DUMP: Choice("enable_dump_file_creation", allows=True),
    }
    FREED_BY: ClassVar = Choice("heal_must_wait_for_initial_sync", allows=False)

    heal_must_wait_for_initial_sync: Switch = Field(
        default=True,
        description="create no healing before an initial sync succeeded; "
        "`false` is mostly for debugging",
    )
    enable_dump_file_creation: Switch = Field(
        default=True, description="`false`: never create a dump, not even through the API"
    )
    enable_healing_job_operation: Switch = Field(
        default=True, description="`false`: never create a healing, not even through the API"
    )


class FileStream(StreamFields):
    """One stream of the config file; defaults that differ are those of the Node service."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel)
    ENABLED_BY: ClassVar = {
        JobKind.INITIAL_SYNC: Choice("start_initial_sync", allows=True),
        JobKind.HEALING: Choice("disable_healing_job_operation", allows=False),
        JobKind.DUMP: Choice("disable_dump_file_creation", allows=False),
    }
    FREED_BY: ClassVar = Choice("heal_should_not_wait_for_initial_sync", allows=True)

    name: Name = Field(
        description="name of the stream, used in URLs and log lines", examples=["public"]
    )
    jobs_graph: Iri = Field(
        description="graph that jobs are written to",
        examples=["http://mu.semte.ch/graphs/system/jobs"],
    )
    healing_task_operation: Iri = Field(
        MAINTAINERS_HEALING, description="task operation of the healing"
    )
    disable_dump_file_creation: Switch = Field(
        default=False, description="`true`: never create a dump, not even through the API"
    )
    disable_healing_job_operation: Switch = Field(
        default=False, description="`true`: never create a healing, not even through the API"
    )
    heal_should_not_wait_for_initial_sync: Switch = Field(
        default=False,
        description="`true`: create a healing even if no initial sync succeeded; "
        "mostly for debugging",
    )
    job_timeout_minutes: WholeMinutesInFile | None = Field(
        None,
        description="minutes without activity after which an active job of this stream is set to "
        "failed; 0: never; default: JOB_TIMEOUT_MINUTES",
    )
    close_finished_jobs: Switch | None = Field(
        None,
        description="`true`: close jobs of this stream whose tasks have ended; "
        "default: CLOSE_FINISHED_JOBS",
    )
    error_creator_uri: Iri | None = Field(
        None,
        description=f"`dct:creator` of this stream's errors; default: `{SERVICE}/` and the name",
    )


KEYS: Final = tuple(str(info.alias) for info in FileStream.model_fields.values())
