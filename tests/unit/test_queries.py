"""The statements that go out, word for word, and the answers that come back, as values.

`statements/` holds each statement as it is sent: what a reviewer reads there is what a store gets.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph
import pytest
from SPARQLWrapper import SPARQLWrapper

from jobs.model import ErrorResource, Status
from sparql import answers, queries
from sparql.answers import AnswerError
from sparql.vocabulary import PREFIXES, STATUS_BASE
from tests.builders import (
    DUMP,
    HEALING,
    INITIAL_SYNC,
    NOW,
    at,
    job_of,
    new_job,
    operation,
    stream_of,
    task_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jobs.model import Job
    from sparql.answers import Binding

STREAM = stream_of()
NEW = new_job("a")
BUSY = job_of(DUMP, tasks=(task_of("1"), task_of("2", Status.SUCCESS), task_of("3", Status.BUSY)))
ERROR = ErrorResource(
    error_id="e",
    graph=STREAM.jobs_graph,
    creator=STREAM.error_creator,
    message='no "dump":\nwhy \\ ever',
    created=NOW,
)
JOBS = ("http://redpencil.data.gift/id/job/1", "http://redpencil.data.gift/id/job/2")

# -- statements ---------------------------------------------------------------------------------

FOLDER = Path(__file__).with_name("statements")
STATEMENTS = {  # .rq is a query, .ru an update
    "ping.rq": queries.PING,
    "create_job.ru": queries.create_job(NEW),
    "stream_state.rq": queries.stream_state(STREAM, None),
    "stream_state_since.rq": queries.stream_state(STREAM, NOW),
    "stream_state_without_initial_sync.rq": queries.stream_state(
        stream_of(unconfigured=[INITIAL_SYNC]), None
    ),
    "find_jobs.rq": queries.find_jobs(JOBS),
    "active_jobs.rq": queries.active_jobs(STREAM.operations),
    "recent_jobs.rq": queries.recent_jobs(STREAM.operations, NOW),
    "newest_jobs.rq": queries.newest_jobs(STREAM.operations, NOW),
    "half_jobs.rq": queries.half_jobs(STREAM.operations),
    "add_task.ru": queries.add_task(NEW),
    "doubled_jobs.rq": queries.doubled(queries.DOUBLED_JOBS, STREAM.operations),
    "doubled_tasks.rq": queries.doubled(queries.DOUBLED_TASKS, STREAM.operations),
    "mend_doubled.ru": queries.mend_doubled(JOBS),
    "recorded.rq": queries.recorded([ERROR.uri]),
    "end_job.ru": queries.end_job(BUSY, Status.FAILED, NOW),
    "record_error.ru": queries.record_error(ERROR),
    "record_error_of_job.ru": queries.record_error(replace(ERROR, job=BUSY.uri)),
    "jobs_of_operation.rq": queries.jobs_of_operation(operation(DUMP)),
    "delete_jobs.ru": queries.delete_jobs([BUSY, job_of(HEALING)]),
}
UPDATES = [name for name in STATEMENTS if name.endswith(".ru")]

every_statement = pytest.mark.parametrize("name", STATEMENTS)


@every_statement
def test_a_statement_is_sent_as_it_was_reviewed(name: str) -> None:
    assert STATEMENTS[name] + "\n" == (FOLDER / name).read_text(encoding="utf-8")


def test_every_reviewed_statement_is_still_sent() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(STATEMENTS)


@every_statement
def test_a_statement_is_sparql(name: str) -> None:
    store = pyoxigraph.Store()
    if name in UPDATES:
        store.update(STATEMENTS[name])
    else:
        answer = store.query(STATEMENTS[name])
        assert isinstance(answer, pyoxigraph.QuerySolutions)
        assert list(answer) == []


def without_values(text: str) -> str:
    """Leave out IRIs and strings, in which anything may stand."""
    return re.sub(r'<[^<>]*>|"(?:\\.|[^"\\])*"', "", text)


@every_statement
def test_the_prefixes_stand_at_the_head_and_are_those_used(name: str) -> None:
    lines = STATEMENTS[name].split("\n")
    head = [line for line in lines if line.startswith("PREFIX ")]
    assert lines[: len(head)] == head
    body = without_values("\n".join(lines[len(head) :]))
    assert "PREFIX" not in body
    used = set(re.findall(r"\b(\w+):\w", body))
    assert head == [f"PREFIX {name}: <{PREFIXES[name]}>" for name in PREFIXES if name in used]
    assert used <= set(PREFIXES)


@every_statement
def test_a_statement_holds_nothing_that_a_store_of_a_stack_chokes_on(name: str) -> None:
    text = without_values(STATEMENTS[name])
    assert not text.rstrip().endswith(";")  # sparql-parser answers 500 to a trailing one
    assert not re.search(r"\[|_:|\b(CLEAR|DROP|ASK)\b", text)
    assert "$" not in text


@every_statement
def test_sparqlwrapper_takes_a_statement_for_what_it_is(name: str) -> None:
    wrapper = SPARQLWrapper("http://database:8890/sparql")
    wrapper.setQuery(STATEMENTS[name])  # Warns where it knows no better, and a warning fails
    assert wrapper.isSparqlUpdateRequest() is (name in UPDATES)


def test_the_job_goes_out_before_its_task() -> None:
    first, second = STATEMENTS["create_job.ru"].split("} ;\n")
    assert f"<{NEW.uri}> a cogs:Job" in first
    assert f"<{NEW.task_uri}> a task:Task" in second
    assert NEW.task_uri not in first


def test_an_error_of_a_job_that_can_not_be_named_names_none() -> None:
    """A blank node of a store has no IRI."""
    of_blank_node = queries.record_error(replace(ERROR, job="b0"))
    assert of_blank_node == STATEMENTS["record_error.ru"]


def test_ending_a_job_leaves_its_finished_tasks_out() -> None:
    subjects = re.findall(r"^    <(\S+)>$", STATEMENTS["end_job.ru"], re.MULTILINE)
    assert subjects == [BUSY.uri, BUSY.tasks[0].uri, BUSY.tasks[2].uri]


# -- answers ------------------------------------------------------------------------------------


def status(name: Status) -> str:
    return STATUS_BASE + name.value


def binding(**more: str | None) -> Binding:
    """Return a row of a busy dump job, with some values changed, and without those that are None.

    Names are those of the variables, so `taskStatus` is one.
    """
    fixed = {"job": "urn:job", "operation": operation(DUMP), "status": status(Status.BUSY)}
    return {name: value for name, value in {**fixed, **more}.items() if value is not None}


def one_job(*rows: Binding) -> Job:
    (job,) = answers.parse_jobs(rows)
    return job


def document(*rows: Binding, form: str = "literal") -> dict[str, Any]:
    """Return what a store answers to a SELECT."""
    terms = [{name: {"type": form, "value": text} for name, text in row.items()} for row in rows]
    return {"head": {"vars": ["job"]}, "results": {"bindings": terms}}


@pytest.mark.parametrize("form", ["uri", "literal", "typed-literal", "bnode"])
def test_rows_are_read_whatever_form_the_store_gives_its_terms(form: str) -> None:
    assert answers.parse_bindings(document({"a": "1"}, {}, form=form)) == [{"a": "1"}, {}]


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
        # No rows, one might think, and create a job that is there already
        {"results": {"bindings": ""}},
        {"results": {"bindings": {}}},
    ],
    ids=str,
)
def test_what_is_no_answer_to_a_select_is_refused(answer: object) -> None:
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


def test_a_job_needs_neither_dates_nor_task() -> None:
    job = one_job(binding())
    assert (job.created, job.modified, job.tasks) == (None, None, ())


def test_several_rows_of_a_job_are_one_job() -> None:
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
def test_a_job_of_two_statuses_counts_as_active(order: int) -> None:
    rows = [binding(status=status(name)) for name in (Status.SUCCESS, Status.BUSY)]
    assert one_job(*rows[::order]).status is Status.BUSY


@pytest.mark.parametrize("text", ["busy", "http://example.org/busy", status(Status.BUSY) + "/"])
def test_a_status_of_another_vocabulary_is_none_that_is_known(text: str) -> None:
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
def test_a_date_that_can_not_be_read_blocks_nobody(text: str, variable: str) -> None:
    fixed = {"created": "2024-01-06", "modified": "2024-01-06", "taskModified": "2024-01-06"}
    row = binding(task="urn:task", taskStatus=status(Status.BUSY)) | fixed | {variable: text}
    job = one_job(row)
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
        (answers.parse_half_jobs, binding(id="1"), "graph"),
        (answers.parse_half_jobs, binding(graph="urn:graph"), "id"),
        (answers.parse_half_jobs, binding(job=None, graph="urn:graph", id="1"), "job"),
        (answers.parse_recorded, {}, "error"),
        (answers.parse_newest, {"newest": "", "status": "urn:s"}, "operation"),
        (answers.parse_newest, {"newest": "", "operation": "urn:o"}, "status"),
        (answers.parse_subjects, {}, "subject"),
    ],
)
def test_a_variable_that_is_missing_is_named(
    parse: Callable[[Sequence[Binding]], object], row: Binding, missing: str
) -> None:
    with pytest.raises(AnswerError, match=rf"^\?{missing} is missing$"):
        parse([row])


def test_a_state_tells_active_jobs_synced_ones_and_recent_ones_apart() -> None:
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


def test_without_a_since_no_job_is_recent() -> None:
    assert answers.parse_state([binding(created="2024-01-07")], STREAM, None).recent == ()


def test_half_jobs_are_read_with_graph_and_id() -> None:
    (half,) = answers.parse_half_jobs([binding(graph="urn:graph", id="1")])
    assert (half.job.uri, half.graph, half.job_id) == ("urn:job", "urn:graph", "1")


def test_recorded_errors_are_read_with_their_dates() -> None:
    rows = [
        {"error": "urn:a", "created": "2024-01-06T06:00:00Z"},
        {"error": "urn:b", "created": "never"},
    ]
    assert answers.parse_recorded(rows) == {"urn:a": NOW, "urn:b": None}


def test_the_newest_jobs_are_read_the_oldest_first() -> None:
    busy = status(Status.BUSY)
    rows = [
        {"operation": "urn:o", "status": busy, "newest": "2024-01-06T06:00:00Z urn:b"},
        {"operation": "urn:o", "status": "urn:own", "newest": "2024-01-05T06:00:00.5Z urn:a"},
        {"operation": "urn:o", "status": busy, "newest": "never urn:c"},
        {},  # Virtuoso, where there is no job at all
    ]
    found = answers.parse_newest(rows)
    assert [(job.uri, job.status) for job in found] == [
        ("urn:c", Status.BUSY),
        ("urn:a", None),
        ("urn:b", Status.BUSY),
    ]
    assert found[-1].created == NOW


def test_of_a_full_answer_the_last_job_is_left_out_since_it_may_lack_tasks() -> None:
    rows = [binding(job="urn:a"), binding(job="urn:b")]
    assert [job.uri for job in answers.parse_many(rows, 3)] == ["urn:a", "urn:b"]
    assert [job.uri for job in answers.parse_many(rows, 2)] == ["urn:a"]


def test_a_job_that_takes_the_whole_answer_is_looked_at_all_the_same() -> None:
    rows = [binding(task=f"urn:{name}", taskStatus=status(Status.BUSY)) for name in "ab"]
    assert len(answers.parse_many(rows, 2)) == 1


def test_a_task_with_two_statuses_counts_as_running_if_one_of_them_says_so() -> None:
    both = [Status.SUCCESS, Status.BUSY]
    rows = [binding(task="urn:a", taskStatus=status(one)) for one in both]
    (job,) = answers.parse_jobs(rows)
    assert [task.status for task in job.tasks] == [Status.BUSY]


def test_a_batch_holds_each_job_once_and_those_without_a_status() -> None:
    rows: list[Binding] = [
        {"job": "urn:a", "status": status(Status.SUCCESS)},
        {"job": "urn:a", "status": status(Status.BUSY)},
        {"job": "urn:b"},
    ]
    batch = answers.parse_batch(rows, operation(DUMP))
    assert [(job.uri, job.status) for job in batch] == [("urn:a", Status.BUSY), ("urn:b", None)]


def test_subjects_are_read() -> None:
    assert answers.parse_subjects([{"subject": "urn:a"}]) == ("urn:a",)
