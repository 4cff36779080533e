"""Checking what a source gives against the fields there are, each value by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from settings.values import Flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from settings.problems import Problems

M = TypeVar("M", bound=BaseModel)

ENVIRONMENT = "env"


@dataclass(frozen=True, kw_only=True)
class Source(Generic[M]):
    """One set of settings as one source gives it: checked as `fields`, raw as `given`.

    What `flawed` names was reported already; its checked value is only a stand-in. `origins`
    tells the full place of a key that does not stand at `where`.
    """

    where: str
    fields: M
    given: Mapping[str, Any]
    flawed: frozenset[str] = frozenset()
    origins: Mapping[str, str] = field(default_factory=dict)

    def key(self, name: str) -> str:
        """Return what field `name` is called in this source."""
        return str(type(self.fields).model_fields[name].alias)

    def at(self, name: str) -> str:
        """Say where field `name` stands, or would stand."""
        return place(self.where, self.key(name), self.origins)

    def setting(self, name: str, value: object) -> str:
        """Write field `name` with another value, as it would stand in this source."""
        key, text = self.key(name), json.dumps(value)
        return f"{key}={text}" if self.where == ENVIRONMENT else f'"{key}": {text}'


def place(where: str, key: str, origins: Mapping[str, str]) -> str:
    """Say where `key` stands."""
    separator = " " if where == ENVIRONMENT else ", "
    return origins.get(key, f"{where}{separator}{key}")


def check(
    model: type[M],
    given: Mapping[str, Any],
    where: str,
    problems: Problems,
    origins: Mapping[str, str] | None = None,
) -> Source[M]:
    """Check raw values against a model; what is flawed is reported and gets a stand-in.

    The stand-in is the default, or the example where a value is required: so that one bad value
    doesn't keep the others from being checked.
    """
    origins = origins or {}
    examples = {str(f.alias): f.examples[0] for f in model.model_fields.values() if f.examples}
    flawed: set[str] = set()
    try:
        fields = model.model_validate(given)
    except ValidationError as error:
        for detail in error.errors():
            key = str(detail["loc"][0])
            flawed.add(key)
            flaw = detail["ctx"]["error"] if "ctx" in detail else _missing(key, examples[key])
            problems.error(place(where, key, origins), flaw.problem, flaw.fix, given.get(key))
        sound = {key: value for key, value in given.items() if key not in flawed}
        stand_ins = {key: examples[key] for key in flawed & examples.keys()}
        fields = model.model_validate(sound | stand_ins)
    names = {name for name, info in model.model_fields.items() if info.alias in flawed}
    return Source(where=where, fields=fields, given=given, flawed=frozenset(names), origins=origins)


def _missing(key: str, example: str) -> Flaw:
    return Flaw("not set", f'every stream needs it, e.g. "{key}": "{example}"')


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return what to do about an unknown name: the likely meant one, or removal."""
    spellings = {other.casefold(): other for other in known}
    close = get_close_matches(name.casefold(), spellings, n=1, cutoff=0.75)
    return f'did you mean "{spellings[close[0]]}"?' if close else "remove it"
