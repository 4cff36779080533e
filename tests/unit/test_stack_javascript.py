"""The list that a JavaScript file exports: literals are read, all else is named."""

from __future__ import annotations

from typing import Any

import pytest

from commands.stack.javascript import JavaScriptError, exported_list


def values(source: str) -> list[Any]:
    found = exported_list(source)
    assert found.unread == ()
    return [element.value for element in found.elements]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("'a'", "a"),
        ('"a"', "a"),
        ("`a`", "a"),
        ("'http://e.org/#a' // comment", "http://e.org/#a"),
        (r"'it\'s \x41\u0042\u{43}\n\t\v'", "it's ABC\n\t\v"),
        ("'a' + 'b' + 1", "ab1"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("undefined", None),
        ("1_000", 1000),
        ("1.5e3", 1500),
        ("0x10", 16),
        ("[1, /* two */ 2]", [1, 2]),
        ("{ a: 1, 'b': 2, [\"c\"]: 3, }", {"a": 1, "b": 2, "c": 3}),
        ("{}", {}),
        ("('a')", "a"),
    ],
)
def test_a_literal(code: str, value: object) -> None:
    assert values(f"export default [{code}\n]") == [value]


@pytest.mark.parametrize(
    "source",
    [
        "export default ['a'];",
        "module.exports = ['a'];",
        "const rules = ['a']; export default rules;",
        "const A = 'a'; export default [A];",
        "const a = 'a'; const rules = [`${a}`]; export default [...rules];",
        "export const rules = ['a']; export default rules;",
        "import x from './x';\n// comment\nexport default (['a']);",
    ],
)
def test_an_export(source: str) -> None:
    assert values(source) == ["a"]


def test_a_constant_as_a_key_of_the_same_name() -> None:
    assert values("const url = 'u'; export default [{ url }];") == [{"url": "u"}]


def test_each_element_has_its_line() -> None:
    lines = [element.line for element in exported_list("export default [\n1,\n\n2\n]").elements]
    assert lines == [2, 4]


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("call()", "call()"),
        ("process.env.URL", "process.env.URL"),
        ("{ ...other }", "...other"),
        ("{ url: imported }", "imported"),
        ("...imported", "...imported"),
        ("`${imported}`", "imported"),
        ("1 + 1", "1 + 1"),
        ("'a' - 'b'", "'a' - 'b'"),
        ("{ method() {} }", "method() {}"),
        ("x" * 50, "x" * 40 + "…"),
    ],
)
def test_anything_else_is_left_out_and_named(code: str, named: str) -> None:
    found = exported_list(f"export default [\n'a',\n{code},\n'b'\n]")
    assert [element.value for element in found.elements] == ["a", "b"]
    assert found.unread == (f"line 3: `{named}` is not a literal",)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("\nexport default [\n{ a: 1 }\n{ b: 2 }\n]", "line 3: a syntax error, here or below"),
        ("\nexport default [\n1", "line 2: a syntax error, here or below"),
        ("const rules = []", "it has no `export default [ … ]`"),
        ("", "it has no `export default [ … ]`"),
        ("export default rules()", "line 1: `rules()` is not a list in this file"),
        ("export default " + "[" * 2000 + "]" * 2000, "its values are nested too deeply"),
        (
            "const a = [...b]; const b = [...a]; export default a",
            "its values are nested too deeply",
        ),
        ("const a = b; const b = a; export default a", "its values are nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read(source: str, problem: str) -> None:
    with pytest.raises(JavaScriptError) as caught:
        exported_list(source)
    assert str(caught.value) == problem


def test_no_source_can_break_the_reader() -> None:
    """Whatever prefix of a file is there, the answer is a list or an error with a reason."""
    whole = (
        "const a = 'x';\nexport default [{ b: `${a}y`, c: [1, ...d], [a]: () => 1 }, '\\u00e9'];"
    )
    for end in range(len(whole)):
        try:
            exported_list(whole[:end])
        except JavaScriptError as error:
            assert str(error)  # noqa: PT017 - many prefixes are lists
