"""flask check: what a configuration means, without store and service."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from config import Settings
from tests.support import reports
from tests.support.canned import Canned, answer
from tests.support.command_runner import run
from tests.support.configuring import (
    CONFIG,
    ENVIRONMENT,
    JOB,
    MAINTAINERS_HEALING,
    OVERRIDE,
    TASK,
    loaded,
    stream,
    without,
)
from tests.support.reports import report_of
from tests.support.shared_data import shared

SERVICE = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"


def check(settings: Settings) -> str:
    """Return the standard output, and make sure that there is no error."""
    result = run(settings, "check")
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def streams_of(*streams: dict[str, object]) -> Settings:
    return loaded(files={CONFIG: list(streams)}, zone=lambda: ZoneInfo("Europe/Brussels"))


EARLIER = (
    "          or that of an earlier healing: "
    "healingTaskOperation is not set, so the start reads it"
)


def test_a_whole_configuration() -> None:
    public = stream(cronPatternDumpJob="0 0 6 * * 6", cronPatternHealingJob="30 4 * * *")
    posts = stream("posts", disableDumpFileCreation=True, dumpFileCreationJobOperation=...)
    assert (
        check(streams_of(public, posts))
        == f"""\
configuration: no problems, no warnings, 2 streams
time zone Europe/Brussels, now Sat 2024-01-06 07:00:00 CET

stream public, in graph http://mu.semte.ch/graphs/jobs
  initial sync  once, at the start
    job   {JOB}initialPublicationGraphSyncing/public
    task  {TASK}initialPublicationGraphSyncing
  healing       30 4 * * *   Sun 2024-01-07 04:30:00 CET  At 04:30 every day
    job   {JOB}healingOperation/public
    task  {MAINTAINERS_HEALING}
{EARLIER}
  dump          0 0 6 * * 6  Sat 2024-01-13 06:00:00 CET  At 06:00 on Saturday
    job   {JOB}deltaDumpFileCreation/public
    task  {TASK}deltaDumpFileCreation

stream posts, in graph http://mu.semte.ch/graphs/jobs
  initial sync  once, at the start
    job   {JOB}initialPublicationGraphSyncing/posts
    task  {TASK}initialPublicationGraphSyncing
  healing       0 0 0 * * *  Sun 2024-01-07 00:00:00 CET  At 00:00 every day
    job   {JOB}healingOperation/posts
    task  {MAINTAINERS_HEALING}
{EARLIER}
  dump          disabled; "disableDumpFileCreation": false enables it
    job   not set
    task  {TASK}deltaDumpFileCreation

creators of error resources (dct:creator), for the configuration of alerts
  {SERVICE}/public
  {SERVICE}/posts

no two jobs are due at the same time in the next 14 days
"""
    )


def test_warnings_come_first_and_are_counted() -> None:
    environ = {name: ENVIRONMENT[name] for name in ENVIRONMENT if name != "START_INITIAL_SYNC"}
    first, second, *_ = check(loaded(environ)).splitlines()
    assert first.startswith("configuration: warning: env START_INITIAL_SYNC: not set")
    assert second == "configuration: no problems, 1 warning, 1 stream"


def test_the_override_file_and_the_keys_that_it_replaced_are_shown() -> None:
    streams = [stream("public"), stream("posts")]
    override = {"posts": {"startInitialSync": False, "cronPatternDumpJob": "0 0 6 * * 6"}}
    printed = check(loaded(files={CONFIG: streams, OVERRIDE: override}))
    assert printed.count(f"  {OVERRIDE} replaces ") == 1
    assert (
        "\nstream posts, in graph http://mu.semte.ch/graphs/jobs\n"
        f"  {OVERRIDE} replaces startInitialSync, cronPatternDumpJob\n  initial sync  disabled;"
    ) in printed


def test_the_environments_stream_and_the_setting_that_enables_a_kind() -> None:
    printed = check(loaded(ENVIRONMENT | {"ENABLE_DUMP_FILE_CREATION": "false"}))
    assert "1 stream\ntime zone UTC" in printed
    assert "\nthe environment's stream, in graph http://mu.semte.ch/graphs/system/jobs\n" in printed
    assert "  dump          disabled; ENABLE_DUMP_FILE_CREATION=true enables it\n" in printed


def test_a_creator_of_several_streams_is_listed_once() -> None:
    creator = "http://example.org/creator"
    streams = [stream(name, errorCreatorUri=creator) for name in ("a", "b")]
    assert check(streams_of(*streams)).count(creator) == 1


@pytest.mark.parametrize("command", ["check", "schedule"])
def test_a_service_here_that_runs_another_file_is_noted(command: str) -> None:
    runs = report_of(reports.stream(), changed_files=(CONFIG,))
    with Canned(answer(200, runs.model_dump_json().encode())) as service:
        port = service.endpoint.rpartition(":")[2].removesuffix("/sparql")
        result = run(loaded(ENVIRONMENT | {"HOST": "127.0.0.1", "PORT": port}), command)
    assert result.exit_code == 0
    assert result.stderr == (
        f"{CONFIG} differs from what runs; if flask check accepts it, restart the service\n"
    )


# jobs that are due at the same time


def overlaps(*streams: dict[str, object]) -> list[str]:
    return check(streams_of(*streams)).rpartition("\n\n")[2].splitlines()


def test_an_overlap_is_shown_with_its_first_instant_and_how_often_it_occurs() -> None:
    one = stream("a", cronPatternDumpJob="0 0 6 * * 6", cronPatternHealingJob="0 0 1 * * *")
    other = stream("b", cronPatternDumpJob="0 0 6 * * 6", cronPatternHealingJob="0 0 2 * * *")
    assert overlaps(one, other) == [
        "due at the same time in the next 14 days (a dump waits for the healing of its stream)",
        "  Sat 2024-01-13 06:00:00 CET: dump of stream a, dump of stream b (and 1 more time)",
    ]


def test_patterns_for_every_second_take_few_lines() -> None:
    patterns = {"cronPatternDumpJob": "* * * * * *", "cronPatternHealingJob": "*/2 * * * * *"}
    heading, *lines = overlaps(stream("a", **patterns), stream("b", **patterns))
    assert " ".join(line.strip() for line in lines) == (
        "Sat 2024-01-06 07:00:01 CET: dump of stream a, dump of stream b (and at least 349 more "
        "times) Sat 2024-01-06 07:00:02 CET: healing of stream a, dump of stream a, healing of "
        "stream b, dump of stream b (and at least 699 more times)"
    )
    assert all(len(line) <= 100 for line in [heading, *lines])


def test_at_most_ten_combinations_are_shown() -> None:
    hours = ",".join(map(str, range(12)))
    busy = stream("busy", cronPatternDumpJob=f"0 0 {hours} * * *", disableHealingJobOperation=True)
    others = [
        stream(f"s{hour}", cronPatternDumpJob=f"0 0 {hour} * * 1", disableHealingJobOperation=True)
        for hour in range(12)
    ]
    *_, last = overlaps(busy, *others)
    assert last == "  and 2 other combinations"


def test_real_configuration_files_have_no_problems() -> None:
    files = sorted((shared("real-configs") / "files").iterdir())
    assert len(files) > 10
    for file in files:
        printed = check(loaded(files={CONFIG: file.read_text(encoding="utf-8")}))
        assert "configuration: no problems" in printed, file.name


def test_a_start_without_a_healing_task_operation_reads_it() -> None:
    found = " ".join(check(loaded(without("HEALING_TASK_OPERATION"))).split())
    assert "HEALING_TASK_OPERATION is not set, so the start reads it; a new stream needs" in found
    assert f"which is {MAINTAINERS_HEALING} for the publication-graph-maintainer" in found
    assert "earlier healing" not in check(loaded(ENVIRONMENT))
