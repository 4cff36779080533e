"""The command line: plays a run, prints what came of it, and keeps the evidence of a bad one."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from pydantic import TypeAdapter

from chaos.auditor import audit
from chaos.history import History
from chaos.plan import plan
from chaos.play import play
from chaos.report import Report
from chaos.stage import Options
from chaos.streams import STREAMS

TOP = Path(__file__).resolve().parent.parent
HISTORIES = TypeAdapter(History)


def main() -> int:
    """Run as the arguments say; the exit status is 0 only where nothing is flagged."""
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        report = judge_again(arguments.audit) if arguments.audit else run(arguments)
    except KeyboardInterrupt:
        say("interrupted; everything is stopped")
        return 130
    say(report.text())
    if arguments.json:
        arguments.json.write_text(report.as_json() + "\n", encoding="utf-8")
    return 0 if report.verdict.clean else 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    made = argparse.ArgumentParser(prog="script/chaos", description=__doc__)
    made.add_argument("--minutes", type=float, default=5, help="of faults; about one more follows")
    made.add_argument("--seed", type=int, default=1, help="of the plan: what happens when")
    made.add_argument("--store", choices=("oxigraph", "virtuoso"), default="oxigraph")
    made.add_argument("--processes", type=int, default=1, help="of the service")
    made.add_argument("--slots", action="store_true", help="each process in a slot of its own")
    made.add_argument("--adversarial", action="store_true", help="the consumer acts at once")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the result there, too")
    made.add_argument("--keep", action="store_true", help="keep the evidence of a clean run, too")
    made.add_argument("--audit", type=Path, metavar="FOLDER", help="judge a kept run once more")
    made.add_argument("--service", type=Path, default=TOP, help="folder of the app.py to test")
    return made


def run(arguments: argparse.Namespace) -> Report:
    """Play a run and judge it; its evidence stays unless it is clean."""
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
    say(f"{title(options)}; {options.times.drain:.0f} s more to come to rest")
    try:
        report = run_in(folder, options)
        keep = arguments.keep or not report.verdict.clean
    finally:
        if keep:
            say(f"evidence: {folder}; remove it when done")
        else:
            shutil.rmtree(folder)
    return report


def run_in(folder: Path, options: Options) -> Report:
    """Play a run and judge it, with its plan, history and result as files in a folder."""
    events = plan(options.seed, options.seconds, options.processes, STREAMS, options.times)
    (folder / "plan.txt").write_text("\n".join(map(str, events)) + "\n", encoding="utf-8")
    history = play(options, events)
    (folder / "title.txt").write_text(title(options), encoding="utf-8")
    (folder / "history.json").write_bytes(HISTORIES.dump_json(history))
    report = Report(title(options), history, audit(history))
    (folder / "report.json").write_text(report.as_json(), encoding="utf-8")
    return report


def judge_again(folder: Path) -> Report:
    """Judge the history of a kept run."""
    history = HISTORIES.validate_json((folder / "history.json").read_bytes())
    title_ = (folder / "title.txt").read_text(encoding="utf-8")
    return Report(title_, history, audit(history))


def title(options: Options) -> str:
    """Name a run by what it takes to repeat it."""
    places = "in slots of their own" if options.slots else "in one slot"
    consumer = "adversarial" if options.adversarial else "usual"
    return (
        f"{options.seconds / 60:g} minutes of faults, seed {options.seed}, {options.store}, "
        f"{options.processes} processes {places}, {consumer} consumer"
    )


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
