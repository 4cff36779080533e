"""The output of `flask check --stack`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from commands.stack.reader import StackReader
from commands.stack.rules import check
from commands.stack.values import Finding, Result, Right, Unread
from commands.text import wrapped
from jobs.text import count
from settings.problems import Problems


@dataclass(frozen=True, kw_only=True)
class StackReport:
    """What was read, and what is wrong and right; `warnings` are those of this service's start."""

    directory: Path
    files: Sequence[str]
    unread: Sequence[Unread]
    absent: Sequence[str]
    warnings: Sequence[str]
    results: Sequence[Result]

    @property
    def findings(self) -> list[Finding]:
        """What is wrong."""
        return [result for result in self.results if isinstance(result, Finding)]

    @property
    def fine(self) -> bool:
        """Whether nothing is wrong, and every file was read as a whole."""
        return not (self.findings or self.unread)


def check_folder(directory: Path, now: datetime) -> StackReport:
    """Return what a folder with a stack says; raise `ConfigError` for unusable settings."""
    reader = StackReader(directory)
    stack = reader.read(now)
    return StackReport(
        directory=directory,
        files=tuple(dict.fromkeys(reader.files)),
        unread=tuple(dict.fromkeys(reader.unread)),
        absent=tuple(reader.absent),
        warnings=[line for instance in stack.instances for line in instance.settings.warnings],
        results=check(stack),
    )


def lines(report: StackReport) -> Iterator[str]:
    """Yield the report as lines of text; a finding is one line, however long."""
    yield from report.warnings
    yield f"stack {report.directory}: {count(len(report.files), 'file')} read"
    yield from (f"  {file}" for file in report.files)
    if report.unread:
        yield from ["", "not read, so not checked"]
        yield from (f"  {unread.file}: {unread.reason}" for unread in report.unread)
    if report.absent:
        yield from ["", "not found, so not checked", *wrapped(", ".join(report.absent), 2)]
    yield from ["", count(len(report.findings), "finding")]
    yield from (f"  {line}" for line in _problems(report.findings))
    yield from ["", "right"]
    yield from _right(report.results)


def _problems(findings: Iterable[Finding]) -> list[str]:
    """Return the findings in the form that problems of the configuration have."""
    problems = Problems()
    for finding in findings:
        problems.error(finding.file, finding.problem, finding.fix, finding.value)
    return problems.errors


def _right(results: Iterable[Result]) -> Iterator[str]:
    subjects: dict[tuple[str, str], list[str]] = {}
    for result in results:
        if isinstance(result, Right):
            subjects.setdefault((result.file, result.text), []).append(result.subject)
    for (file, text), about in subjects.items():
        of = ", ".join(dict.fromkeys(filter(None, about)))
        yield from wrapped(f"{file} {text}" + (f": {of}" if of else ""), 2)
