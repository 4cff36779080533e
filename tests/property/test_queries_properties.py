"""Statements with any values, and answers with any content."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyoxigraph
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.model import NewJob
from jobs.store import ErrorResource
from sparql import answers, facts, queries
from sparql.answers import AnswerError
from sparql.inspection import inspection_of, scheduled_tasks
from sparql.vocabulary import PROPERTIES, STATUS_BASE
from tests.support.builders import NOW, stream_of

STREAM = stream_of()

# -- statements ---------------------------------------------------------------------------------

KEYWORDS = ["insert", "delete", "select", "ask", "add", "load", "drop", "clear", "prefix", "base"]
WORDS = st.sampled_from(
    [*KEYWORDS, "\n", "#", "PREFIX a: <urn:x>", '"', "\\", "$job", "}", ";", ">"]
)
TEXT = st.lists(WORDS | st.text(max_size=3), max_size=8).map(" ".join)
SEGMENT = st.sampled_from([*KEYWORDS, "a:b", "$job", "$graph", "it's", "%20", "é", "?$$"])
IRI = st.lists(SEGMENT, min_size=1).map("/".join).map("urn:x:{}".format)
NEW_JOBS = st.builds(
    NewJob,
    job_id=st.uuids().map(str),
    task_id=st.uuids().map(str),
    graph=IRI,
    job_operation=IRI,
    task_operation=IRI,
    created=st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - a bound
)
ERRORS = st.builds(
    ErrorResource,
    error_id=st.uuids().map(str),
    graph=IRI,
    creator=IRI,
    message=TEXT,
    created=st.just(NOW),
    job=st.none() | IRI,
)


def applied(text: str) -> list[pyoxigraph.Quad]:
    """Return what an update writes."""
    store = pyoxigraph.Store()
    store.update(text)
    return list(store)


@given(NEW_JOBS)
def test_a_job_and_its_task_are_fifteen_triples_in_one_graph(job: NewJob) -> None:
    quads = applied(queries.create_job(job))
    assert len(quads) == 15
    assert {quad.graph_name for quad in quads} == {pyoxigraph.NamedNode(job.graph)}
    assert {str(quad.subject) for quad in quads} == {f"<{job.uri}>", f"<{job.task_uri}>"}
    assert str(pyoxigraph.NamedNode(job.job_operation)) in {str(quad.object) for quad in quads}


@given(ERRORS)
def test_an_error_is_one_resource_with_its_message(error: ErrorResource) -> None:
    quads = applied(queries.write_error(error))
    assert {str(quad.subject) for quad in quads} == {f"<{error.uri}>"}
    assert len(quads) == (7 if error.job is None else 8)
    (message,) = [quad.object for quad in quads if quad.predicate.value.endswith("#message")]
    assert message == pyoxigraph.Literal(printable(error.message))


def printable(text: str) -> str:
    """Replace the characters that XML forbids."""
    return "".join(
        "\ufffd" if (char < " " and char not in "\t\n\r") or char in "\ufffe\uffff" else char
        for char in text
    )


@given(IRI, IRI, IRI)
def test_a_store_takes_a_query_with_any_operations(sync: str, healing: str, dump: str) -> None:
    names = iter((sync, healing, dump))
    plans = tuple(replace(plan, job_operation=next(names)) for plan in STREAM.plans)
    text = queries.stream_states([replace(STREAM, plans=plans)], [])
    answer = pyoxigraph.Store().query(text)
    assert isinstance(answer, pyoxigraph.QuerySolutions)
    assert list(answer) == []


# -- answers ------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
VALUE = (
    st.text(max_size=5)
    | st.sampled_from(["busy", "success", "failed", "other"]).map(STATUS_BASE.__add__)
    | st.sampled_from([*STREAM.operations, "urn:job", "urn:task"])
    | st.sampled_from(["2024-01-06T06:00:00Z", "0001-01-01", "9999-12-31T24:00", "-1", "24"])
    | st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)
)
TERM = st.one_of(
    st.builds(lambda value: {"type": "literal", "value": value}, VALUE),
    st.builds(
        lambda value, datatype: {"type": "typed-literal", "value": value, "datatype": datatype},
        VALUE,
        VALUE,
    ),
    JSON,
)
NEEDED = ["job", "operation", "status"]
OPTIONAL = ["created", "task", "error", "newest"]
FACTS = st.lists(
    st.tuples(st.sampled_from([*PROPERTIES, "urn:other", ""]), VALUE).map(" ".join), max_size=5
).map("\n".join)
LISTED = st.fixed_dictionaries(
    {
        "subject": TERM,
        "graph": TERM,
        "facts": st.builds(lambda value: {"type": "literal", "value": value}, FACTS),
    }
)
ROW = st.fixed_dictionaries({}, optional=dict.fromkeys([*NEEDED, *OPTIONAL, "subject"], TERM))
GOOD_ROW = st.fixed_dictionaries(
    dict.fromkeys(NEEDED, TERM), optional=dict.fromkeys(OPTIONAL, TERM)
)
ANSWERS = JSON | st.builds(
    lambda rows: {"head": {"vars": []}, "results": {"bindings": rows}},
    st.lists(ROW | GOOD_ROW | LISTED, max_size=4) | JSON,
)
PARSERS: list[Callable[[list[answers.Binding]], object]] = [
    lambda rows: facts.jobs_of(facts.parse_subjects(rows)),
    lambda rows: inspection_of(facts.parse_subjects(rows), STREAM.operations, ()),
    lambda rows: scheduled_tasks(facts.parse_subjects(rows), STREAM.operations),
    answers.parse_errors,
    answers.parse_newest,
    lambda rows: facts.all_jobs_of(facts.parse_subjects(rows), STREAM.operations[0]),
    answers.parse_operations,
]


@given(ANSWERS, st.sampled_from(PARSERS))
@example({"results": {"bindings": {}}}, facts.parse_subjects)
@example(
    {"results": {"bindings": [{"subject": {"value": 7}}]}},
    lambda rows: facts.all_jobs_of(facts.parse_subjects(rows), STREAM.operations[0]),
)
@example({"results": {"bindings": [{"subject": {"value": {}}}]}}, facts.parse_subjects)
def test_any_json_is_parsed_or_refused(
    answer: object, parse: Callable[[list[answers.Binding]], object]
) -> None:
    answer = json.loads(json.dumps(answer))
    with suppress(AnswerError):
        rows = answers.parse_bindings(answer)
        parse(rows)
        assert is_answer_of_select(answer)
        assert all(isinstance(text, str) for row in rows for text in row.values())


def is_answer_of_select(answer: Any) -> bool:
    rows = answer["results"]["bindings"]
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
