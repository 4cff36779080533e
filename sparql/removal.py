"""Which updates remove jobs with their tasks and errors.

The deltas of one update are one message, and the dump-file-publisher refuses more than 100 kB. So
each update removes as much as fits in one message.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from sparql.answers import Binding, filled, required
from sparql.facts import Subject, parse_subjects
from sparql.terms import is_iri

MAX_DELTAS = 97_000  # bytes of one message; what the message has around the triples comes on top
TRIPLE = 215  # bytes of a triple's JSON without its graph, subject, property and value


class Removal(NamedTuple):
    """One update: every triple of these subjects in a graph, or in every graph."""

    subjects: tuple[str, ...]
    graph: str | None = None


class Part(NamedTuple):
    """An error, a task or a job.

    `step` is the order of removal. `graph` is None if it is in several graphs: one update then
    removes all of it. `job` is the place of its job in the list of jobs: parts of neighbours in
    that list are removed with one update.
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
    places = {job: place for place, job in enumerate(jobs)}
    sizes: dict[str, int] = defaultdict(int)
    for binding in filled(bindings):
        sizes[required(binding, "subject")] += _size_of_deltas(binding)
    parts = []
    for uri, subject in parse_subjects(bindings).items():
        step = _step(subject, places)
        if step is not None and is_iri(uri):
            job = places.get(subject.first("job") or uri, 0)
            (graph, *others) = subject.graphs
            named = graph if is_iri(graph) and not others else None
            parts.append(Part(step, named, job, uri, sizes[uri]))
    return parts


def _step(subject: Subject, jobs: Collection[str]) -> int | None:
    """Return when to remove a subject: jobs are last, so that a half-removed one is found again."""
    if subject.is_error:
        return 0
    if subject.is_task:
        return 1
    return 2 if subject.uri in jobs else None


def _size_of_deltas(binding: Binding) -> int:
    """Return at least the size of the deltas: `facts` has a line for each triple, or more."""
    uri, graph, facts = (required(binding, name) for name in ("subject", "graph", "facts"))
    each = TRIPLE + len(json.dumps(uri)) + len(json.dumps(graph))
    return (facts.count("\n") + 1) * each + len(json.dumps(facts))


def removals(parts: Iterable[Part]) -> Iterator[Removal]:
    """Yield the updates in their order.

    In each step, those without a named graph are last: Virtuoso refuses one about a graph that is a
    blank node.
    """
    ordered = sorted(set(parts), key=_order)
    if len(together := list(_updates(ordered))) == 1:
        yield from together
        return
    for _, step in groupby(ordered, key=lambda part: part.step):
        yield from _updates(step)


def _order(part: Part) -> tuple[object, ...]:
    return part.step, part.graph is None, part.graph or "", *part[2:]


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
