"""The result of a run, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.chaos.auditor import AuditResult
from tests.chaos.history import History
from tests.chaos.outcomes import Outcome

EXAMPLES = 5  # printed for each finding


@dataclass(frozen=True)
class RunReport:
    """A run with the result of its audit."""

    title: str
    history: History
    result: AuditResult

    def rows(self) -> Iterable[tuple[str, object]]:
        """Return the rows of the table: names and numbers."""
        result, history = self.result, self.history
        yield "ticks", sum(result.outcomes.values())
        yield from ((f"  {x}", result.outcomes[x]) for x in shown_outcomes(result))
        yield "jobs", sum(result.jobs.values())
        yield from ((f"  {name}", number) for name, number in sorted(result.jobs.items()))
        yield "lateness, median and maximum", self._lateness()
        yield "starts of processes", len(history.process_runs)
        yield "  kills", sum(run.killed for run in history.process_runs)
        yield "  pauses", sum(len(run.pauses) for run in history.process_runs)
        yield from ((f"  {name}", number) for name, number in sorted(history.events.items()))
        yield "requests with a fault", sum(history.faults.values())
        yield from ((f"  {name}", number) for name, number in sorted(history.faults.items()))
        yield from ((f"{x} (violation)", len(found)) for x, found in result.violations.items())
        yield from ((f"{x} (limit)", len(found)) for x, found in result.known_limits.items())

    def text(self) -> str:
        """Return the table, and examples of all findings."""
        rows = [(name, str(number)) for name, number in self.rows()]
        width = max(len(name) for name, _ in rows)
        lines = [self.title, *(f"  {name:<{width}}  {number:>8}" for name, number in rows)]
        findings = {**self.result.violations, **self.result.known_limits}
        for name, found in findings.items():
            lines += [f"{name}: {text}" for text in found[:EXAMPLES]]
        return "\n".join([*lines, "clean" if self.result.clean else "NOT CLEAN: see violations"])

    def as_json(self) -> str:
        """Return the table and all findings as JSON."""
        content: dict[str, Any] = {
            "title": self.title,
            "clean": self.result.clean,
            "table": {name.strip(): number for name, number in self.rows()},
            "violations": self.result.violations,
            "limits": self.result.known_limits,
        }
        return json.dumps(content, indent=2)

    def _lateness(self) -> str:
        late = self.result.lateness
        return f"{self.result.median_lateness:.2f} s, {max(late, default=0):.1f} s"


def shown_outcomes(result: AuditResult) -> list[Outcome]:
    """Return the outcomes for the table: the usual ones, and others that occurred."""
    always = (
        Outcome.CREATED,
        Outcome.SUPERSEDED,
        Outcome.MISSED,
        Outcome.CLEANED,
        Outcome.UNACCOUNTED,
    )
    return [outcome for outcome in Outcome if outcome in always or result.outcomes[outcome]]
