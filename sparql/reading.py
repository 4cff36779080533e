"""Parsing an answer, or reporting it as a failure of the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sparql.answers import AnswerError, Binding, parse_bindings
from sparql.errors import BadAnswer

T = TypeVar("T")


def read_answer(answer: Any, parse: Callable[[list[Binding]], T]) -> T:
    """Return what is parsed; an answer that does not fit the query is a failure of the store."""
    try:
        return parse(parse_bindings(answer))
    except AnswerError as error:
        raise BadAnswer(str(error)) from error
