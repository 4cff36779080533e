"""Starts and stops the embedded store and the service. script/run calls it and documents its use.

It is written in Python because a shell loses signals that arrive while it starts a process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import signal
import socket
import sys
import time
from http.client import HTTPException
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from typing import IO
from urllib.request import ProxyHandler, build_opener

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from jobs.text import one_line  # noqa: E402 - found in the folder above

DATA = TOP / "data"
LOCK = DATA / "lock"
STORE_LOG = DATA / "oxigraph.log"
POLL_INTERVAL = 0.1  # seconds between two checks of the processes
MAX_LOG_LINE = 300  # characters
MAX_PORT = 65_535

CONCEPT = "http://redpencil.data.gift/id/jobs/concept"
SAMPLE_STREAM = {
    "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION": (
        f"{CONCEPT}/JobOperation/deltas/initialPublicationGraphSyncing/sample"
    ),
    "HEALING_JOB_OPERATION": f"{CONCEPT}/JobOperation/deltas/healingOperation/sample",
    "DUMP_FILE_CREATION_JOB_OPERATION": (
        f"{CONCEPT}/JobOperation/deltas/deltaDumpFileCreation/sample"
    ),
    "HEALING_TASK_OPERATION": f"{CONCEPT}/TaskOperation/deltas/healing/patchPublicationGraph",
    "START_INITIAL_SYNC": "true",
}
STREAM_VARIABLES = (
    "INITIAL_PUBLICATION_GRAPH_SYNC_JOB_OPERATION",
    "HEALING_JOB_OPERATION",
    "DUMP_FILE_CREATION_JOB_OPERATION",
    "CONFIG_FILE",
)

received_signals: list[int] = []  # in order


class CannotStartError(Exception):
    """The service or its store cannot start; the message is for the person at the terminal."""


def main() -> int:
    """Run both until one ends or a signal arrives; return the service's exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: received_signals.append(number))
    # The service also treats empty variables as unset.
    environ = {name: value for name, value in os.environ.items() if value.strip()}
    environ = {"PORT": "8080"} | environ | {"HOST": "127.0.0.1"}
    store = None
    try:
        if is_port(environ["PORT"]):  # the service reports any other value
            require_free_port("PORT", environ["PORT"])
        if "MU_SPARQL_ENDPOINT" not in environ:
            store = start_store(environ)
        print_now(
            f"store:   {environ['MU_SPARQL_ENDPOINT']} ({'data/oxigraph' if store else 'yours'})"
        )
        if not any(name in environ for name in STREAM_VARIABLES):
            environ = SAMPLE_STREAM | environ
            print_now("stream:  a sample; set *_JOB_OPERATION or CONFIG_FILE for your own")
        if received_signals:
            return exit_status(-received_signals[0])
        print_now(f"service: http://localhost:{environ['PORT']}")
        return supervise(start([sys.executable, str(TOP / "app.py")], environ), store)
    except CannotStartError as error:
        print_now(f"script/run: {error}", to_stderr=True)
        return 1
    finally:
        stop(store)


def start(command: list[str], environ: dict[str, str]) -> Popen[bytes]:
    """Start a process in its own group, so that Ctrl-C reaches only this script."""
    return Popen(command, env=environ, stdin=DEVNULL, process_group=0)


def start_store(environ: dict[str, str]) -> Popen[bytes]:
    """Start Oxigraph, set the service's endpoint variables, and wait until it answers."""
    port = store_port(environ)
    base = f"http://127.0.0.1:{port}"
    environ["MU_SPARQL_ENDPOINT"] = f"{base}/query"
    environ["MU_SPARQL_UPDATEPOINT"] = f"{base}/update"
    proxied = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    environ["no_proxy"] = f"127.0.0.1,{proxied}"
    command = [
        str(Path(sys.executable).with_name("oxigraph")),
        *("serve", "--location", str(DATA / "oxigraph"), "--bind", f"127.0.0.1:{port}"),
    ]
    with locked_data() as lock, STORE_LOG.open("wb") as log:
        # The store inherits the lock, so that the data stay locked as long as it runs, even if
        # this script is killed.
        store = Popen(
            command,
            env=environ | {"RUST_BACKTRACE": "0"},
            stdin=DEVNULL,
            stdout=log,
            stderr=STDOUT,
            process_group=0,
            pass_fds=[lock.fileno()],
        )
    try:
        await_answer(store, f"{base}/query?query=ASK%7B%7D")
    except BaseException:
        stop(store)
        raise
    return store


def locked_data() -> IO[bytes]:
    """Return the open lock of the data folder; a second script/run must not touch the data."""
    try:
        DATA.mkdir(exist_ok=True)
        lock = LOCK.open("ab")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        problem = f"the store of another script/run, or one that it left behind, uses {DATA}"
        raise CannotStartError(f"{problem}; stop it first") from error
    except OSError as error:
        raise CannotStartError(f"cannot lock {LOCK}: {error.strerror}") from error
    return lock


def await_answer(store: Popen[bytes], url: str, seconds: float = 20) -> None:
    """Wait until the store answers or a signal arrives."""
    opener = build_opener(ProxyHandler({}))
    end = time.monotonic() + seconds
    while time.monotonic() < end and not received_signals:
        time.sleep(POLL_INTERVAL)
        if store.poll() is not None:
            break
        try:
            opener.open(url, timeout=1).close()
        except (OSError, HTTPException):
            continue
        if store.poll() is None:
            return
    if not received_signals:
        raise CannotStartError(f"the store does not answer; {last_line_of_store_log()}")


def supervise(service: Popen[bytes], store: Popen[bytes] | None) -> int:
    """Wait for the service's end; stop it when a signal arrives or the store ends."""
    handled = 0
    store_lost = False
    while service.poll() is None:
        if handled < len(received_signals):
            handled += 1
            if handled == 1:
                print_now("stopping; send the signal again to stop at once")
                service.terminate()
            else:
                service.kill()
        if store and not store_lost and store.poll() is not None:
            store_lost = True
            print_now(f"script/run: the store stopped; {last_line_of_store_log()}", to_stderr=True)
            service.terminate()
        time.sleep(POLL_INTERVAL)
    return exit_status(service.returncode) or int(store_lost)


def stop(process: Popen[bytes] | None) -> None:
    """End the process if it still runs."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except TimeoutExpired:
        process.kill()
        process.wait()


def exit_status(returncode: int) -> int:
    """Return the exit status that a shell gives a return code: 128 + n for a signal n."""
    return 128 - returncode if returncode < 0 else returncode


def store_port(environ: dict[str, str]) -> str:
    """Return STORE_PORT, or else the store's usual port, or any free port if that is in use."""
    if wanted := environ.get("STORE_PORT"):
        require_free_port("STORE_PORT", wanted)
        return wanted
    for port in (7878, 0):
        with contextlib.suppress(OSError):
            if str(port) != environ["PORT"]:
                return str(bound_port(port))
    raise CannotStartError("no free port for the store")


def bound_port(port: int) -> int:
    """Return the number of a port that is free, where 0 is any; raise OSError if it is in use."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        candidate.bind(("127.0.0.1", port))
        return int(candidate.getsockname()[1])


def is_port(text: str) -> bool:
    """Return whether a text is the number of a port."""
    return re.fullmatch("[0-9]{1,5}", text) is not None and 1 <= int(text) <= MAX_PORT


def require_free_port(variable: str, value: str) -> None:
    """Raise `CannotStartError` if a variable holds no port number, or a port that is in use."""
    if not is_port(value):
        raise CannotStartError(f"{variable}={one_line(value, MAX_LOG_LINE)} is not a port number")
    try:
        bound_port(int(value))
    except OSError as error:
        problem = f"port {value} cannot be used: {error.strerror}"
        fix = f"stop what listens there, or set {variable} to another port"
        raise CannotStartError(f"{problem}; {fix}") from error


def last_line_of_store_log() -> str:
    """Return the last line of the store's log as part of a message."""
    lines = STORE_LOG.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line), "")
    return f"data/oxigraph.log ends with: {one_line(last, MAX_LOG_LINE)}"


def print_now(line: str, *, to_stderr: bool = False) -> None:
    """Print without a buffer; a full or closed output does not end the service."""
    stream = sys.stderr if to_stderr else sys.stdout
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.write(line.encode("ascii", "backslashreplace").decode() + "\n")
            stream.flush()


if __name__ == "__main__":
    sys.exit(main())
