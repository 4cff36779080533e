"""All rules, and those about error creators, dates and routes.

Each rule is a function from the whole stack to what is wrong and what is right. It knows nothing of
the other rules. A neighbour that was not found has no results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

from commands.overlaps import overlaps
from commands.stack.delta_rules import deliveries, delta_options
from commands.stack.operation_rules import job_operations, keys, task_operations
from commands.stack.spelling import similar
from commands.stack.values import Finding, Instance, Result, Right, StackConfiguration
from commands.text import instant

HORIZON: Final = timedelta(days=14)


def check(stack: StackConfiguration) -> list[Result]:
    """Return the results of all rules."""
    return [result for rule in RULES for result in rule(stack)]


def error_creators(stack: StackConfiguration) -> Iterator[Result]:
    """Check that error-alert sends the errors: it lists the creator, or no creator at all."""
    for alerting in stack.alerting:
        for instance in stack.instances:
            for stream in instance.settings.streams:
                creator, subject = stream.error_creator, str(stream)
                if not alerting.creators or creator in alerting.creators:
                    yield Right(alerting.file, "sends the errors", subject)
                else:
                    close = similar(creator, alerting.creators)
                    yield Finding(
                        alerting.file,
                        close or list(alerting.creators),
                        f"filters the errors of {subject} away, whose creator is {creator}",
                        f'add "{creator}" to "creators"',
                    )


def same_instant(stack: StackConfiguration) -> Iterator[Result]:
    """Check that no two kinds are due together: they would start together, or one would wait."""
    jobs = list(stack.assignments())
    streams = [stream for instance in stack.instances for stream in instance.settings.streams]
    found = overlaps(streams, stack.now, HORIZON)
    for overlap in found:
        due = [
            next(job for job in jobs if job.stream is one.stream and job.plan.kind is one.kind)
            for one in overlap.kinds
        ]
        names = " and the ".join(map(str, due))
        patterns = [job.plan.schedule.pattern for job in due if job.plan.schedule]
        first = instant(overlap.first, due[0].instance.settings.zone)
        problem = f"the {names} are due together, first at {first}"
        fix = "move one of them by some minutes"
        yield Finding(due[0].place, patterns, problem, fix)
    if not found:
        for place in dict.fromkeys(job.place for job in jobs):
            yield Right(place, f"no two jobs are due at one instant in {HORIZON.days} days")


def exposure(stack: StackConfiguration) -> Iterator[Result]:
    """Check that nothing outside reaches this service: it has no login, and its calls write."""
    for routes in stack.routes:
        exposing = [route for route in routes.routes if route.to_initiator]
        for route in exposing:
            problem = f"this route exposes {route.url} to the outside, and the service has no login"
            yield Finding(route.place, route.path, problem, "remove the route")
        if not exposing:
            yield Right(routes.file, "no route leads to this service")
    for instance in stack.instances:
        yield from _published(instance)


def _published(instance: Instance) -> Iterator[Result]:
    service = instance.service
    if service is None:
        return
    problem = f"exposes {service.name} to the outside, and the service has no login"
    public = [port for port in service.ports if not port.startswith(("127.", "[::1]"))]
    for port in public:
        fix = "remove it, or publish it on 127.0.0.1 only"
        yield Finding(f"{service.place}, ports", port, problem, fix)
    if service.hosts:
        yield Finding(f"{service.place}, VIRTUAL_HOST", service.hosts, problem, "remove it")
    if not (public or service.hosts):
        yield Right(service.place, "no port is published to the outside", service.name)


Rule = Callable[[StackConfiguration], Iterator[Result]]
RULES: Final[tuple[Rule, ...]] = (
    job_operations,
    task_operations,
    keys,
    deliveries,
    delta_options,
    error_creators,
    same_instant,
    exposure,
)
