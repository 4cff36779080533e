"""Which updates remove the parts of jobs: in which order, and how much each takes."""

from __future__ import annotations

import json

import pytest

from sparql.removal import MAX_DELTAS, Part, Removal, parse_parts, removals
from sparql.vocabulary import ERROR_CLASS, JOB_CLASS, PROPERTIES, TASK_CLASS

JOB, TASK, ERROR = "urn:job", "urn:task", "urn:error"
GRAPH, OTHER = "urn:graph", "urn:other"
IRIS = {name: iri for iri, name in PROPERTIES.items()}
JOB_FACTS = f"{IRIS['type']} {JOB_CLASS}"
TASK_FACTS = f"{IRIS['type']} {TASK_CLASS}\n{IRIS['job']} {JOB}"
ERROR_FACTS = f"{IRIS['type']} {ERROR_CLASS}"


def row(subject: str, facts: str, graph: str = GRAPH) -> dict[str, str]:
    return {"subject": subject, "graph": graph, "facts": facts}


def part(
    uri: str, step: int = 2, *, size: int = 1, graph: str | None = GRAPH, job: int = 0
) -> Part:
    return Part(step, graph, job, uri, size)


def parse(answer: list[dict[str, str]], *jobs: str) -> list[Part]:
    return parse_parts(answer, jobs)


def updates(*parts: Part) -> list[Removal]:
    return list(removals(parts))


def test_all_parts_of_a_job_are_found_with_the_order_of_their_removal() -> None:
    answer = [row(JOB, JOB_FACTS), row(TASK, TASK_FACTS), row(ERROR, ERROR_FACTS)]
    assert [(one.uri, one.step) for one in parse(answer, JOB)] == [
        (JOB, 2),
        (TASK, 1),
        (ERROR, 0),
    ]


def test_what_refers_to_a_job_without_being_its_task_or_an_error_stays() -> None:
    answer = [row("urn:container", f"{IRIS['job']} {JOB}")]
    assert parse(answer, JOB) == []


@pytest.mark.parametrize("answer", [[], [{}]], ids=["no row", "the empty row of Virtuoso"])
def test_an_answer_without_parts_needs_no_update(answer: list[dict[str, str]]) -> None:
    assert list(removals(parse(answer, JOB))) == []


def test_a_blank_node_is_left_out() -> None:
    assert parse([row("b0", JOB_FACTS)], "b0") == []


def test_a_part_in_several_graphs_is_removed_from_all_with_one_update() -> None:
    """If only some of its triples were removed, no later read might find the others."""
    whole, more = row(JOB, JOB_FACTS), row(JOB, f"{IRIS['status']} urn:status", OTHER)
    (found,), (alone,) = parse([whole, more], JOB), parse([whole], JOB)
    assert (found.graph, alone.graph) == (None, GRAPH)
    assert found.size > alone.size


def test_a_graph_that_no_update_can_name_is_searched_for() -> None:
    (found,) = parse([row(JOB, JOB_FACTS, "graphs/1")], JOB)
    assert found.graph is None


@pytest.mark.parametrize(
    "value", ["short", "x" * 5000, '"quoted"\\' * 100, "é😀\u2028\x7f" * 100, "a\nb\n" * 50]
)
@pytest.mark.parametrize("uri", [JOB, "urn:é:" + "x" * 300])
@pytest.mark.parametrize("graph", [GRAPH, "urn:graph:" + "é" * 300], ids=["short", "long"])
def test_the_size_of_the_deltas_is_never_more_than_what_is_counted(
    value: str, uri: str, graph: str
) -> None:
    properties = [f"http://example.org/properties/{number}" for number in range(10)]
    facts = "\n".join([JOB_FACTS, *(f"{name} {value}" for name in properties)])
    (found,) = parse([row(uri, facts, graph)], uri)
    type_ = {"type": "typed-literal", "datatype": "http://www.w3.org/2001/XMLSchema#dateTime"}
    deltas = [
        {
            "graph": {"type": "uri", "value": graph},
            "subject": {"type": "uri", "value": uri},
            "predicate": {"type": "uri", "value": name},
            "object": {**type_, "value": text},
        }
        for name, text in [(IRIS["type"], JOB_CLASS), *((name, value) for name in properties)]
    ]
    assert len(json.dumps(deltas, separators=(",", ":"))) <= found.size


def test_few_parts_of_one_graph_are_removed_with_one_update() -> None:
    assert updates(part(JOB), part(TASK, 1), part(ERROR, 0)) == [Removal((ERROR, TASK, JOB), GRAPH)]


def test_errors_go_first_and_jobs_last_where_one_update_is_not_enough() -> None:
    size = MAX_DELTAS // 2
    assert updates(part(JOB, size=size), part(TASK, 1, size=size), part(ERROR, 0, size=size)) == [
        Removal((ERROR,), GRAPH),
        Removal((TASK,), GRAPH),
        Removal((JOB,), GRAPH),
    ]


def test_an_update_takes_what_fits_and_no_more() -> None:
    size = MAX_DELTAS // 4
    found = updates(*(part(f"urn:{number}", size=size) for number in range(9)))
    assert [len(one.subjects) for one in found] == [4, 4, 1]


def test_a_part_that_is_too_large_has_an_update_of_its_own() -> None:
    large = part("urn:2", size=2 * MAX_DELTAS)
    found = updates(part("urn:1"), large, part("urn:3"))
    assert [one.subjects for one in found] == [("urn:1",), ("urn:2",), ("urn:3",)]


def test_each_graph_has_its_own_updates() -> None:
    found = updates(part("urn:1", graph=None), part("urn:2"), part("urn:3", graph=OTHER))
    assert found == [
        Removal(("urn:2",), GRAPH),
        Removal(("urn:3",), OTHER),
        Removal(("urn:1",), None),  # Virtuoso may refuse it
    ]


def test_parts_of_neighbours_are_removed_together() -> None:
    """Virtuoso needs twice the time for jobs that were not written one after the other."""
    answer = [
        row("urn:task:1", f"{IRIS['type']} {TASK_CLASS}\n{IRIS['job']} urn:job:z"),
        row("urn:task:2", f"{IRIS['type']} {TASK_CLASS}\n{IRIS['job']} urn:job:a"),
        row("urn:job:z", JOB_FACTS),
        row("urn:job:a", JOB_FACTS),
    ]
    (only,) = removals(parse(answer, "urn:job:z", "urn:job:a"))
    assert only.subjects == ("urn:task:1", "urn:task:2", "urn:job:z", "urn:job:a")
    (only,) = removals(parse(answer, "urn:job:a", "urn:job:z"))
    assert only.subjects == ("urn:task:2", "urn:task:1", "urn:job:a", "urn:job:z")


def test_a_part_that_two_jobs_share_is_removed_once() -> None:
    assert updates(part(TASK, 1), part(TASK, 1)) == [Removal((TASK,), GRAPH)]
