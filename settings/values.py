"""The types of settings, each with its own check and error messages.

A check gets the raw value: a string from the environment, or any JSON value. It returns the
checked value or raises `InvalidValue`, which pydantic collects. The checks of pydantic are not
used, because their messages do not explain how to correct the value.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import PlainValidator

from jobs.iri import iri_problem
from jobs.model import JobKind
from jobs.text import invisible
from settings.hosts import EVERY_ADDRESS, is_host, plain_host
from settings.slips import remedy, space_remedy

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
_MIN_MINUTES = 0.001
_MAX_MINUTES = 525_600  # one year
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class InvalidValue(ValueError):
    """A value that a setting cannot have: the problem, and what to do about it."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}; {fix}")
        self.problem = problem
        self.fix = fix


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidValue("not a string", "write it in quotes")
    return value


def _path(value: object) -> str:
    text = _text(value)
    if text.strip().startswith(('"', "'")):
        raise InvalidValue("a path in quotes", "remove the quotes")
    return text


def _iri(value: object) -> str:
    text = _text(value)
    problem = iri_problem(text)
    if problem:
        fix = space_remedy(text, _is_one_iri)
        raise InvalidValue(problem, fix or "write it in full, as in http://example.org/id/jobs")
    hidden = invisible(text)
    if hidden:
        problem = f"an IRI here holds no invisible character such as {hidden!a}"
        raise InvalidValue(problem, "remove it, or type the IRI again")
    return text


def _is_one_iri(text: str) -> bool:
    return iri_problem(text) is None and text.count("://") <= 1


def _url(value: object) -> str:
    text = _iri(value)
    if not (text.isascii() and _is_http(text)):
        fix = "use e.g. http://database:8890/sparql, without user name and password"
        raise InvalidValue("not a usable HTTP address", fix)
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
    host = plain_host(_text(value))
    if host != EVERY_ADDRESS and not (_HOST.fullmatch(host) and is_host(host)):
        fix = "use e.g. 127.0.0.1, or unset it to listen on all addresses; the port is in PORT"
        raise InvalidValue("not an address to listen on", fix)
    return host


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = value.strip().casefold() if isinstance(value, str) else None
    if text not in ("true", "false"):
        raise InvalidValue("not a boolean", "write true or false")
    return text == "true"


def _log_switch(value: object) -> bool:
    """Accept 1 and 0 too, as the Node service did for these switches only."""
    return _switch({"1": True, "0": False}.get(_text(value).strip(), value))


def _name(value: object) -> str:
    text = _text(value)
    if not _NAME.fullmatch(text):
        fix = "use only letters, digits and . _ ~ -, beginning with a letter or digit"
        raise InvalidValue("not usable in the URLs of the stream", fix)
    if text.casefold() in RESERVED_NAMES:
        raise InvalidValue("reserved for the URLs of the service", "choose another name")
    return text


def _log_level(value: object) -> str:
    level = _text(value).strip().upper()
    if level not in logging.getLevelNamesMapping():
        raise InvalidValue("not a log level", "use DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return level


def _log_format(value: object) -> str:
    text = _text(value).strip().casefold()
    if text not in ("text", "json"):
        raise InvalidValue("not a log format", "use text or json")
    return text


def _number(value: object, minimum: float, maximum: float, unit: str) -> float:
    fix = f"use {unit} from {minimum:g} to {maximum:g}"
    text = _text(value).strip()
    if not _DECIMAL.fullmatch(text):
        raise InvalidValue(f"not {unit}", fix)
    if not minimum <= float(text) <= maximum:
        raise InvalidValue("out of range", fix)
    return float(text)


def _whole(value: object, minimum: int, maximum: int, unit: str) -> int:
    number = _number(value, minimum, maximum, unit)
    if not number.is_integer():
        raise InvalidValue(f"not {unit}", f"use {unit} from {minimum} to {maximum}")
    return int(number)


def _seconds(value: object) -> float:
    return _number(value, 0.1, 3600, "a number of seconds")


def _standby_seconds(value: object) -> float:
    return _number(value, 0.1, 86_400, "a number of seconds")


def _hours(value: object) -> float:
    return _number(value, 0.001, 8760, "a number of hours")


def _minutes(value: object) -> float:
    return _number(value, 0, _MAX_MINUTES, "a number of minutes")


def _positive_minutes(value: object) -> float:
    return _number(value, _MIN_MINUTES, _MAX_MINUTES, "a number of minutes")


def _minutes_or_off(value: object) -> float:
    """Refuse very short intervals, which would overload the store."""
    minutes = _minutes(value)
    if 0 < minutes < _MIN_MINUTES:
        raise InvalidValue("out of range", f"use at least {_MIN_MINUTES:g} minutes, or 0 for never")
    return minutes


def _whole_minutes(value: object) -> int:
    return _whole(value, 0, _MAX_MINUTES, "a whole number of minutes")


def _whole_minutes_in_file(value: object) -> int:
    """Accept JSON numbers too."""
    return _whole_minutes(value if isinstance(value, str) else json.dumps(value))


def _replica_number(value: object) -> int:
    return _whole(value, 0, 99, "a whole number")


def _port(value: object) -> int:
    return _whole(value, 1, 65_535, "a port number")


def _validator(check: Callable[[object], Any], json_type: type) -> PlainValidator:
    """Return the validator of a check; a slip of the pen gets its own remedy."""

    def checked(value: object) -> Any:
        try:
            return check(value)
        except InvalidValue as error:
            fix = remedy(value, passes) if isinstance(value, str) else None
            raise InvalidValue(error.problem, fix or error.fix) from error

    def passes(text: str) -> bool:
        try:
            check(text)
        except InvalidValue:
            return False
        return True

    return PlainValidator(checked, json_schema_input_type=json_type)


Text = Annotated[str, _validator(_text, str)]
Path = Annotated[str, _validator(_path, str)]
Iri = Annotated[str, _validator(_iri, str)]
Url = Annotated[str, _validator(_url, str)]
Host = Annotated[str, _validator(_host, str)]
Switch = Annotated[bool, _validator(_switch, bool)]
LogSwitch = Annotated[bool, _validator(_log_switch, bool)]
Name = Annotated[str, _validator(_name, str)]
LogLevel = Annotated[str, _validator(_log_level, str)]
LogFormat = Annotated[str, _validator(_log_format, str)]
Seconds = Annotated[float, _validator(_seconds, float)]
StandbySeconds = Annotated[float, _validator(_standby_seconds, float)]
Hours = Annotated[float, _validator(_hours, float)]
Minutes = Annotated[float, _validator(_minutes, float)]
PositiveMinutes = Annotated[float, _validator(_positive_minutes, float)]
MinutesOrOff = Annotated[float, _validator(_minutes_or_off, float)]
WholeMinutes = Annotated[int, _validator(_whole_minutes, int)]
WholeMinutesInFile = Annotated[int, _validator(_whole_minutes_in_file, int)]
ReplicaNumber = Annotated[int, _validator(_replica_number, int)]
Port = Annotated[int, _validator(_port, int)]
