"""Parsing the store's answers into values; an answer that does not fit the query is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any, TypeAlias

from dateutil.parser import isoparse
from dateutil.tz import UTC

from jobs.clock import EARLIEST
from jobs.model import Job, Status
from sparql.vocabulary import STATUS_BASE

Binding: TypeAlias = dict[str, str]
_DAY_WITH_ZONE = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)")


class AnswerError(ValueError):
    """The answer does not fit the query; the message names the variable or member."""


def parse_bindings(answer: Any) -> list[Binding]:
    """Return the rows of a SELECT's JSON answer; raise `AnswerError` for anything else."""
    try:
        bindings = answer["results"]["bindings"]
        parsed = [{name: term["value"] for name, term in one.items()} for one in bindings]
    except (AttributeError, KeyError, TypeError) as error:
        raise AnswerError(f"not the JSON of a SELECT: {error!r}") from error
    texts = all(isinstance(value, str) for binding in parsed for value in binding.values())
    if not (texts and isinstance(bindings, list)):
        raise AnswerError("not the JSON of a SELECT: its bindings are no list of texts")
    return parsed


def filled(bindings: Iterable[Binding]) -> Iterator[Binding]:
    """Yield the rows that have a value: Virtuoso returns an empty row where there is none."""
    return (binding for binding in bindings if any(binding.values()))


def parse_jobs(bindings: Sequence[Binding]) -> list[str]:
    """Return the URIs of `some_jobs`, each once."""
    return list(dict.fromkeys(required(one, "subject") for one in filled(bindings)))


def parse_errors(bindings: Sequence[Binding]) -> dict[str, datetime | None]:
    """Return the date of each error that `find_errors` found."""
    return {
        required(binding, "error"): parse_date(binding.get("created", "")) for binding in bindings
    }


def parse_newest(bindings: Sequence[Binding]) -> tuple[Job, ...]:
    """Return the jobs of `newest_jobs`, the oldest first.

    Virtuoso returns an empty row where there are none.
    """
    jobs = [_parse_dated(binding) for binding in bindings if binding.get("newest")]
    return tuple(sorted(jobs, key=lambda job: (job.created or EARLIEST, job.uri)))


def _parse_dated(binding: Binding) -> Job:
    created, _, rest = binding["newest"].partition(" ")
    uri, _, status = rest.rpartition(" ")
    return Job(
        uri=uri,
        operation=required(binding, "operation"),
        status=known_status(status),
        created=parse_date(created),
    )


def parse_operations(bindings: Sequence[Binding]) -> frozenset[str]:
    """Return the operations of `operations_in_use`."""
    return frozenset(required(binding, "operation") for binding in filled(bindings))


def parse_date(text: str) -> datetime | None:
    """Return a timestamp as other services write it; one without a zone is in UTC, as theirs are.

    A date counts from the beginning of its day; XML Schema allows a zone after it too.

    Unreadable timestamps are treated as missing, so that another service's mistake cannot block a
    stream. So are the first and the last year of the calendar, which not every zone has.
    """
    day = _DAY_WITH_ZONE.fullmatch(text)
    try:
        instant = isoparse(f"{day[1]}T00:00:00{day[2]}" if day else text)
    except (ValueError, OverflowError):
        return None
    if instant.year in (MINYEAR, MAXYEAR):
        return None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def required(binding: Binding, variable: str) -> str:
    """Return a value; raise `AnswerError` if it is missing."""
    if variable not in binding:
        raise AnswerError(f"?{variable} is missing")
    return binding[variable]


def known_status(text: str) -> Status | None:
    """Return the status with this IRI; None if it is none that this service knows."""
    return next((status for status in Status if STATUS_BASE + status.value == text), None)
