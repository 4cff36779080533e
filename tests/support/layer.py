"""An authorization layer in front of a store, which executes updates as sparql-parser 0.0.15 does.

An operation with a WHERE becomes a SELECT DISTINCT of its variables, a SELECT for what exists, and
then concrete DELETE DATA and INSERT DATA: requests of their own, in no transaction. Each operation
sends a delta message of its own, and delta-notifier bundles the messages of one session. rdflib
reads the templates, so that no second parser of SPARQL is needed; the WHERE is sent as it is.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple, TypeAlias

from rdflib import BNode, Literal, URIRef, Variable
from rdflib.plugins.sparql.algebra import translateUpdate
from rdflib.plugins.sparql.parser import parseUpdate
from rdflib.plugins.sparql.parserutils import CompValue

from tests.support.faults import JSON, UPDATE_DONE, Answer, Request, page
from tests.support.sparql_text import operations
from tests.support.upstream import Upstream

FORM = "application/x-www-form-urlencoded"
Row: TypeAlias = dict[str, dict[str, str]]


class Quad(NamedTuple):
    """A quad of a template or of the store; terms are in the form of JSON results."""

    graph: dict[str, str]
    subject: dict[str, str]
    predicate: dict[str, str]
    object: dict[str, str]


class RefusedError(Exception):
    """The layer or the store does not accept a statement."""


@dataclass
class Layer(Upstream):
    """The store as one sees it through the layer; `bundles` has the size of each session's deltas.

    The messages of all requests without a session are in one bundle, as in delta-notifier.
    """

    url: str
    bundles: dict[str | None, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        super().__init__(self.url)

    def forward(self, request: Request) -> Answer | None:
        """Return the store's answer to a query, or the layer's answer to an update."""
        if not request.is_update:
            return super().forward(request)
        try:
            for operation in _operations(request):
                self._run(request, operation)
        except RefusedError:
            return page(HTTPStatus.INTERNAL_SERVER_ERROR)
        return Answer(HTTPStatus.OK, JSON, UPDATE_DONE)

    def _run(self, request: Request, text: str) -> None:
        """Run one operation: each request to the store is one step, which can fail alone."""
        operation = _parsed(text)
        deleted, inserted = _templates(operation, "delete"), _templates(operation, "insert")
        rows: Sequence[Row] = [{}]
        if operation.name == "Modify":
            rows = self._select(request, _as_select(text, [*deleted, *inserted]))
        deletes, inserts = _instances(deleted, rows), _instances(inserted, rows)
        gone = self._existing(request, deletes)
        self._existing(request, inserts)  # for its delta message, which has both kinds of insert
        for verb, quads in (("DELETE", gone), ("INSERT", inserts)):
            if quads:
                self._send(request, f"{verb} DATA {{ {_text(quads)} }}", "update")
        self._bundle(request, inserts, deletes)

    def _bundle(self, request: Request, inserts: Sequence[Quad], deletes: Sequence[Quad]) -> None:
        """Count the bytes of a message as a consumer gets it; what changed nothing is in it too."""
        change = {
            "inserts": [quad._asdict() for quad in inserts],
            "deletes": [quad._asdict() for quad in deletes],
        }
        size = len(json.dumps(change, ensure_ascii=False, separators=(",", ":")).encode())
        session = request.headers.get("mu-session-id")
        self.bundles[session] = self.bundles.get(session, 0) + size

    def _existing(self, request: Request, quads: Sequence[Quad]) -> list[Quad]:
        """Return which of the quads exist."""
        if not quads:
            return []
        # Virtuoso refuses long literals in VALUES.
        rows = {f"({' '.join(_term(term) for term in quad[:3])})": None for quad in quads}
        pattern = f"VALUES (?g ?s ?p) {{ {' '.join(rows)} }} GRAPH ?g {{ ?s ?p ?o }}"
        found = self._select(request, f"SELECT DISTINCT ?g ?s ?p ?o WHERE {{ {pattern} }}")
        texts = {tuple(row[name]["value"] for name in "gspo") for row in found}
        return [quad for quad in quads if tuple(term["value"] for term in quad) in texts]

    def _select(self, request: Request, text: str) -> list[Row]:
        answer = self._send(request, text, "query")
        rows: list[Row] = json.loads(answer.body)["results"]["bindings"]
        return rows

    def _send(self, request: Request, text: str, name: str) -> Answer:
        headers = {"content-type": FORM, "accept": "application/sparql-results+json"}
        path = request.path if name == "update" else self.path
        body = urllib.parse.urlencode({name: text}).encode()
        try:
            answer = super().forward(Request("POST", path, headers, {name: text}, body))
        except http.client.HTTPException as error:
            raise RefusedError from error
        if answer is None or answer.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
            raise RefusedError(answer.body if answer else "the store is down")
        return answer


def _operations(request: Request) -> Iterator[str]:
    """Yield the operations of an update with its prefixes; refuse what the layer does not know."""
    text, content_type = request.sparql, request.headers.get("content-type", "")
    if not content_type.startswith(FORM):
        raise RefusedError(content_type)
    prefixes = "\n".join(re.findall(r"^PREFIX .*$", text, re.MULTILINE))
    for operation in operations(text):
        if not operation.strip():
            raise RefusedError("a trailing semicolon")
        yield operation if operation.lstrip().startswith("PREFIX") else f"{prefixes}\n{operation}"


_parsing = threading.Lock()  # the parser's first use in several threads breaks it for good


def _parsed(text: str) -> CompValue:
    try:
        tabs_kept = text.replace("\t", r"\t")  # the parser would expand them
        with _parsing:
            (operation,) = translateUpdate(parseUpdate(tabs_kept)).algebra
    except Exception as error:  # the parser raises errors of many kinds
        raise RefusedError(text) from error
    if operation.name not in ("Modify", "InsertData", "DeleteData"):
        raise RefusedError(operation.name)
    return operation


def _templates(operation: CompValue, part: str) -> list[Quad]:
    """Return the quads that an operation inserts or deletes, with variables."""
    if operation.name == "Modify":
        quads = dict.get(operation, part)
    else:
        quads = operation if operation.name.lower() == f"{part}data" else None
    found = [
        Quad(*(_json(term) for term in (graph, *triple)))
        for graph, triples in (quads.quads if quads else {}).items()
        for triple in triples
    ]
    if part == "insert" and any(term["type"] == "bnode" for quad in found for term in quad):
        raise RefusedError("a blank node")
    return found


def _json(term: Any) -> dict[str, str]:
    """Return a term of rdflib in the form of JSON results; a variable has a type of its own."""
    match term:
        case Variable():
            return {"type": "variable", "value": str(term)}
        case URIRef():
            return {"type": "uri", "value": str(term)}
        case BNode():
            return {"type": "bnode", "value": str(term)}
        case Literal():
            datatype = {"datatype": str(term.datatype)} if term.datatype else {}
            return {"type": "literal", "value": str(term), **datatype}
        case _:
            raise RefusedError(repr(term))


def _as_select(text: str, quads: Sequence[Quad]) -> str:
    """Return the SELECT with which the layer evaluates the WHERE of an operation."""
    names = {term["value"]: None for quad in quads for term in quad if term["type"] == "variable"}
    prefixes = "\n".join(re.findall(r"^PREFIX .*$", text, re.MULTILINE))
    where = text[re.search(r"^WHERE ", text, re.MULTILINE).start() :]  # type: ignore[union-attr]
    return f"{prefixes}\nSELECT DISTINCT {' '.join(f'?{name}' for name in names) or '*'}\n{where}"


def _instances(templates: Sequence[Quad], rows: Sequence[Row]) -> list[Quad]:
    """Return the concrete quads, each once; one with an unbound variable is left out."""
    found: dict[str, Quad] = {}
    for row in rows:
        for template in templates:
            terms = [row.get(t["value"]) if t["type"] == "variable" else t for t in template]
            if all(terms):
                quad = Quad(*(_plain(term) for term in terms if term))
                found.setdefault(json.dumps(quad), quad)
    return list(found.values())


def _plain(term: dict[str, str]) -> dict[str, str]:
    """Return a term as every store writes it: Virtuoso has a type for literals with a datatype."""
    return {**term, "type": "literal"} if term["type"] == "typed-literal" else term


def _text(quads: Sequence[Quad]) -> str:
    return " ".join(
        f"GRAPH {_term(quad.graph)} {{ {' '.join(_term(term) for term in quad[1:])} . }}"
        for quad in quads
    )


def _term(term: dict[str, str]) -> str:
    if term["type"] == "uri":
        return f"<{term['value']}>"
    if term["type"] == "bnode":
        raise RefusedError("a blank node cannot be named")
    escaped = json.dumps(term["value"], ensure_ascii=False)
    return escaped + (f"^^<{term['datatype']}>" if "datatype" in term else "")
