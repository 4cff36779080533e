"""The kinds of value that a setting can have, each with its own words for what is wrong with one.

Every type checks the raw value, text from the environment or anything JSON can hold, and raises
`Flaw`, which pydantic collects. pydantic's own checks are left out: their words name no remedy.
"""

from __future__ import annotations

import json
import logging
import re
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import PlainValidator

from jobs.model import JobKind
from sparql.terms import TermError, iri

RESERVED_NAMES: Final = frozenset(
    {
        "status",
        "health",
        "metrics",
        "openapi.json",
        "static",
        *(kind.path for kind in JobKind),
    }
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*")
_HOST = re.compile(r"[A-Za-z0-9._:%-]+")
_SHORTEST_WATCH = 0.001  # minutes
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class Flaw(ValueError):
    """What is wrong with one value, and what to do about it."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Flaw("not a text", "write it in quotes")
    return value


def _iri(value: object) -> str:
    text = _text(value)
    try:
        iri(text)
    except TermError as error:
        raise Flaw(str(error), "write it in full, as in http://example.org/id/jobs") from error
    return text


def _url(value: object) -> str:
    text = _iri(value)
    if not (text.isascii() and _is_http(text)):
        fix = "write e.g. http://database:8890/sparql, without user name or password"
        raise Flaw("not an HTTP address that can be used", fix)
    return text


def _is_http(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and "@" not in parts.netloc
    return known and port != 0 and _HOST.fullmatch(host) is not None


def _host(value: object) -> str:
    text = _text(value).strip()
    if not _HOST.fullmatch(text):
        raise Flaw("not an address to listen on", "use e.g. 127.0.0.1, or unset it for all")
    return text


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().casefold() if isinstance(value, str) else None
    if text not in ("true", "false"):
        raise Flaw("neither true nor false", "write true or false")
    return text == "true"


def _log_switch(value: object) -> bool:
    """Take 1 and 0 too: the Node service did, for these switches alone."""
    return _switch({"1": True, "0": False}.get(_text(value).strip(), value))


def _name(value: object) -> str:
    text = _text(value)
    if not _NAME.fullmatch(text):
        fix = "use letters, digits and . _ ~ - only, with a letter or digit first"
        raise Flaw("not usable in the address of the stream's calls", fix)
    if text.casefold() in RESERVED_NAMES:
        raise Flaw("taken by the service's own calls", "choose another name")
    return text


def _level(value: object) -> str:
    level = _text(value).strip().upper()
    if level not in logging.getLevelNamesMapping():
        raise Flaw("not a log level", "use DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return level


def _log_format(value: object) -> str:
    text = _text(value).strip().casefold()
    if text not in ("text", "json"):
        raise Flaw("not a log format", "use text or json")
    return text


def _number(value: object, least: float, most: float, unit: str) -> float:
    fix = f"use {unit} from {least:g} to {most:g}"
    text = _text(value).strip()
    if not _DECIMAL.fullmatch(text):
        raise Flaw(f"not {unit}", fix)
    if not least <= float(text) <= most:
        raise Flaw("out of range", fix)
    return float(text)


def _whole(value: object, least: int, most: int, unit: str) -> int:
    number = _number(value, least, most, unit)
    if not number.is_integer():
        raise Flaw(f"not {unit}", f"use {unit} from {least} to {most}")
    return int(number)


def _seconds(value: object) -> float:
    return _number(value, 0.1, 3600, "a number of seconds")


def _minutes(value: object) -> int:
    return _whole(value, 0, 525_600, "a whole number of minutes")


def _given_minutes(value: object) -> int:
    """Take a number, too: a file can hold one."""
    return _minutes(value if isinstance(value, str) else json.dumps(value))


def _duration(value: object) -> float:
    return _number(value, 0, 525_600, "a number of minutes")


def _watch(value: object) -> float:
    """Take nothing between never and what a store can bear."""
    minutes = _duration(value)
    if 0 < minutes < _SHORTEST_WATCH:
        raise Flaw("out of range", f"use minutes from {_SHORTEST_WATCH:g}, or 0 for never")
    return minutes


def _patience(value: object) -> float:
    return _number(value, _SHORTEST_WATCH, 525_600, "a number of minutes")


def _hours(value: object) -> float:
    return _number(value, 0.001, 8760, "a number of hours")


def _slot(value: object) -> int:
    return _whole(value, 0, 99, "a whole number")


def _port(value: object) -> int:
    return _whole(value, 1, 65_535, "a port number")


Text = Annotated[str, PlainValidator(_text, json_schema_input_type=str)]
Iri = Annotated[str, PlainValidator(_iri, json_schema_input_type=str)]
Url = Annotated[str, PlainValidator(_url, json_schema_input_type=str)]
Host = Annotated[str, PlainValidator(_host, json_schema_input_type=str)]
Switch = Annotated[bool, PlainValidator(_switch, json_schema_input_type=bool)]
LogSwitch = Annotated[bool, PlainValidator(_log_switch, json_schema_input_type=bool)]
Name = Annotated[str, PlainValidator(_name, json_schema_input_type=str)]
Level = Annotated[str, PlainValidator(_level, json_schema_input_type=str)]
LogFormat = Annotated[str, PlainValidator(_log_format, json_schema_input_type=str)]
Seconds = Annotated[float, PlainValidator(_seconds, json_schema_input_type=float)]
Minutes = Annotated[int, PlainValidator(_minutes, json_schema_input_type=int)]
GivenMinutes = Annotated[int, PlainValidator(_given_minutes, json_schema_input_type=int)]
Watch = Annotated[float, PlainValidator(_watch, json_schema_input_type=float)]
Patient = Annotated[float, PlainValidator(_patience, json_schema_input_type=float)]
Duration = Annotated[float, PlainValidator(_duration, json_schema_input_type=float)]
Hours = Annotated[float, PlainValidator(_hours, json_schema_input_type=float)]
Slot = Annotated[int, PlainValidator(_slot, json_schema_input_type=int)]
Port = Annotated[int, PlainValidator(_port, json_schema_input_type=int)]
