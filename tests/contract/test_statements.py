"""Every statement is accepted by real stores, also in the form in which sparql-parser sends it."""

from __future__ import annotations

import re

import pytest

from tests.support.servers import Store, select, update
from tests.support.statements import STATEMENTS, Statement


@pytest.mark.parametrize("statement", STATEMENTS, ids=str)
def test_a_statement_is_accepted(triplestore: Store, statement: Statement) -> None:
    send = update if statement.is_update else select
    send(triplestore, statement.fill())


def where_clauses(update_text: str) -> list[str]:
    """Return the WHERE clause of each operation of an update that has one."""
    return re.findall(r"^WHERE \{\n.*?^\}", update_text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "statement",
    [one for one in STATEMENTS if one.is_update and where_clauses(one.fill())],
    ids=str,
)
def test_the_conditions_of_an_update_are_accepted_as_a_select(
    triplestore: Store, statement: Statement
) -> None:
    """sparql-parser sends the WHERE of an update as a SELECT DISTINCT of its variables.

    Virtuoso refuses conditions there that it accepts in an update, see `sparql.terms.none_of`.
    """
    text = statement.fill()
    prefixes = "\n".join(line for line in text.split("\n") if line.startswith("PREFIX "))
    clauses = where_clauses(text)
    assert len(clauses) == text.count("WHERE {")
    for clause in clauses:
        select(triplestore, f"{prefixes}\nSELECT DISTINCT *\n{clause}")
