"""Times and figures of processes."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def seconds(work: Callable[[], object]) -> float:
    """Return how long work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def interleaved(number: int, *works: Callable[[], object]) -> list[list[float]]:
    """Do each work as often, in turn, so that the state of the machine is the same for all."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(number):
        for work, taken in zip(works, times, strict=True):
            taken.append(seconds(work))
    return times


def rate(works: Sequence[Callable[[], object]], each: int) -> float:
    """Return how many times a second the works are done, each in a thread of its own."""

    def repeat(work: Callable[[], object]) -> None:
        for _ in range(each):
            work()

    with ThreadPoolExecutor(len(works)) as callers:
        taken = seconds(lambda: list(callers.map(repeat, works)))
    return len(works) * each / taken


def median(times: Sequence[float]) -> float:
    """Return the median in milliseconds."""
    return 1000 * statistics.median(times)


def p99(times: Sequence[float]) -> float:
    """Return the 99th percentile in milliseconds."""
    return 1000 * sorted(times)[len(times) * 99 // 100]


def cpu(pid: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def status(pid: int, name: str) -> int:
    """Return a number of `/proc/<pid>/status`, such as VmRSS in kB or Threads."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
