"""Starts and stops the embedded store and the service. script/run calls it and documents its use.

It is written in Python because a shell loses signals that arrive while it starts a process.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from urllib.request import ProxyHandler, build_opener

TOP = Path(__file__).resolve().parent.parent
DATA = TOP / "data"
STORE_LOG = DATA / "oxigraph.log"
POLL_INTERVAL = 0.1  # seconds between two checks of the processes

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
    environ = {name: value for name, value in os.environ.items() if value}
    environ = {"PORT": "8080"} | environ | {"HOST": "127.0.0.1"}
    store = None
    try:
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


def start(command: list[str], environ: dict[str, str], log: Path | None = None) -> Popen[bytes]:
    """Start a process in its own group, so that Ctrl-C reaches only this script."""
    if log is None:
        return Popen(command, env=environ, stdin=DEVNULL, process_group=0)
    with log.open("wb") as out:
        return Popen(
            command, env=environ, stdin=DEVNULL, stdout=out, stderr=STDOUT, process_group=0
        )


def start_store(environ: dict[str, str]) -> Popen[bytes]:
    """Start Oxigraph, set the service's endpoint variables, and wait until it answers."""
    port = environ.get("STORE_PORT") or free_port()
    base = f"http://127.0.0.1:{port}"
    environ["MU_SPARQL_ENDPOINT"] = f"{base}/query"
    environ["MU_SPARQL_UPDATEPOINT"] = f"{base}/update"
    proxied = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    environ["no_proxy"] = f"127.0.0.1,{proxied}"
    DATA.mkdir(exist_ok=True)
    command = [
        str(Path(sys.executable).with_name("oxigraph")),
        *("serve", "--location", str(DATA / "oxigraph"), "--bind", f"127.0.0.1:{port}"),
    ]
    store = start(command, environ | {"RUST_BACKTRACE": "0"}, STORE_LOG)
    try:
        await_answer(store, f"{base}/query?query=ASK%7B%7D")
    except BaseException:
        stop(store)
        raise
    return store


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
        except OSError:
            continue
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


def free_port() -> int:
    """Return the store's usual port, or any free port if that one is in use."""
    for port in (7878, 0):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(candidate.getsockname()[1])
    raise CannotStartError("no free port for the store")


def last_line_of_store_log() -> str:
    """Return the last line of the store's log as part of a message."""
    lines = STORE_LOG.read_text(errors="replace").split("\n")
    return f"data/oxigraph.log ends with: {next((x for x in reversed(lines) if x), '')}"


def print_now(line: str, *, to_stderr: bool = False) -> None:
    """Print without a buffer, also into a pipe."""
    print(line, file=sys.stderr if to_stderr else sys.stdout, flush=True)


if __name__ == "__main__":
    sys.exit(main())
