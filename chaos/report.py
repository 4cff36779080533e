"""The result of a run, as a table for people and as JSON for the documentation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chaos.accounting import Fate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chaos.auditor import Verdict
    from chaos.history import History

EXAMPLES = 5  # of each flag, printed below the table


@dataclass(frozen=True)
class Report:
    """A verdict with the run that it is about."""

    title: str
    history: History
    verdict: Verdict

    def rows(self) -> Iterable[tuple[str, object]]:
        """Return the table: what, and how often."""
        verdict, lives = self.verdict, self.history.lives
        yield "ticks", sum(verdict.fates.values())
        yield from ((f"  {fate}", verdict.fates[fate]) for fate in told(verdict))
        yield "jobs", sum(verdict.jobs.values())
        yield from ((f"  {what}", number) for what, number in sorted(verdict.jobs.items()))
        yield "lateness, median and most", self._lateness()
        yield "starts of processes", len(lives)
        yield "  kills", sum(life.killed for life in lives)
        yield "  pauses", sum(len(life.pauses) for life in lives)
        yield from ((f"  {what}", number) for what, number in sorted(self.history.events.items()))
        yield "faults that requests met", sum(self.history.faults.values())
        yield from ((f"  {what}", number) for what, number in sorted(self.history.faults.items()))
        yield from ((f"{flag} (flag)", len(found)) for flag, found in verdict.flags.items())
        yield from ((limit, len(found)) for limit, found in verdict.limits.items())

    def text(self) -> str:
        """Return the table, and examples of what is flagged."""
        rows = [(what, str(number)) for what, number in self.rows()]
        width = max(len(what) for what, _ in rows)
        lines = [self.title, *(f"  {what:<{width}}  {number:>8}" for what, number in rows)]
        groups = {**self.verdict.flags, **self.verdict.limits}
        for name, found in groups.items():
            lines += [f"{name}: {text}" for text in found[:EXAMPLES]]
        return "\n".join([*lines, "clean" if self.verdict.clean else "NOT CLEAN: see the flags"])

    def as_json(self) -> str:
        """Return the same for programs, with every flag's whole list."""
        content: dict[str, Any] = {
            "title": self.title,
            "clean": self.verdict.clean,
            "table": {what.strip(): number for what, number in self.rows()},
            "flags": self.verdict.flags,
            "limits": self.verdict.limits,
        }
        return json.dumps(content, indent=2)

    def _lateness(self) -> str:
        late = self.verdict.lateness
        return f"{self.verdict.median_lateness:.2f} s, {max(late, default=0):.1f} s"


def told(verdict: Verdict) -> list[Fate]:
    """Return the fates for the table: those that may be, and others where they were."""
    always = (Fate.CREATED, Fate.SUPERSEDED, Fate.MISSED, Fate.CLEANED, Fate.UNACCOUNTED)
    return [fate for fate in Fate if fate in always or verdict.fates[fate]]
