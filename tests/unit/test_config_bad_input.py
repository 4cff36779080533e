"""Invalid configurations: one line for each problem, whatever the input is."""

from __future__ import annotations

import errno
import json
import os
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError, Settings, load
from settings.fields import Service
from settings.problems import MAX_PART, Problems
from settings.stream_fields import EnvironmentStream, FileStream
from tests.support.configuring import (
    CONFIG,
    ENVIRONMENT,
    OVERRIDE,
    PUBLIC,
    errors_of,
    loaded,
    refused,
    stream,
)

# files

ARRAY = "write an array of streams: [ { … } ]"
OBJECT = "write an object: { … }"
COMMAS = "check for a missing or extra comma, quote or bracket there"
NO_COMMA = f"not JSON: Expecting ',' delimiter; {COMMAS}"
MOUNT = "mount a file (Docker creates a directory if the file to mount does not exist)"
READABLE = "make it readable for the user of the service"
CHMOD = "run chmod -R o+rX on what is mounted there: in the image, the service is user 1000"
BAD_FILES: dict[str, tuple[Any, str]] = {
    "a directory": (
        IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)),
        f": is a directory; {MOUNT}",
    ),
    "not readable": (
        PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
        f": may not be read by the user of the service; {CHMOD}",
    ),
    "an error without a text": (OSError("broken"), f": cannot be read: broken; {READABLE}"),
    "not UTF-8": (
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        ": is not UTF-8; save it as UTF-8",
    ),
    "empty": ("", f": contains nothing; {ARRAY}"),
    "YAML": (
        "- name: public",
        f', line 1, column 1: got "- name: pu" — not JSON: Expecting value; {COMMAS}',
    ),
    "a missing comma": (
        '[\n  {\n    "name": "worship-submissions"\n    "jobsGraph": "urn:a"\n  }\n]',
        rf', line 4, column 5: got "e\": \"worship-submissions\"\n    \"jobsGraph" — {NO_COMMA}',
    ),
    "null": ("null", f": contains null; {ARRAY}"),
    "a string": ('"public"', f": contains a string; {ARRAY}"),
    "a number": ("1e999", f": contains a number; {ARRAY}"),
    "a boolean": ("true", f": contains a boolean; {ARRAY}"),
    "a stream": (stream("public"), ": contains an object; put [ ] around it"),
    "an object": ({"public": stream("public")}, f": contains an object; {ARRAY}"),
    "an array of strings": (["public"], f", stream 1: is a string; {OBJECT}"),
    "an array of arrays": ([[stream("public")]], f", stream 1: is an array; {OBJECT}"),
    "an array of nulls": ([None], f", stream 1: is null; {OBJECT}"),
    "nested deeply": ("[" * 100_000, f": is nested too deeply; {ARRAY}"),
    "a huge number": (f"[{'9' * 5000}]", ": contains a number with thousands of digits; remove it"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.parametrize("environ", [{}, ENVIRONMENT], ids=["alone", "beside the environment"])
def test_an_invalid_config_file_gives_one_line(
    content: object, message: str, environ: dict[str, str]
) -> None:
    beside = {OVERRIDE: {"public": {"startInitialSync": False}}}
    assert errors_of(environ, {CONFIG: content} | beside) == [CONFIG + message]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, ": is a directory", id="a directory"),
        pytest.param(b"[]", ": contains no stream", id="UTF-8"),
        pytest.param(b"\xef\xbb\xbf[]", ": contains no stream", id="UTF-8 with a byte order mark"),
        pytest.param("[]".encode("utf-16"), ": is not UTF-8", id="UTF-16"),
        pytest.param(b"[\xe9]", ": is not UTF-8", id="Latin-1"),
    ],
)
def test_errors_of_the_file_system_become_problems(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load({"CONFIG_FILE": str(path)}, lambda name: Path(name).read_text("utf-8"), lambda: UTC)
    [_, line] = str(caught.value).split("\n")
    assert line.startswith(f"  {path}{message}; ")


def test_a_byte_order_mark_is_ignored() -> None:
    assert loaded(files={CONFIG: "\ufeff" + json.dumps([stream("public")])}).streams


def test_every_item_that_is_not_a_stream_is_reported() -> None:
    errors = errors_of(files={CONFIG: [1, stream("public"), [], stream("status")]})
    assert [line.split(": ")[0] for line in errors] == [
        f"{CONFIG}, stream 1",
        f"{CONFIG}, stream 3",
        f'{CONFIG}, stream 4 "status", name',
    ]


# values

IRIS = ("jobsGraph", "healingJobOperation", "dumpFileCreationTaskOperation", "errorCreatorUri")
SWITCHES = ("startInitialSync", "disableDumpFileCreation", "healShouldNotWaitForInitialSync")
PATTERNS = ("cronPatternDumpJob", "cronPatternHealingJob")
IN_FULL = "write it in full, as in http://example.org/id/jobs"
IN_QUOTES = "not a string; write it in quotes"
NO_SWITCH = "not a boolean; write true or false"
QUARTZ = "drop the last field, Quartz's year"
FIELDS = "write 6 (second minute hour day month weekday) or the last 5"
HIDDEN = "an IRI here holds no invisible character such as"
RETYPE = "remove it, or type the IRI again"
HIDDEN_CHARACTERS = [
    ("\u200b", r"\u200b"),
    ("\xad", r"\xad"),
    ("\ufeff", r"\ufeff"),
    ("\u202e", r"\u202e"),
    ("\U000e0041", r"\U000e0041"),
]
TYPE_AGAIN = "type it again with plain digits, letters and spaces"
INVALID_VALUES: dict[tuple[str, ...], list[tuple[object, str, str]]] = {
    IRIS: [
        (
            "http://a/ b",
            '"http://a/ b"',
            "an IRI holds no ' '; remove the space after \"http://a/\"",
        ),
        ("a/b", '"a/b"', f"not an absolute IRI; {IN_FULL}"),
    ],
    IRIS[:1]: [
        ('http://a/"b', r'"http://a/\"b"', f"an IRI holds no '\"'; {IN_FULL}"),
        (
            "http://a/b\n",
            r'"http://a/b\n"',
            "an IRI holds no '\\n'; remove the white space after \"http://a/b\"",
        ),
        (
            " http://a b/c d",
            '" http://a b/c d"',
            "an IRI holds no ' '; remove the space at the beginning and every other one",
        ),
        (
            "http://redpencil.data.gi ft/id/jobs/concept",
            '"http://redpencil.data.gi ft/id/jobs/concept"',
            "an IRI holds no ' '; remove the space after \"http://redpencil.data.gi\"",
        ),
        ("http://a/b http://c/d", '"http://a/b http://c/d"', f"an IRI holds no ' '; {IN_FULL}"),
        ("http://a/\0b", r'"http://a/\u0000b"', rf"an IRI holds no '\x00'; {IN_FULL}"),
        ("http://a/\x7fb", r'"http://a/\x7fb"', rf"an IRI holds no '\x7f'; {IN_FULL}"),
        (
            "http://a/\u2028b",
            r'"http://a/\u2028b"',
            "an IRI holds no '\\u2028'; remove the white space after \"http://a/\"",
        ),
        ("http://a/\ud800b", r'"http://a/\ud800b"', rf"an IRI holds no '\ud800'; {IN_FULL}"),
        *(
            (f"http://a/{char}b", f'"http://a/{shown}b"', f"{HIDDEN} '{shown}'; {RETYPE}")
            for char, shown in HIDDEN_CHARACTERS
        ),
        ("b\xfccher", '"b\xfccher"', f"not an absolute IRI; {IN_FULL}"),
    ],
    (*IRIS, *PATTERNS, "name"): [
        (True, "true", IN_QUOTES),
        (5, "5", IN_QUOTES),
        (1e400, "Infinity", IN_QUOTES),
        (["http://a/b"], '["http://a/b"]', IN_QUOTES),
        ({"uri": "http://a/b"}, '{"uri": "http://a/b"}', IN_QUOTES),
    ],
    SWITCHES: [
        ("yes", '"yes"', NO_SWITCH),
        ("\ud800", r'"\ud800"', NO_SWITCH),
        (1, "1", NO_SWITCH),
        (0.0, "0.0", NO_SWITCH),
        ([], "[]", NO_SWITCH),
        ({}, "{}", NO_SWITCH),
    ],
    PATTERNS: [
        ("0 0 * *", '"0 0 * *"', f"the pattern has 4 fields; {FIELDS}"),
        ("0 0 0 * * * *", '"0 0 0 * * * *"', f"the pattern has 7 fields; {QUARTZ}"),
        (
            "0 0 0 ? * * *",
            '"0 0 0 ? * * *"',
            f"the pattern has 7 fields; {QUARTZ}, and write * for ?",
        ),
        (
            "0 24 * * *",
            '"0 24 * * *"',
            'hour "24" is not one of 0-23; use 0-23, *, a,b, a-b or */n',
        ),
        (
            "0 0 0 1 0 *",
            '"0 0 0 1 0 *"',
            "months are 1-12; the Node service counted 0-11: write jan",
        ),
        (
            "0 0 * * \ud800",
            r'"0 0 * * \ud800"',
            rf'the pattern holds the character "\ud800"; {TYPE_AGAIN}',
        ),
    ],
}


@pytest.mark.parametrize(
    ("key", "value", "shown", "message"),
    [
        pytest.param(key, *row, id=f"{key}={row[0]!a}")
        for keys, rows in INVALID_VALUES.items()
        for key in keys
        for row in rows
    ],
)
def test_an_invalid_value_gives_one_line(key: str, value: object, shown: str, message: str) -> None:
    where = f"{CONFIG}, stream 1" if key == "name" else PUBLIC
    errors = errors_of(files={CONFIG: [stream("public", **{key: value})]})
    assert errors == [f"{where}, {key}: got {shown} — {message}"]


def test_every_invalid_value_of_every_stream_is_reported() -> None:
    keys = [*IRIS, *SWITCHES, *PATTERNS]
    invalid = dict.fromkeys(keys, 5)
    errors = errors_of(files={CONFIG: [stream("public", **invalid), stream("other", **invalid)]})
    places = [line.split(": ")[0] for line in errors]
    other = f'{CONFIG}, stream 2 "other"'
    assert sorted(places) == sorted(f"{where}, {key}" for where in (PUBLIC, other) for key in keys)


# messages

FORGED = "x\r\nconfiguration: warning: all is well\x1b[2K\x85\u2028\u202e\ud800"
LONG = "x" * 10_000


@pytest.mark.parametrize("hostile", [FORGED, LONG], ids=["forged", "long"])
@pytest.mark.parametrize("place", ["value", "name", "key", "path", "item", "variable", "override"])
def test_a_message_stays_one_line_of_bounded_length(place: str, hostile: str) -> None:
    environ, given = dict(ENVIRONMENT), stream("public", jobsGraph=5)
    files: dict[str, Any] = {CONFIG: [given]}
    if place == "value":
        given["jobsGraph"] = hostile
    elif place == "name":
        given["name"] = hostile
    elif place == "key":
        given[hostile] = hostile
    elif place == "path":
        environ["CONFIG_FILE"] = hostile
    elif place == "item":
        files[CONFIG] = f'[{{"{hostile}": 1, "{hostile}": 2}}, {hostile}'
    elif place == "variable":
        environ |= {f"START_INITIAL_SYN{hostile[:3]}": hostile, "PORT": hostile}
    else:
        files[OVERRIDE] = {hostile: {hostile: hostile}}
    errors, warnings = refused(environ, files)
    for line in (*errors, *warnings):
        assert line.isprintable()
        assert len(line) <= 5 * MAX_PART


@pytest.mark.parametrize(("length", "shown"), [(298, "x" * 298), (299, None)])
def test_the_middle_of_a_long_value_is_left_out(length: int, shown: str | None) -> None:
    shown = shown or "x" * 149 + "…" + "x" * 149
    [line] = errors_of(files={CONFIG: [stream("public", jobsGraph="x" * length)]})
    assert f'got "{shown}" — not an absolute IRI' in line


def test_a_long_place_still_ends_with_the_key() -> None:
    [line, *_] = errors_of(files={CONFIG: [stream("public", jobsGraph=5) | {"name": LONG}]})
    assert line.split(": got ")[0].endswith('x", jobsGraph')


def test_a_value_that_is_nested_too_deeply_is_not_shown() -> None:
    """Writing JSON needs more of the stack than reading it."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    problems = Problems()
    problems.error("here", "not a string", "write it in quotes", deep)
    assert problems.errors == [
        "here: got a value that is nested too deeply — not a string; write it in quotes"
    ]


def test_warnings_follow_the_errors() -> None:
    given = stream("public", healingJobOperation=..., healingJobOperaton="urn:a")
    with pytest.raises(ConfigError) as caught:
        loaded(files={CONFIG: [given]})
    missing = 'healing is enabled; set it, or set "disableHealingJobOperation": true'
    unknown = 'unknown key, ignored; did you mean "healingJobOperation"?'
    assert str(caught.value).split("\n") == [
        "configuration: 1 problem, nothing was started",
        f"  {PUBLIC}, healingJobOperation: not set, but {missing}",
        f"configuration: warning: {PUBLIC}, healingJobOperaton: {unknown}",
    ]


# random input

VARIABLES = [
    *(name.upper() for name in (*EnvironmentStream.model_fields, *Service.model_fields)),
    *("HEALING_JOB_OPERATIO", "PATH", ""),
]
KEYS = [*(str(info.alias) for info in FileStream.model_fields.values()), "healingJobOperaton", ""]
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=())),  # surrogates too
    st.sampled_from(["true", "FALSE", "urn:a", "http://b/sparql", "0 0 * * *", "60", "public"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
STREAMS = st.dictionaries(st.sampled_from(KEYS) | TEXTS, SCALARS)
JSON = st.recursive(
    SCALARS | STREAMS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)
FILES = st.one_of(TEXTS, JSON.map(json.dumps), st.lists(STREAMS).map(json.dumps))


@given(
    environ=st.dictionaries(st.sampled_from(VARIABLES), TEXTS),
    files=st.dictionaries(st.sampled_from([CONFIG, OVERRIDE]), FILES),
    has_zone=st.booleans(),
)
def test_any_input_gives_settings_or_readable_problems(
    environ: dict[str, str], files: dict[str, str], *, has_zone: bool
) -> None:
    def zone() -> tzinfo:
        if has_zone:
            return UTC
        raise LookupError

    try:
        settings = loaded(environ, files, zone)
    except ConfigError as error:
        lines = str(error).split("\n")
        assert len(lines) > 1
    else:
        assert isinstance(settings, Settings)
        assert settings.streams
        hash(settings)
        lines = list(settings.warnings)
    for line in lines:
        assert line.isprintable()
        assert len(line) <= 5 * MAX_PART
