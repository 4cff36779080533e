"""Which updates remove jobs with their tasks and errors.

The deltas of one update are one message, and the dump-file-publisher refuses more than 100 kB. So
each update removes as much as fits in one message.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sparql.answers import Binding, required
from sparql.facts import Subject, parse_subjects
from sparql.terms import is_iri

MAX_DELTAS = 97_000  # bytes of one message; what the message has around the triples comes on top
TRIPLE = 215  # bytes of a triple's JSON without its graph, subject, property and value


class Removal(NamedTuple):
    """One update: every triple of these subjects in a graph, or in every graph."""

    subjects: tuple[str, ...]
    graph: str | None = None


class Part(NamedTuple):
    """What one graph has of an error, a task or a job.

    `step` is the order of removal. `job` is the place of its job in the list of jobs: parts of
    neighbours in that list are removed with one update.
    """

    step: int
    graph: str | None
    job: int
    uri: str
    size: int


def parse_parts(bindings: Sequence[Binding], jobs: Sequence[str]) -> list[Part]:
    """Return what `parts_of_jobs` found of these jobs, without what no update can name.

    No update can name a graph whose IRI is relative. Such a part is removed from every graph.
    """
    subjects = parse_subjects(bindings)
    places = {job: place for place, job in enumerate(jobs)}
    parts = []
    for binding in filter(lambda one: any(one.values()), bindings):
        uri, graph = required(binding, "subject"), required(binding, "graph")
        step = _step(subjects[uri], places)
        if step is not None and is_iri(uri):
            job = places.get(subjects[uri].first("job") or uri, 0)
            size = _size_of_deltas(uri, graph, required(binding, "facts"))
            parts.append(Part(step, graph if is_iri(graph) else None, job, uri, size))
    return parts


def _step(subject: Subject, jobs: Collection[str]) -> int | None:
    """Return when to remove a subject: jobs are last, so that a half-removed one is found again."""
    if subject.is_error:
        return 0
    if subject.is_task:
        return 1
    return 2 if subject.uri in jobs else None


def _size_of_deltas(uri: str, graph: str, facts: str) -> int:
    """Return at least the size of the deltas: `facts` has a line for each triple, or more."""
    each = TRIPLE + len(json.dumps(uri)) + len(json.dumps(graph))
    return (facts.count("\n") + 1) * each + len(json.dumps(facts))


def removals(parts: Iterable[Part]) -> Iterator[Removal]:
    """Yield the updates in their order."""
    ordered = sorted(set(parts), key=lambda part: (part.step, part.graph or "", *part[2:]))
    if len(together := list(_updates(ordered))) == 1:
        yield from together
        return
    for _, step in groupby(ordered, key=lambda part: part.step):
        yield from _updates(step)


def _updates(parts: Iterable[Part]) -> Iterator[Removal]:
    """Yield updates that are as large as allowed; a larger part has an update of its own."""
    for graph, of_graph in groupby(parts, key=lambda part: part.graph):
        subjects: list[str] = []
        size = 0
        for part in of_graph:
            if subjects and size + part.size > MAX_DELTAS:
                yield Removal(tuple(subjects), graph)
                subjects, size = [], 0
            subjects.append(part.uri)
            size += part.size
        yield Removal(tuple(subjects), graph)
