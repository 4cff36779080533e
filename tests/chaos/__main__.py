"""Run the service under faults, audit the run, and keep the evidence if the audit fails."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from pydantic import TypeAdapter

from tests.chaos.auditor import audit
from tests.chaos.history import History
from tests.chaos.report import RunReport
from tests.chaos.runner import run
from tests.chaos.scenario import make_scenario
from tests.chaos.streams import STREAMS
from tests.chaos.testbed import Options
from tests.chaos.times import Times

TOP = Path(__file__).resolve().parents[2]
HISTORIES = TypeAdapter(History)


def main() -> int:
    """Run as the arguments describe; return 0 only if the audit finds no violation."""
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if arguments.slots and arguments.processes > Times().max_replicas:
        parser().error(f"--slots: at most {Times().max_replicas} processes can act in the window")
    try:
        report = audit_again(arguments.audit) if arguments.audit else new_run(arguments)
    except KeyboardInterrupt:
        print_now("interrupted; all processes are stopped")
        return 130
    print_now(report.text())
    if arguments.json:
        arguments.json.write_text(report.as_json() + "\n", encoding="utf-8")
    return 0 if report.result.clean else 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    made = argparse.ArgumentParser(prog="script/chaos", description=__doc__)
    made.add_argument("--minutes", type=float, default=5, help="time with faults; about 1 follows")
    made.add_argument("--seed", type=int, default=1, help="of the random scenario")
    made.add_argument("--store", choices=("oxigraph", "virtuoso"), default="oxigraph")
    made.add_argument("--processes", type=int, default=1, help="number of service processes")
    made.add_argument("--slots", action="store_true", help="give each process its own slot")
    made.add_argument("--adversarial", action="store_true", help="let the consumer act at once")
    made.add_argument("--json", type=Path, metavar="FILE", help="also write the result to FILE")
    made.add_argument("--keep", action="store_true", help="keep the evidence of a clean run")
    made.add_argument("--audit", type=Path, metavar="FOLDER", help="audit a kept run again")
    made.add_argument("--service", type=Path, default=TOP, help="folder of the app.py to test")
    return made


def new_run(arguments: argparse.Namespace) -> RunReport:
    """Run and audit; delete the evidence of a clean run."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    options = Options(
        seconds=arguments.minutes * 60,
        seed=arguments.seed,
        store=arguments.store,
        processes=arguments.processes,
        slots=arguments.slots,
        adversarial=arguments.adversarial,
        folder=folder,
        service=arguments.service.resolve(),
    )
    keep = True
    print_now(f"{title(options)}; then {options.times.drain:.0f} s without faults")
    try:
        report = run_in(folder, options)
        keep = arguments.keep or not report.result.clean
    finally:
        if keep:
            print_now(f"evidence: {folder}; remove it when you no longer need it")
        else:
            shutil.rmtree(folder)
    return report


def run_in(folder: Path, options: Options) -> RunReport:
    """Run and audit; write scenario, history and result as files into a folder."""
    events = make_scenario(options.seed, options.seconds, options.processes, STREAMS, options.times)
    (folder / "scenario.txt").write_text("\n".join(map(str, events)) + "\n", encoding="utf-8")
    history = run(options, events)
    (folder / "title.txt").write_text(title(options), encoding="utf-8")
    (folder / "history.json").write_bytes(HISTORIES.dump_json(history))
    report = RunReport(title(options), history, audit(history))
    (folder / "report.json").write_text(report.as_json(), encoding="utf-8")
    return report


def audit_again(folder: Path) -> RunReport:
    """Audit the history of a kept run."""
    history = HISTORIES.validate_json((folder / "history.json").read_bytes())
    title_ = (folder / "title.txt").read_text(encoding="utf-8")
    return RunReport(title_, history, audit(history))


def title(options: Options) -> str:
    """Return what is needed to repeat a run, as the title of its report."""
    slots = "with one slot each" if options.slots else "in one slot"
    consumer = "adversarial" if options.adversarial else "usual"
    return (
        f"{options.seconds / 60:g} minutes of faults, seed {options.seed}, {options.store}, "
        f"{options.processes} process{'' if options.processes == 1 else 'es'} {slots}, "
        f"{consumer} consumer"
    )


def print_now(text: str) -> None:
    """Print without a buffer, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
