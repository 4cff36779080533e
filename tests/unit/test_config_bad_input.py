"""Configurations that can't be used: one line for each cause, whatever the input is."""

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
from settings.fields import EnvironmentStream, FileStream, Service
from settings.problems import LONGEST_PART, Problems
from tests.configuring import CONFIG, ENVIRONMENT, OVERRIDE, errors_of, loaded, refused, stream

PUBLIC = f'{CONFIG}, stream 1 "public"'

# files

ARRAY = "write an array of streams: [ { … } ]"
OBJECT = "write an object: { … }"
COMMAS = "look for a comma, quote or bracket too many or too few there"
NO_COMMA = f"not JSON: Expecting ',' delimiter; {COMMAS}"
FOLDER = "mount a file (docker makes a folder where the file to mount does not exist)"
READABLE = "see to it that the service's user can read it"
BAD_FILES: dict[str, tuple[Any, str]] = {
    "a folder": (
        IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)),
        f": is a folder; {FOLDER}",
    ),
    "not readable": (
        PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
        f": can't be read: Permission denied; {READABLE}",
    ),
    "an error without a text": (OSError("broken"), f": can't be read: broken; {READABLE}"),
    "not UTF-8": (
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        ": is not UTF-8; save it as UTF-8",
    ),
    "empty": ("", f', line 1, column 1: got "" — not JSON: Expecting value; {COMMAS}'),
    "YAML": (
        "- name: public",
        f', line 1, column 1: got "- name: pu" — not JSON: Expecting value; {COMMAS}',
    ),
    "a comma too few": (
        '[\n  {\n    "name": "worship-submissions"\n    "jobsGraph": "urn:a"\n  }\n]',
        rf', line 4, column 5: got "e\": \"worship-submissions\"\n    \"jobsGraph" — {NO_COMMA}',
    ),
    "null": ("null", f": holds null; {ARRAY}"),
    "a text": ('"public"', f": holds a text; {ARRAY}"),
    "a number": ("1e999", f": holds a number; {ARRAY}"),
    "a boolean": ("true", f": holds true or false; {ARRAY}"),
    "an object": (stream("public"), f": holds an object; {ARRAY}"),
    "an array of texts": (["public"], f", stream 1: is a text; {OBJECT}"),
    "an array of arrays": ([[stream("public")]], f", stream 1: is an array; {OBJECT}"),
    "an array of nulls": ([None], f", stream 1: is null; {OBJECT}"),
    "nested deeply": ("[" * 100_000, f": is nested too deeply; {ARRAY}"),
    "a huge number": (f"[{'9' * 5000}]", ": holds a number of thousands of digits; remove it"),
}


@pytest.mark.parametrize(("content", "says"), BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.parametrize("environ", [{}, ENVIRONMENT], ids=["alone", "beside the environment"])
def test_what_is_no_config_file_gives_one_line(
    content: object, says: str, environ: dict[str, str]
) -> None:
    beside = {OVERRIDE: {"public": {"startInitialSync": False}}}
    assert errors_of(environ, {CONFIG: content} | beside) == [CONFIG + says]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, ": is a folder", id="a folder"),
        pytest.param(b"[]", ": holds no stream", id="UTF-8"),
        pytest.param(b"\xef\xbb\xbf[]", ": holds no stream", id="UTF-8 with a byte order mark"),
        pytest.param("[]".encode("utf-16"), ": is not UTF-8", id="UTF-16"),
        pytest.param(b"[\xe9]", ": is not UTF-8", id="Latin-1"),
    ],
)
def test_what_the_machine_says_of_a_file_is_understood(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.json"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load({"CONFIG_FILE": str(path)}, lambda name: Path(name).read_text("utf-8"), lambda: UTC)
    [_, line] = str(caught.value).split("\n")
    assert line.startswith(f"  {path}{says}; ")


def test_a_byte_order_mark_does_no_harm() -> None:
    assert loaded(files={CONFIG: "\ufeff" + json.dumps([stream("public")])}).streams


def test_every_item_that_is_no_stream_is_told() -> None:
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
IN_QUOTES = "not a text; write it in quotes"
NO_SWITCH = "neither true nor false; write true or false"
FIELDS = "write 6 (second minute hour day month weekday) or the last 5"
TYPE_AGAIN = "type it again with plain digits, letters and spaces"
BAD_VALUES: dict[tuple[str, ...], list[tuple[object, str, str]]] = {
    IRIS: [
        ("http://a/ b", '"http://a/ b"', f"an IRI holds no ' '; {IN_FULL}"),
        ('http://a/"b', r'"http://a/\"b"', f"an IRI holds no '\"'; {IN_FULL}"),
        ("<http://a/b>", '"<http://a/b>"', f"an IRI holds no '<'; {IN_FULL}"),
        ("http://a/b>", '"http://a/b>"', f"an IRI holds no '>'; {IN_FULL}"),
        ("http://a/{b", '"http://a/{b"', f"an IRI holds no '{{'; {IN_FULL}"),
        ("http://a/b}", '"http://a/b}"', f"an IRI holds no '}}'; {IN_FULL}"),
        ("http://a/b|c", '"http://a/b|c"', f"an IRI holds no '|'; {IN_FULL}"),
        ("http://a/^b", '"http://a/^b"', f"an IRI holds no '^'; {IN_FULL}"),
        ("http://a/`b", '"http://a/`b"', f"an IRI holds no '`'; {IN_FULL}"),
        ("http://a\\b", r'"http://a\\b"', rf"an IRI holds no '\\'; {IN_FULL}"),
        ("http://a/b\n", r'"http://a/b\n"', rf"an IRI holds no '\n'; {IN_FULL}"),
        ("http://a/\0b", r'"http://a/\u0000b"', rf"an IRI holds no '\x00'; {IN_FULL}"),
        ("http://a/\x7fb", r'"http://a/\x7fb"', rf"an IRI holds no '\x7f'; {IN_FULL}"),
        ("http://a/\xa0b", r'"http://a/\xa0b"', rf"an IRI holds no '\xa0'; {IN_FULL}"),
        ("http://a/\u2028b", r'"http://a/\u2028b"', rf"an IRI holds no '\u2028'; {IN_FULL}"),
        ("http://a/\ud800b", r'"http://a/\ud800b"', rf"an IRI holds no '\ud800'; {IN_FULL}"),
        ("a/b", '"a/b"', f"not an absolute IRI; {IN_FULL}"),
        ("//a/b", '"//a/b"', f"not an absolute IRI; {IN_FULL}"),
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
        ("0 0 0 * * * *", '"0 0 0 * * * *"', f"the pattern has 7 fields; {FIELDS}"),
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
    ("key", "value", "shown", "says"),
    [
        pytest.param(key, *row, id=f"{key}={row[0]!a}")
        for keys, rows in BAD_VALUES.items()
        for key in keys
        for row in rows
    ],
)
def test_a_wrong_value_gives_one_line(key: str, value: object, shown: str, says: str) -> None:
    where = f"{CONFIG}, stream 1" if key == "name" else PUBLIC
    errors = errors_of(files={CONFIG: [stream("public", **{key: value})]})
    assert errors == [f"{where}, {key}: got {shown} — {says}"]


def test_every_wrong_value_of_every_stream_is_told() -> None:
    keys = [*IRIS, *SWITCHES, *PATTERNS]
    wrong = dict.fromkeys(keys, 5)
    errors = errors_of(files={CONFIG: [stream("public", **wrong), stream("other", **wrong)]})
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
        assert len(line) <= 5 * LONGEST_PART


@pytest.mark.parametrize(("length", "shown"), [(298, "x" * 298), (299, None)])
def test_a_long_value_is_shown_without_its_middle(length: int, shown: str | None) -> None:
    shown = shown or "x" * 149 + "…" + "x" * 149
    [line] = errors_of(files={CONFIG: [stream("public", jobsGraph="x" * length)]})
    assert f'got "{shown}" — not an absolute IRI' in line


def test_a_long_place_keeps_its_end_where_the_key_is() -> None:
    [line, *_] = errors_of(files={CONFIG: [stream("public", jobsGraph=5) | {"name": LONG}]})
    assert line.split(": got ")[0].endswith('x", jobsGraph')


def test_a_value_that_is_nested_too_deeply_is_not_shown() -> None:
    """JSON that can just be read can't always be written again: that takes a little more stack."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    problems = Problems()
    problems.error("here", "not a text", "write it in quotes", deep)
    says = "got a value that is nested too deeply — not a text; write it in quotes"
    assert problems.errors == [f"here: {says}"]


def test_warnings_stand_below_the_errors_that_they_may_explain() -> None:
    given = stream("public", healingJobOperation=..., healingJobOperaton="urn:a")
    with pytest.raises(ConfigError) as caught:
        loaded(files={CONFIG: [given]})
    missing = 'healing is enabled; set it, or "disableHealingJobOperation": true'
    unknown = 'unknown key, ignored; did you mean "healingJobOperation"?'
    assert str(caught.value).split("\n") == [
        "configuration: 1 problem, nothing was started",
        f"  {PUBLIC}, healingJobOperation: not set, but {missing}",
        f"configuration: warning: {PUBLIC}, healingJobOperaton: {unknown}",
    ]


# anything

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
        assert len(line) <= 5 * LONGEST_PART
