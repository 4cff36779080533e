"""The real process on a real store; the tests act for other services through SPARQL."""

from __future__ import annotations

import ctypes
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import stack
from tests.support.patience import PATIENCE
from tests.support.servers import Oxigraph, Store
from tests.support.service import DUMP, HEALING, NEVER, ROOT, SYNC, Service, eventually
from tests.support.sockets import free_port

EVERY_SECOND = "* * * * * *"


def only_job(store: Store, operation: str) -> str:
    found: list[str] = eventually(lambda: stack.jobs(store, operation), f"a job of {operation}")
    (job,) = found
    return job


def test_a_day_in_the_life_of_a_stream(triplestore: Store) -> None:
    """Initial sync, healing and dump follow each other; a restart creates no second job."""
    schedule = {
        "CRON_PATTERN_HEALING_JOB": EVERY_SECOND,
        "CRON_PATTERN_DUMP_JOB": EVERY_SECOND,
        "TICK_WINDOW_MINUTES": "0.1",  # long enough to create a job on a busy machine
    }
    with Service(triplestore, schedule) as service:
        service.ready()
        sync = only_job(triplestore, SYNC)
        assert stack.status_of(triplestore, sync) == ["busy"]
        (task,) = stack.tasks(triplestore, sync)
        assert stack.status_of(triplestore, task) == ["scheduled"]
        service.logged(f"waits: no initial sync has succeeded yet; active: {sync} (busy)")
        assert not stack.jobs(triplestore, HEALING)

        stack.finish(triplestore, sync)
        healing = only_job(triplestore, HEALING)
        (task,) = stack.tasks(triplestore, healing)
        stack.set_status(triplestore, task, "busy")
        service.logged(f"waits: active: {healing} (busy)")
        assert len(stack.jobs(triplestore, HEALING)) == 1
        assert not stack.jobs(triplestore, DUMP)
        eventually(lambda: stack.errors(triplestore), "an error resource of ticks that were missed")
        assert service.stop() == 0

    with Service(triplestore, {"CRON_PATTERN_DUMP_JOB": EVERY_SECOND}) as service:
        service.ready()
        service.logged(f"done by job {sync}")
        stack.finish(triplestore, healing)
        dump = only_job(triplestore, DUMP)
        assert len(stack.tasks(triplestore, dump)) == 1
        assert stack.jobs(triplestore, SYNC) == [sync]
        assert stack.jobs(triplestore, HEALING) == [healing]


def test_the_api_on_a_real_store(triplestore: Store) -> None:
    with Service(triplestore) as service:
        service.ready()
        sync = only_job(triplestore, SYNC)
        refused = service.call("POST", "/healing-jobs")
        assert refused.status == 409
        assert "HEAL_MUST_WAIT_FOR_INITIAL_SYNC=false" in refused.detail
        stack.finish(triplestore, sync)

        healing = service.call("POST", "/healing-jobs")
        dump = service.call("POST", "/dump-publication-graph-jobs")
        assert healing.msg == f"Healing job {only_job(triplestore, HEALING)} triggered"
        job = only_job(triplestore, DUMP)
        assert dump.msg == f"Dump publication graph job {job} triggered"
        assert len(stack.tasks(triplestore, job)) == 1

        assert service.call("DELETE", "/healing-jobs").msg == "Healing job cleaned"
        assert service.call("DELETE", "/dump-publication-graph-jobs/").status == 200
        cleaned = service.call("DELETE", "/initial-sync-jobs")
        assert cleaned.msg == f"Sync job cleaned {sync}"
        for operation in (SYNC, HEALING, DUMP):
            assert not stack.jobs(triplestore, operation)
        assert not stack.tasks(triplestore, job)
        again = service.call("POST", "/initial-sync-jobs")
        assert again.msg == f"Sync job started {only_job(triplestore, SYNC)}"


@pytest.mark.parametrize("path", ["/initial-sync-jobs", "/initial-sync-jobs/"])
@pytest.mark.parametrize(
    "command",
    [["curl", "-fsS", "-X", "POST"], ["wget", "-qO-", "--post-data="]],
    ids=["curl", "wget"],
)
def test_the_commands_of_operators(embedded: Store, command: list[str], path: str) -> None:
    program, *options = command
    found = shutil.which(program)
    assert found, f"{program} is needed for this test"
    with Service(embedded) as service:
        url = f"http://127.0.0.1:{service.ready().port}{path}"
        done = subprocess.run([found, *options, url], capture_output=True, text=True, check=True)
    assert done.stdout.startswith('{"msg": "Sync job started http://redpencil.data.gift/id/job/')


def test_the_log_shows_what_was_written_and_what_comes_next(embedded: Store) -> None:
    with Service(embedded, {"CRON_PATTERN_DUMP_JOB": "0 0 6 * * 6"}) as service:
        service.logged("created job")
        service.call("POST", "/dump-publication-graph-jobs")
        eventually(lambda: service.log.count("created job") == 2, "both jobs in the log")
        assert service.log.count("INSERT DATA") == 2, "job and task, in one request"
        assert '"0 0 6 * * 6", next Saturday ' in service.log
        assert "Traceback" not in service.log


def test_the_log_has_no_statements_if_they_are_switched_off(embedded: Store) -> None:
    with Service(embedded, {"LOG_SPARQL_ALL": "false"}) as service:
        service.ready()
        service.logged("created job")
        assert "INSERT" not in service.log
        assert "SELECT" not in service.log


def test_a_start_without_the_store_waits_for_it() -> None:
    with Oxigraph() as store:
        store.stop()
        with Service(store) as service:
            service.logged("waiting for the store: ")
            service.answers()
            for method in ("POST", "DELETE"):
                assert service.call(method, "/healing-jobs").status == 503
            store.start()
            service.ready()
            assert service.log.count("waiting for the store: ") == 1
            assert service.log.count("the store answers") == 1
            only_job(store, SYNC)


def test_calls_and_ticks_survive_a_store_that_stops() -> None:
    environ = {"CRON_PATTERN_DUMP_JOB": EVERY_SECOND, "START_INITIAL_SYNC": "false"}
    with Oxigraph() as store, Service(store, environ) as service:
        service.ready()
        store.stop()
        assert service.call("POST", "/dump-publication-graph-jobs").status == 503
        service.logged("waits: no answer from")
        store.start()
        assert eventually(
            lambda: service.call("POST", "/dump-publication-graph-jobs").status == 200,
            "a job after the store started again",
        )


# Runs the service, and stops it when Python looks for garbage again after the imports.
WATCHED = """
import gc, os, runpy, signal, sys, threading, time

def note(phase, _):
    if phase == "start" and "flask" in sys.modules and not gc.get_freeze_count():
        print("looked for garbage during the imports", flush=True)

gc.callbacks.append(note)

def stop_when_collecting():
    while not (gc.get_freeze_count() and gc.isenabled()):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=stop_when_collecting, daemon=True).start()
runpy.run_path("app.py", run_name="__main__")
"""


def test_garbage_is_collected_after_the_imports_and_not_before(embedded: Store) -> None:
    service = Service(embedded)
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=ROOT,
        env=service.variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "INFO listening on" in done.stdout, done.stderr
    assert "garbage" not in done.stdout
    assert done.returncode == 0, done.stderr


def test_ctrl_c_stops_the_service(embedded: Store) -> None:
    with Service(embedded) as service:
        service.ready()
        assert service.stop(signal.SIGINT) == 0
        assert "stopped" in service.log
        assert "Traceback" not in service.log


def test_the_service_stops_while_it_waits_for_the_store() -> None:
    with Oxigraph() as store:
        store.stop()
        with Service(store) as service:
            service.logged("waiting for the store")
            assert service.stop() == 0


def test_every_problem_of_the_configuration_is_printed(embedded: Store) -> None:
    environ = {"CRON_PATTERN_DUMP_JOB": "0 0 6 * 0 6", "JOB_TIMEOUT_MINUTES": "1O"}
    with Service(embedded, environ) as service:
        assert service.process is not None
        assert service.process.wait(PATIENCE) == 78
        lines = service.log.splitlines()
    assert lines[0] == "configuration: 2 problems, nothing was started"
    assert len(lines) == 3
    assert any("env CRON_PATTERN_DUMP_JOB" in line for line in lines)
    assert any("env JOB_TIMEOUT_MINUTES" in line for line in lines)


def test_a_port_that_is_in_use_is_reported(embedded: Store) -> None:
    port = free_port()
    with Service(embedded, port=port) as first:
        first.ready()
        with Service(embedded, port=port) as second:
            assert second.process is not None
            assert second.process.wait(PATIENCE) == 1
            assert f"can't listen on 127.0.0.1, port {port}" in second.log
            assert "Traceback" not in second.log


def test_workers_and_reloaders_start_no_second_scheduler(embedded: Store) -> None:
    environ = {"WEB_CONCURRENCY": "4", "FLASK_DEBUG": "1", "CRON_PATTERN_DUMP_JOB": NEVER}
    with Service(embedded, environ) as service:
        service.ready()
        assert service.log.count("ready: ") == 1
        only_job(embedded, SYNC)


def test_a_signal_to_another_thread_stops_the_service(embedded: Store) -> None:
    """Such a signal does not wake the main thread, which therefore must not wait for ever."""
    with Service(embedded) as service:
        process = service.ready().process
        assert process is not None
        threads = [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
        other = next(thread for thread in threads if thread != process.pid)
        assert ctypes.CDLL(None).tgkill(process.pid, other, signal.SIGTERM) == 0
        assert process.wait(PATIENCE) == 0
