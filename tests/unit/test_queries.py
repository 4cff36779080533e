"""Statements as they are sent to a store, and its answers as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files

import pyoxigraph
import pytest

from jobs.model import SERVICE, Job, Status
from sparql import answers, queries
from sparql.answers import AnswerError, Binding
from sparql.client import ANY_GRAPH
from sparql.facts import jobs_of, parse_subjects
from sparql.inspection import duplicate_values, jobs_without_task, scheduled_tasks
from sparql.vocabulary import JOB_CLASS, PROPERTIES, STATUS_BASE, TASK_CLASS
from tests.support.builders import DUMP, INITIAL_SYNC, NOW, at, operation, stream_of
from tests.support.statements import ERROR, JOB, NEW_JOB, STATEMENTS, Statement

STREAM = stream_of()
GRAPH = STREAM.jobs_graph
PREFIXES = {
    "mu": "http://mu.semte.ch/vocabularies/core/",
    "task": "http://redpencil.data.gift/vocabularies/tasks/",
    "dct": "http://purl.org/dc/terms/",
    "cogs": "http://vocab.deri.ie/cogs#",
    "adms": "http://www.w3.org/ns/adms#",
    "oslc": "http://open-services.net/ns/core#",
    "deltas": "http://redpencil.data.gift/vocabularies/deltas/",
}

# -- statements ---------------------------------------------------------------------------------

every_statement = pytest.mark.parametrize("statement", STATEMENTS, ids=str)


def test_every_file_is_a_statement_that_the_service_sends() -> None:
    folder = files("sparql").joinpath("statements")
    assert {path.name for path in folder.iterdir()} == {statement.file for statement in STATEMENTS}


@every_statement
def test_a_statement_comes_from_its_file(
    monkeypatch: pytest.MonkeyPatch, statement: Statement
) -> None:
    only_one = {statement.file: queries.statement(statement.file)}
    monkeypatch.setattr(queries, "statement", only_one.__getitem__)
    assert statement.fill()


@every_statement
def test_a_statement_is_valid_sparql(statement: Statement) -> None:
    store = pyoxigraph.Store()
    if statement.is_update:
        store.update(statement.fill())
    else:
        answer = store.query(statement.fill())
        assert isinstance(answer, pyoxigraph.QuerySolutions)
        assert list(answer) == []


def without_values(text: str) -> str:
    """Remove IRIs and strings, which may hold any character."""
    return re.sub(r'<[^<>]*>|"(?:\\.|[^"\\])*"', "", text)


@every_statement
def test_the_prefixes_are_at_the_head_and_are_those_that_are_used(statement: Statement) -> None:
    lines = statement.fill().split("\n")
    head = [line for line in lines if line.startswith("PREFIX ")]
    assert lines[: len(head)] == head
    body = without_values("\n".join(lines[len(head) :]))
    assert "PREFIX" not in body
    used = set(re.findall(r"\b(\w+):\w", body))
    assert head == [f"PREFIX {name}: <{PREFIXES[name]}>" for name in PREFIXES if name in used]
    assert used <= set(PREFIXES)


@every_statement
def test_a_statement_holds_nothing_that_a_store_of_a_stack_refuses(statement: Statement) -> None:
    text = without_values(statement.fill())
    assert not text.rstrip().endswith(";")  # sparql-parser answers 500 to a trailing one
    assert not re.search(r"\[|_:|\b(CLEAR|DROP|ASK)\b", text)
    assert "$" not in text


@every_statement
def test_a_query_that_searches_leaves_room_for_a_new_text(statement: Statement) -> None:
    """Virtuoso keeps the plan of a text."""
    named = statement.is_update or statement.file == "ping.rq"
    assert (ANY_GRAPH in statement.fill()) is not named


@every_statement
def test_no_list_of_operations_has_only_one(statement: Statement) -> None:
    """A Virtuoso begins with an operation that a list of one names, and that has the history."""
    for list_of_operations in re.findall(r'"" *\) IN \(([^)]*)\)', statement.fill()):
        assert list_of_operations.count(",") >= 1


@every_statement
def test_the_comment_of_a_file_is_not_sent(statement: Statement) -> None:
    text = files("sparql").joinpath("statements", statement.file).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "#" not in without_values(statement.fill())


def test_a_job_is_inserted_before_its_task() -> None:
    first, second = queries.create_job(NEW_JOB).split("} ;\n")
    assert f"<{NEW_JOB.uri}> a cogs:Job" in first
    assert f"<{NEW_JOB.task_uri}> a task:Task" in second
    assert NEW_JOB.task_uri not in first


def test_a_guarded_job_is_inserted_before_its_task_each_with_a_condition_of_its_own() -> None:
    first, second = queries.create_job(NEW_JOB, guarded=True).split("} ;\n")
    for text, uri, other in (
        (first, NEW_JOB.uri, NEW_JOB.task_uri),
        (second, NEW_JOB.task_uri, NEW_JOB.uri),
    ):
        condition = text.partition("WHERE {")[2]
        assert uri in condition
        assert f"{other}>" not in condition


def test_an_error_references_no_job_without_an_iri() -> None:
    """A blank node of the store has none."""
    of_blank_node = queries.write_error(replace(ERROR, job="b0"))
    assert of_blank_node == queries.write_error(ERROR)


def test_a_final_status_is_given_to_the_job_and_its_unfinished_tasks() -> None:
    text = queries.set_status(JOB, Status.FAILED, NOW)
    subjects = re.findall(r"^    <(\S+)>$", text, re.MULTILINE)
    assert subjects == [JOB.uri, JOB.tasks[0].uri, JOB.tasks[2].uri]


# -- answers ------------------------------------------------------------------------------------


def status(name: Status) -> str:
    return STATUS_BASE + name.value


IRIS = {name: iri for iri, name in PROPERTIES.items()}


def subject(uri: str, graph: str = GRAPH, /, **values: str | Sequence[str]) -> Binding:
    """Return the row of a subject with these properties; a sequence is several values of one."""
    lines = [
        f"{IRIS[name]} {one}"
        for name, value in values.items()
        for one in ([value] if isinstance(value, str) else value)
    ]
    return {"subject": uri, "graph": graph, "facts": "\n".join(lines)}


def job_row(uri: str = "urn:job", **more: str | Sequence[str]) -> Binding:
    """Return the row of a busy dump job with other values."""
    fixed: dict[str, str | Sequence[str]] = {
        "type": JOB_CLASS,
        "operation": operation(DUMP),
        "status": status(Status.BUSY),
    }
    return subject(uri, **(fixed | more))


def task_row(uri: str = "urn:task", **more: str | Sequence[str]) -> Binding:
    """Return the row of a busy task of that job with other values."""
    fixed: dict[str, str | Sequence[str]] = {
        "type": TASK_CLASS,
        "job": "urn:job",
        "status": status(Status.BUSY),
    }
    return subject(uri, **(fixed | more))


def test_a_job_with_two_operations_counts_under_each() -> None:
    """A successful initial sync must not be hidden by another operation of the same job."""
    both = [operation(DUMP), operation(INITIAL_SYNC)]
    found = jobs_of(parse_subjects([job_row(operation=both)]))
    assert [job.operation for job in found] == both
    synced = jobs_of(parse_subjects([job_row(operation=both)]), {operation(INITIAL_SYNC)})
    assert [job.operation for job in synced] == [operation(INITIAL_SYNC)]


def one_job(*rows: Binding) -> Job:
    (job,) = jobs_of(parse_subjects(rows))
    return job


@pytest.mark.parametrize("type_of_term", ["uri", "literal", "typed-literal", "bnode"])
def test_rows_hold_the_values_of_terms_of_any_type(type_of_term: str) -> None:
    rows = [{"a": {"type": type_of_term, "value": "1"}}, {}]
    answer = {"head": {"vars": ["a"]}, "results": {"bindings": rows}}
    assert answers.parse_bindings(answer) == [{"a": "1"}, {}]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        True,
        7,
        "text",
        [],
        {},
        {"boolean": True},
        {"results": None},
        {"results": []},
        {"results": {}},
        {"results": {"bindings": None}},
        {"results": {"bindings": "ab"}},
        {"results": {"bindings": [None]}},
        {"results": {"bindings": [[]]}},
        {"results": {"bindings": ["a"]}},
        {"results": {"bindings": [{"a": None}]}},
        {"results": {"bindings": [{"a": "b"}]}},
        {"results": {"bindings": [{"a": {}}]}},
        {"results": {"bindings": [{"a": {"value": None}}]}},
        {"results": {"bindings": [{"a": {"value": 7}}]}},
        {"results": {"bindings": [{"a": {"value": ["b"]}}]}},
        # Taken as no rows, these would let the service create a job that exists already
        {"results": {"bindings": ""}},
        {"results": {"bindings": {}}},
    ],
    ids=str,
)
def test_another_answer_than_that_of_a_select_is_refused(answer: object) -> None:
    with pytest.raises(AnswerError, match="not the JSON of a SELECT"):
        answers.parse_bindings(answer)


def test_a_job_is_read_with_its_task() -> None:
    job = one_job(
        job_row(created="2024-01-06T06:00:00.000Z", modified="2024-01-06T07:00:00Z"),
        task_row(status=status(Status.SCHEDULED), modified="2024-01-06T08:00:00+01:00"),
    )
    assert (job.uri, job.operation, job.status) == ("urn:job", operation(DUMP), Status.BUSY)
    assert (job.created, job.modified) == (at("2024-01-06T06:00"), at("2024-01-06T07:00"))
    assert job.graph == GRAPH
    (task,) = job.tasks
    assert (task.uri, task.status) == ("urn:task", Status.SCHEDULED)
    assert task.modified == at("2024-01-06T07:00")


def test_a_job_may_have_no_dates_and_no_task() -> None:
    job = one_job(job_row())
    assert (job.created, job.modified, job.tasks) == (None, None, ())


def test_a_job_in_two_graphs_is_one() -> None:
    job = one_job(
        job_row(modified="2024-01-06"), subject("urn:job", "urn:graph", modified="2024-01-07")
    )
    assert job.modified == at("2024-01-07")


def test_the_earliest_creation_and_the_latest_modification_count() -> None:
    dates = ["2024-01-07", "2024-01-06", "2024-01-08"]
    job = one_job(job_row(created=dates, modified=dates), task_row(created=dates, modified=dates))
    for one in (job, job.tasks[0]):
        assert (one.created, one.modified) == (at("2024-01-06"), at("2024-01-08"))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-24", "2026-11-24T00:00:00Z"),
        ("2026-11-24Z", "2026-11-24T00:00:00Z"),
        ("2026-11-24+02:00", "2026-11-23T22:00:00Z"),
        ("2026-11-24-05:30", "2026-11-24T05:30:00Z"),
    ],
)
def test_a_date_with_a_zone_begins_in_that_zone(text: str, instant: str) -> None:
    assert one_job(job_row(created=text)).created == at(instant)


@pytest.mark.parametrize("order", [1, -1])
def test_a_job_or_task_counts_as_active_if_one_of_its_two_statuses_is(order: int) -> None:
    both = [status(name) for name in (Status.SUCCESS, Status.BUSY)][::order]
    job = one_job(job_row(status=both), task_row(status=both))
    assert (job.status, job.tasks[0].status) == (Status.BUSY, Status.BUSY)


@pytest.mark.parametrize("text", ["busy", "http://example.org/busy", status(Status.BUSY) + "/"])
def test_a_status_of_another_vocabulary_is_unknown(text: str) -> None:
    job = one_job(job_row(status=text), task_row(status=text))
    assert (job.status, job.tasks[0].status) == (None, None)
    assert not job.active


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "12:00",
        "2024-13-01T00:00:00Z",
        "2024-02-30Z",
        "2024-01-06+2:00",
        "9999-12-31T24:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "202\u0664-01-06",
        "\0",
    ],
)
@pytest.mark.parametrize("name", ["created", "modified"])
def test_an_unreadable_date_is_treated_as_missing(text: str, name: str) -> None:
    dates = dict.fromkeys(("created", "modified"), "2024-01-06") | {name: text}
    job = one_job(job_row(**dates), task_row(**dates))
    for one in (job, job.tasks[0]):
        found = {"created": one.created, "modified": one.modified}
        assert [key for key, date in found.items() if date is None] == [name]


@pytest.mark.parametrize(
    "row",
    [
        job_row(type=TASK_CLASS),
        job_row(status=[]),
        job_row(operation=[]),
        task_row(),
    ],
)
def test_what_is_no_job_with_status_and_operation_is_none(row: Binding) -> None:
    assert not jobs_of(parse_subjects([row]))


def test_a_task_without_a_status_counts_as_none() -> None:
    assert not one_job(job_row(), task_row(status=[])).tasks


def test_lines_of_a_longer_text_are_no_properties() -> None:
    row = job_row()
    row["facts"] += "\nhttp://example.org/text first\n\nsecond line"
    assert one_job(row) == one_job(job_row())


def test_an_empty_row_is_no_subject() -> None:
    """Virtuoso returns one if nothing is found."""
    assert not parse_subjects([{}, {"facts": ""}])


@pytest.mark.parametrize(
    ("parse", "row", "missing"),
    [
        (parse_subjects, {"graph": "urn:g", "facts": "a"}, "subject"),
        (parse_subjects, {"subject": "urn:s", "facts": "a"}, "graph"),
        (parse_subjects, {"subject": "urn:s", "graph": "urn:g"}, "facts"),
        (parse_subjects, {"other": "urn:s"}, "subject"),
        (answers.parse_errors, {}, "error"),
        (answers.parse_newest, {"newest": "2024-01-06T06:00:00Z urn:a urn:s"}, "operation"),
        (answers.parse_operations, {"other": "urn:o"}, "operation"),
    ],
)
def test_the_error_names_a_missing_variable(
    parse: Callable[[Sequence[Binding]], object], row: Binding, missing: str
) -> None:
    with pytest.raises(AnswerError, match=rf"^\?{missing} is missing$"):
        parse([row])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([job_row(id="1", creator=SERVICE)], True),
        ([job_row(id="1", creator=SERVICE), task_row(status=[])], False),
        ([job_row(id="1", creator=SERVICE, status=status(Status.FAILED))], False),
        ([job_row(id="1", creator="urn:other")], False),
        ([job_row(creator=SERVICE)], False),
    ],
    ids=["no task", "a task without a status", "finished", "of another service", "no id"],
)
def test_an_active_job_of_this_service_without_a_task_is_found(
    rows: Sequence[Binding], *, found: bool
) -> None:
    ones = jobs_without_task(parse_subjects(rows), STREAM.operations)
    expected = [("urn:job", GRAPH, "1")] if found else []
    assert [(one.job.uri, one.graph, one.job_id) for one in ones] == expected


BUSY_AND_DONE = [status(Status.BUSY), status(Status.SUCCESS)]
DATES = ["2024-01-06T06:00:00Z", "2024-01-06T06:00:01Z"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([job_row(creator=SERVICE, status=BUSY_AND_DONE)], ["urn:job"]),
        ([job_row(creator=SERVICE, created=DATES)], ["urn:job"]),
        ([job_row(creator=SERVICE, modified=DATES), task_row()], ["urn:job"]),
        ([job_row(creator=SERVICE), task_row(created=DATES)], ["urn:task"]),
        ([job_row(creator=SERVICE, created=[DATES[0], "2024-01-06T07:00:00+01:00"])], []),
        ([job_row(creator=SERVICE, created=[DATES[0], "never"])], []),
        ([job_row(creator=SERVICE, status=[status(Status.BUSY), "urn:other"])], []),
        ([job_row(creator="urn:other", status=BUSY_AND_DONE)], []),
        ([job_row(creator=SERVICE, status=BUSY_AND_DONE, operation="urn:other")], []),
        ([task_row(status=BUSY_AND_DONE)], []),
    ],
)
def test_duplicate_values_of_this_services_jobs_and_tasks_are_found(
    rows: Sequence[Binding], found: Sequence[str]
) -> None:
    assert duplicate_values(parse_subjects(rows), STREAM.operations) == tuple(found)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (task_row(status=status(Status.SCHEDULED), operation="urn:task-operation"), True),
        (task_row(status=status(Status.SCHEDULED), operation="urn:other"), False),
        (task_row(status=status(Status.BUSY), operation="urn:task-operation"), False),
        (task_row(status=status(Status.SCHEDULED), operation="urn:task-operation", job=[]), False),
        (job_row(status=status(Status.SCHEDULED), operation="urn:task-operation"), False),
    ],
    ids=["found", "of another operation", "busy", "of no job", "a job"],
)
def test_scheduled_tasks_are_found_with_their_jobs(row: Binding, *, found: bool) -> None:
    ones = scheduled_tasks(parse_subjects([row]), ["urn:task-operation"])
    assert [(one.task, one.job) for one in ones] == ([("urn:task", "urn:job")] if found else [])


def test_errors_are_read_with_their_dates() -> None:
    rows = [
        {"error": "urn:a", "created": "2024-01-06T06:00:00Z"},
        {"error": "urn:b", "created": "never"},
    ]
    assert answers.parse_errors(rows) == {"urn:a": NOW, "urn:b": None}


def test_the_newest_jobs_are_sorted_the_oldest_first() -> None:
    busy, success = status(Status.BUSY), status(Status.SUCCESS)
    rows = [
        {"operation": "urn:o", "newest": f"2024-01-06T06:00:00Z urn:b {busy}"},
        {"operation": "urn:p", "newest": f"2024-01-05T06:00:00.5Z urn:a b {success}"},
        {"operation": "urn:q", "newest": "never urn:c urn:own"},
        {},  # Virtuoso returns an empty row if there is no job
    ]
    found = answers.parse_newest(rows)
    assert [(job.uri, job.operation, job.status) for job in found] == [
        ("urn:c", "urn:q", None),
        ("urn:a b", "urn:p", Status.SUCCESS),
        ("urn:b", "urn:o", Status.BUSY),
    ]
    assert found[-1].created == NOW
