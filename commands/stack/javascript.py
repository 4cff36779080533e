"""Read the list that a JavaScript file exports, without running the file.

The rules of delta-notifier are such a list. Only literals are read, and constants of the file that
hold literals. An element with anything else, such as a call, is left out and named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

MAX_SHOWN: Final = 40  # characters of the code in a message
_WORDS: Final = {"true": True, "false": False, "null": None, "undefined": None}
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]+|[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_HEX_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]{1,6})\})")
_SIMPLE_ESCAPES: Final = {"\\v": "\v", "\\0": "\0", "\\\n": "", "\\\r\n": ""}


class JavaScriptError(Exception):
    """The file, or a part of it, cannot be read; the text says where and why."""


@dataclass(frozen=True)
class Element:
    """An element of the list, as JSON would have it, and the line on which it begins."""

    line: int
    value: Any


@dataclass(frozen=True)
class ExportedList:
    """The elements that could be read, and why each of the others could not."""

    elements: tuple[Element, ...]
    unread: tuple[str, ...]


def exported_list(source: str) -> ExportedList:
    """Return the list that a file exports by default; raise `JavaScriptError` if there is none."""
    parser = Parser(Language(tree_sitter_javascript.language()))
    program = parser.parse(source.encode(errors="replace")).root_node
    if program.has_error:
        raise JavaScriptError(f"line {_line(_first_error(program))}: a syntax error, here or below")
    reader = _Reader(dict(_constants(program)))
    try:
        return reader.exported(program)
    except RecursionError:
        raise JavaScriptError("its values are nested too deeply") from None


class _Reader:
    """Evaluates literals; `constants` are the expressions of the file's constants by name."""

    def __init__(self, constants: Mapping[str, Node]) -> None:
        self._constants = constants

    def exported(self, program: Node) -> ExportedList:
        elements: list[Element] = []
        unread: list[str] = []
        for node in self._elements(_default_export(program)):
            try:
                elements.append(Element(_line(node), self._value(node)))
            except JavaScriptError as error:
                unread.append(str(error))
        return ExportedList(tuple(elements), tuple(unread))

    def _elements(self, node: Node) -> Iterator[Node]:
        """Yield the elements of an array, with those of the arrays that are spread into it."""
        array = self._resolved(node)
        if array.type != "array":
            raise JavaScriptError(
                f"line {_line(node)}: `{_shown(node)}` is not a list in this file"
            )
        for child in _parts(array):
            if child.type == "spread_element" and self._is_array(child.named_children[0]):
                yield from self._elements(child.named_children[0])
            else:
                yield child

    def _is_array(self, node: Node) -> bool:
        return self._resolved(node).type == "array"

    def _resolved(self, node: Node) -> Node:
        """Follow the names of constants; a name that is not known stays as it is."""
        if node.type == "parenthesized_expression":
            return self._resolved(_parts(node)[0])
        if node.type == "identifier" and _text(node) in self._constants:
            return self._resolved(self._constants[_text(node)])
        return node

    def _value(self, node: Node) -> Any:
        node = self._resolved(node)
        match node.type:
            case "string" | "template_string":
                return "".join(map(self._string_part, node.named_children))
            case "true" | "false" | "null" | "undefined":
                return _WORDS[node.type]
            case "number":
                return _number(node)
            case "array":
                return [self._value(child) for child in self._elements(node)]
            case "object":
                return dict(self._pair(child) for child in _parts(node))
            case "binary_expression":
                return self._sum(node)
            case _:
                raise _not_literal(node)

    def _string_part(self, node: Node) -> str:
        if node.type == "template_substitution":
            return str(self._value(node.named_children[0]))
        return _unescaped(node) if node.type == "escape_sequence" else _text(node)

    def _pair(self, node: Node) -> tuple[str, Any]:
        if node.type == "shorthand_property_identifier" and _text(node) in self._constants:
            return _text(node), self._value(self._constants[_text(node)])
        key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
        if node.type != "pair" or key is None or value is None:
            raise _not_literal(node)
        if key.type == "computed_property_name":
            return str(self._value(key.named_children[0])), self._value(value)
        return (self._value(key) if key.type == "string" else _text(key)), self._value(value)

    def _sum(self, node: Node) -> str:
        left, right = (self._value(part) for part in _parts(node))
        if _text(node.children[1]) != "+" or not isinstance(left, str):
            raise _not_literal(node)
        return left + str(right)


def _constants(program: Node) -> Iterator[tuple[str, Node]]:
    """Yield the constants of the file's top level, exported ones too, with their expressions."""
    for statement in _parts(program):
        declaration = statement.child_by_field_name("declaration") or statement
        if declaration.type == "lexical_declaration" and _text(declaration.children[0]) == "const":
            for declarator in _parts(declaration):
                name, value = map(declarator.child_by_field_name, ("name", "value"))
                if name is not None and value is not None and name.type == "identifier":
                    yield _text(name), value


def _default_export(program: Node) -> Node:
    """Return the expression of `export default` or of `module.exports =`."""
    for statement in _parts(program):
        value = statement.child_by_field_name("value")
        if statement.type == "export_statement" and value is not None:
            return value
        for assignment in _parts(statement):
            left, right = map(assignment.child_by_field_name, ("left", "right"))
            if left is not None and right is not None and _text(left) == "module.exports":
                return right
    raise JavaScriptError("it has no `export default [ … ]`")


def _parts(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def _first_error(node: Node) -> Node:
    """Return the first node that the parser could not place, or that it missed."""
    while True:
        inner = next((child for child in node.children if child.has_error), None)
        if inner is None or node.is_error:
            return node
        node = inner


def _not_literal(node: Node) -> JavaScriptError:
    return JavaScriptError(f"line {_line(node)}: `{_shown(node)}` is not a literal")


def _number(node: Node) -> float:
    text = _text(node).replace("_", "")
    if not _NUMBER.fullmatch(text):
        raise _not_literal(node)
    if text.isdecimal():
        return int(text)
    return int(text, 0) if text[:2] in ("0x", "0X") else float(text)


def _unescaped(node: Node) -> str:
    """Return the character of an escape; those of JSON are the same in JavaScript."""
    text = _text(node)
    if text in _SIMPLE_ESCAPES:
        return _SIMPLE_ESCAPES[text]
    hexadecimal = _HEX_ESCAPE.fullmatch(text)
    if hexadecimal:
        return chr(min(int(hexadecimal[1] or hexadecimal[2], 16), 0x10FFFF))
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text[1:]


def _line(node: Node) -> int:
    return node.start_point.row + 1


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _shown(node: Node) -> str:
    first = _text(node).partition("\n")[0]
    return first if len(first) <= MAX_SHOWN else first[:MAX_SHOWN] + "…"
