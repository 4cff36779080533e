"""Child processes that are never left running, even if the tests are killed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE


def guard(pid: int, folder: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a watcher that kills a process when the tests are killed and cannot do it.

    It waits for the end of a pipe, which comes when the tests end. Then it also removes the folder.
    """
    return subprocess.Popen(
        ["sh", "-c", 'cat; kill -9 "$1"; rm -rf "$2"', "guard", str(pid), str(folder or "")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def dismiss(watcher: subprocess.Popen[bytes]) -> None:
    """End a watcher whose process has ended, and close its pipe."""
    with watcher:
        watcher.kill()


def end(process: subprocess.Popen[Any], seconds: float = PATIENCE) -> int:
    """Ask a process to end, kill it if it does not, and return its exit status."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
