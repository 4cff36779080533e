"""The rules about delta-notifier: each neighbour gets the deltas that it waits for, and well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from commands.stack.neighbours import ALERTING, CONTROLLER, MAINTAINER, PUBLISHER
from commands.stack.values import DeltaRule, Finding, Result, Right, StackConfiguration
from jobs.model import JobKind

Quad = Mapping[str, Mapping[str, str]]

_STATUS: Final = "http://www.w3.org/ns/adms#status"
_STATUSES: Final = "http://redpencil.data.gift/id/concept/JobStatus/"
_TYPE: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_ERROR: Final = "http://open-services.net/ns/core#Error"
_LISTENERS: Final = {
    MAINTAINER.title: "it handles what it writes to the publication graph once more",
    PUBLISHER.title: "it is called for each status that it sets itself",
    CONTROLLER.title: "it is called for each status and task that it writes itself",
    ALERTING.title: "it is called for an error of its own",
}


class _Delivery(NamedTuple):
    """A triple that a neighbour waits for, for the work that `subject` names."""

    receiver: str
    predicate: str
    object: str
    graph: str
    subject: str

    @property
    def quad(self) -> Quad:
        """The triple as delta-notifier compares it; the subject differs each time."""
        terms = {"predicate": self.predicate, "object": self.object, "graph": self.graph}
        quad = {name: {"type": "uri", "value": value} for name, value in terms.items()}
        return {**quad, "subject": {"type": "uri"}}


def deliveries(stack: StackConfiguration) -> Iterator[Result]:
    """Check that a rule sends each neighbour the triples that it waits for."""
    for file in stack.delta_rules:
        for delivery in dict.fromkeys(_awaited(stack)):
            receiver = delivery.receiver
            to_it = [rule for rule in file.rules if rule.receiver == receiver]
            if any(_matches(rule, delivery.quad) for rule in to_it):
                yield Right(file.file, f"sends {receiver} what it waits for", delivery.subject)
                continue
            problem = f"no rule sends {receiver} the {delivery.subject} in {delivery.graph}"
            match = f'predicate "{delivery.predicate}" and object "{delivery.object}"'
            fix = f"add a rule that matches {match} and calls its /delta"
            yield Finding(file.file, [rule.url for rule in to_it], problem, fix)


def _awaited(stack: StackConfiguration) -> Iterator[_Delivery]:
    """Yield what each neighbour waits for, as far as the stack has it."""
    for job in stack.assignments():
        kind, graph = job.plan.kind, job.stream.jobs_graph
        role = PUBLISHER if kind is JobKind.DUMP else MAINTAINER
        if any(one.tasks[kind] == job.plan.task_operation for one in stack.consumers(kind)):
            scheduled = _STATUSES + "scheduled"
            yield _Delivery(role.title, _STATUS, scheduled, graph, f"tasks of the {job}")
        if stack.controllers:
            success, of_stream = _STATUSES + "success", f"ended tasks of {job.stream}"
            yield _Delivery(CONTROLLER.title, _STATUS, success, graph, of_stream)
        if stack.alerting:
            yield _Delivery(ALERTING.title, _TYPE, _ERROR, graph, f"errors of {job.stream}")


def _matches(rule: DeltaRule, quad: Quad) -> bool:
    """Return whether delta-notifier would send this triple for this rule."""
    return all(
        quad.get(position, {}).get(key) == value
        for position, pattern in rule.match.items()
        for key, value in pattern.items()
    )


def delta_options(stack: StackConfiguration) -> Iterator[Result]:
    """Check that the rules leave a neighbour's own writes out, and send whole jobs."""
    for file in stack.delta_rules:
        for rule in file.rules:
            wrong = list(_wrong_options(rule)) if rule.receiver in _LISTENERS else []
            yield from wrong
            if rule.receiver in _LISTENERS and not wrong:
                good = "ignores the receiver's own writes and has a grace period"
                yield Right(file.file, good, rule.url)


def _wrong_options(rule: DeltaRule) -> Iterator[Finding]:
    if not rule.options.get("ignoreFromSelf"):
        problem = f"the rule for {rule.url} has no ignoreFromSelf, so {_LISTENERS[rule.receiver]}"
        yield _option(rule, "ignoreFromSelf", problem, "true")
    if not rule.options.get("gracePeriod"):
        problem = (
            f"the rule for {rule.url} has no gracePeriod, so it is called for each update at once, "
            "perhaps before the rest of the job is stored"
        )
        yield _option(rule, "gracePeriod", problem, "1000")


def _option(rule: DeltaRule, name: str, problem: str, value: str) -> Finding:
    got: Any = rule.options.get(name)
    return Finding(rule.place, {name: got}, problem, f"add {name}: {value} to its options")
