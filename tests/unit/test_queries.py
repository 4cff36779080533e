"""Statements as they are sent to a store, and its answers as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files

import pyoxigraph
import pytest
from SPARQLWrapper import SPARQLWrapper

from jobs.model import Job, Status
from sparql import answers, queries
from sparql.answers import AnswerError, Binding
from sparql.vocabulary import STATUS_BASE
from tests.support.builders import DUMP, HEALING, INITIAL_SYNC, NOW, at, operation, stream_of
from tests.support.statements import ERROR, JOB, NEW_JOB, STATEMENTS, Statement

STREAM = stream_of()
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
def test_the_comment_of_a_file_is_not_sent(statement: Statement) -> None:
    text = files("sparql").joinpath("statements", statement.file).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "#" not in without_values(statement.fill())


@every_statement
def test_sparqlwrapper_distinguishes_queries_and_updates(statement: Statement) -> None:
    wrapper = SPARQLWrapper("http://database:8890/sparql")
    wrapper.setQuery(statement.fill())  # It warns if it cannot tell, and a warning fails the test
    assert wrapper.isSparqlUpdateRequest() is statement.is_update


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


def binding(**more: str | None) -> Binding:
    """Return a row of a busy dump job with other values; None removes a variable."""
    fixed = {"job": "urn:job", "operation": operation(DUMP), "status": status(Status.BUSY)}
    return {name: value for name, value in {**fixed, **more}.items() if value is not None}


def test_a_job_with_two_operations_counts_under_each() -> None:
    """A successful initial sync must not be hidden by another operation of the same job."""
    rows = [
        binding(operation=operation(kind), status=status(Status.SUCCESS))
        for kind in (DUMP, INITIAL_SYNC)
    ]
    state = answers.parse_state(rows, STREAM, NOW)
    assert [job.operation for job in state.synced] == [operation(INITIAL_SYNC)]
    assert [job.operation for job in answers.parse_jobs(rows)] == [
        operation(DUMP),
        operation(INITIAL_SYNC),
    ]


def one_job(*rows: Binding) -> Job:
    (job,) = answers.parse_jobs(rows)
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
        binding(
            created="2024-01-06T06:00:00.000Z",
            modified="2024-01-06T07:00:00Z",
            task="urn:task",
            taskStatus=status(Status.SCHEDULED),
            taskModified="2024-01-06T08:00:00+01:00",
        )
    )
    assert (job.uri, job.operation, job.status) == ("urn:job", operation(DUMP), Status.BUSY)
    assert (job.created, job.modified) == (at("2024-01-06T06:00"), at("2024-01-06T07:00"))
    (task,) = job.tasks
    assert (task.uri, task.status) == ("urn:task", Status.SCHEDULED)
    assert task.modified == at("2024-01-06T07:00")


def test_a_job_may_have_no_dates_and_no_task() -> None:
    job = one_job(binding())
    assert (job.created, job.modified, job.tasks) == (None, None, ())


def test_rows_of_one_job_become_one_job() -> None:
    busy = status(Status.BUSY)
    job = one_job(
        binding(task="urn:1", taskStatus=busy, modified="2024-01-06", taskModified="2024-01-01"),
        binding(task="urn:2", taskStatus=busy, modified="2024-01-07", taskModified="2024-01-02"),
        binding(task="urn:1", taskStatus=busy, modified="2024-01-05", taskModified="2024-01-03"),
    )
    assert [(task.uri, task.modified) for task in job.tasks] == [
        ("urn:1", at("2024-01-03")),
        ("urn:2", at("2024-01-02")),
    ]
    assert job.modified == at("2024-01-07")


@pytest.mark.parametrize("order", [1, -1])
def test_a_job_counts_as_active_if_one_of_its_two_statuses_is_active(order: int) -> None:
    rows = [binding(status=status(name)) for name in (Status.SUCCESS, Status.BUSY)]
    assert one_job(*rows[::order]).status is Status.BUSY


@pytest.mark.parametrize("text", ["busy", "http://example.org/busy", status(Status.BUSY) + "/"])
def test_a_status_of_another_vocabulary_is_unknown(text: str) -> None:
    job = one_job(binding(status=text, task="urn:task", taskStatus=text))
    assert (job.status, job.tasks[0].status) == (None, None)
    assert not job.active


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "12:00",
        "2024-13-01T00:00:00Z",
        "9999-12-31T24:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "202\u0664-01-06",
        "\0",
    ],
)
@pytest.mark.parametrize("variable", ["created", "modified", "taskModified"])
def test_an_unreadable_date_is_treated_as_missing(text: str, variable: str) -> None:
    dates_of_row = dict.fromkeys(("created", "modified", "taskModified"), "2024-01-06")
    row = binding(task="urn:task", taskStatus=status(Status.BUSY))
    job = one_job(row | dates_of_row | {variable: text})
    dates = {
        "created": job.created,
        "modified": job.modified,
        "taskModified": job.tasks[0].modified,
    }
    assert {name for name, date in dates.items() if date is None} == {variable}


@pytest.mark.parametrize(
    ("parse", "row", "missing"),
    [
        (answers.parse_jobs, binding(job=None), "job"),
        (answers.parse_jobs, binding(operation=None), "operation"),
        (answers.parse_jobs, binding(status=None), "status"),
        (answers.parse_jobs, binding(task="urn:task"), "taskStatus"),
        (answers.parse_jobs_without_task, binding(id="1"), "graph"),
        (answers.parse_jobs_without_task, binding(graph="urn:graph"), "id"),
        (answers.parse_jobs_without_task, binding(job=None, graph="urn:graph", id="1"), "job"),
        (answers.parse_errors, {}, "error"),
        (answers.parse_newest, {"newest": "", "status": "urn:s"}, "operation"),
        (answers.parse_newest, {"newest": "", "operation": "urn:o"}, "status"),
        (answers.parse_subjects, {}, "subject"),
        (lambda rows: answers.parse_deletable(rows, "urn:operation"), {}, "job"),
    ],
)
def test_the_error_names_a_missing_variable(
    parse: Callable[[Sequence[Binding]], object], row: Binding, missing: str
) -> None:
    with pytest.raises(AnswerError, match=rf"^\?{missing} is missing$"):
        parse([row])


def test_a_state_has_active_synced_healed_and_recent_jobs() -> None:
    sync, success = operation(INITIAL_SYNC), status(Status.SUCCESS)
    rows = [
        binding(job="urn:active", operation=operation(HEALING)),
        binding(job="urn:synced", operation=sync, status=success, created="2024-01-05"),
        binding(job="urn:on time", status=success, created="2024-01-06T06:00:00Z"),
        binding(job="urn:failed", status=status(Status.FAILED), created="2024-01-07"),
        binding(job="urn:syncing", operation=sync, created="2024-01-05"),
        binding(job="urn:healed", operation=operation(HEALING), status=success),
    ]
    state = answers.parse_state(rows, STREAM, at("2024-01-06T06:00"))
    assert [job.uri for job in state.active] == ["urn:active", "urn:syncing"]
    assert [job.uri for job in state.synced] == ["urn:synced"]
    assert [job.uri for job in state.healed] == ["urn:healed"]
    assert [job.uri for job in state.recent] == ["urn:on time", "urn:failed"]


def test_a_job_without_a_task_is_read_with_its_graph_and_id() -> None:
    (found,) = answers.parse_jobs_without_task([binding(graph="urn:graph", id="1")])
    assert (found.job.uri, found.graph, found.job_id) == ("urn:job", "urn:graph", "1")


def test_errors_are_read_with_their_dates() -> None:
    rows = [
        {"error": "urn:a", "created": "2024-01-06T06:00:00Z"},
        {"error": "urn:b", "created": "never"},
    ]
    assert answers.parse_errors(rows) == {"urn:a": NOW, "urn:b": None}


def test_the_newest_jobs_are_sorted_the_oldest_first() -> None:
    busy = status(Status.BUSY)
    rows = [
        {"operation": "urn:o", "status": busy, "newest": "2024-01-06T06:00:00Z urn:b"},
        {"operation": "urn:o", "status": "urn:own", "newest": "2024-01-05T06:00:00.5Z urn:a"},
        {"operation": "urn:o", "status": busy, "newest": "never urn:c"},
        {},  # Virtuoso returns an empty row if there is no job
    ]
    found = answers.parse_newest(rows)
    assert [(job.uri, job.status) for job in found] == [
        ("urn:c", Status.BUSY),
        ("urn:a", None),
        ("urn:b", Status.BUSY),
    ]
    assert found[-1].created == NOW


def test_the_last_job_of_a_full_answer_is_left_out_because_tasks_may_be_missing() -> None:
    rows = [binding(job="urn:a"), binding(job="urn:b")]
    assert [job.uri for job in answers.parse_many(rows, 3)] == ["urn:a", "urn:b"]
    assert [job.uri for job in answers.parse_many(rows, 2)] == ["urn:a"]


def test_a_single_job_that_fills_the_answer_is_kept() -> None:
    rows = [binding(task=f"urn:{name}", taskStatus=status(Status.BUSY)) for name in "ab"]
    assert len(answers.parse_many(rows, 2)) == 1


def test_a_task_counts_as_active_if_one_of_its_two_statuses_is_active() -> None:
    both = (Status.SUCCESS, Status.BUSY)
    (task,) = one_job(*(binding(task="urn:a", taskStatus=status(one)) for one in both)).tasks
    assert task.status is Status.BUSY


def test_each_deletable_job_is_listed_once_also_without_a_status() -> None:
    rows: list[Binding] = [
        {"job": "urn:a", "status": status(Status.SUCCESS)},
        {"job": "urn:a", "status": status(Status.BUSY)},
        {"job": "urn:b"},
    ]
    found = answers.parse_deletable(rows, operation(DUMP))
    assert [(job.uri, job.status) for job in found] == [("urn:a", Status.BUSY), ("urn:b", None)]


def test_subjects_of_duplicate_values_are_read() -> None:
    assert answers.parse_subjects([{"subject": "urn:a"}]) == ("urn:a",)
