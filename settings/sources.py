"""Checks of the raw values of one source against a model, each value on its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from settings.problems import Problems
from settings.values import InvalidValue

M = TypeVar("M", bound=BaseModel)

ENVIRONMENT: Final = "env"  # where environment variables are, in messages


@dataclass(kw_only=True)
class Source(Generic[M]):
    """The settings of one source: the `raw` values, and the checked `fields`.

    `where` is the place of the source in messages; `origins` holds the full place of each key that
    comes from another source. `invalid` names the fields whose errors were already reported. The
    checked value of such a field is only a substitute. `origin` is what an operator should know
    about where the settings come from.
    """

    where: str
    raw: Mapping[str, Any]
    fields: M
    invalid: frozenset[str] = frozenset()
    origins: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None

    def key(self, name: str) -> str:
        """Return the key of field `name` in this source."""
        return str(type(self.fields).model_fields[name].alias)

    def place(self, name: str) -> str:
        """Return the place of field `name`, which need not be set."""
        return place_of(self.key(name), self.where, self.origins)

    def setting(self, name: str, value: object) -> str:
        """Return field `name` with another value, written as in this source."""
        key, text = self.key(name), json.dumps(value)
        return f"{key}={text}" if self.where == ENVIRONMENT else f'"{key}": {text}'


def place_of(key: str, where: str, origins: Mapping[str, str]) -> str:
    """Return the place of a key in messages."""
    separator = " " if where == ENVIRONMENT else ", "
    return origins.get(key, f"{where}{separator}{key}")


def validate(
    model: type[M],
    raw: Mapping[str, Any],
    where: str,
    problems: Problems,
    origins: Mapping[str, str] | None = None,
) -> Source[M]:
    """Check raw values against a model, and report each invalid value.

    An invalid value is replaced by the default, or by the example if the setting is required. One
    invalid value therefore does not keep the other values from being checked.
    """
    origins = origins or {}
    examples = {str(f.alias): f.examples[0] for f in model.model_fields.values() if f.examples}
    invalid: dict[str, InvalidValue] = {}
    try:
        fields = model.model_validate(raw)
    except ValidationError as error:
        invalid = {str(detail["loc"][0]): _reason(detail, examples) for detail in error.errors()}
        valid = {key: value for key, value in raw.items() if key not in invalid}
        substitutes = {key: examples[key] for key in invalid.keys() & examples.keys()}
        fields = model.model_validate(valid | substitutes)
    for key, reason in invalid.items():
        problems.error(place_of(key, where, origins), reason.problem, reason.fix, raw.get(key))
    names = frozenset(name for name, info in model.model_fields.items() if info.alias in invalid)
    return Source(where=where, raw=raw, fields=fields, invalid=names, origins=origins)


def _reason(detail: ErrorDetails, examples: Mapping[str, str]) -> InvalidValue:
    """Return what our own check found; only a missing value is found by pydantic itself."""
    if "ctx" in detail:
        reason: InvalidValue = detail["ctx"]["error"]
        return reason
    key = str(detail["loc"][0])
    return InvalidValue("not set", f'every stream needs it, e.g. "{key}": "{examples[key]}"')


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return what to do about an unknown name: use the most similar known name, or remove it."""
    spellings = {other.casefold(): other for other in known}
    close = get_close_matches(name.casefold(), spellings, n=1, cutoff=0.75)
    return f'did you mean "{spellings[close[0]]}"?' if close else "remove it"
