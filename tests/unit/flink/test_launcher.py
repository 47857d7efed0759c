"""How the job is started, watched and ended, with a program in its place that says what a job says."""

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sightline_cli.downstream import flink
from sightline_cli.downstream.flink import FlinkJob
from sightline_cli.errors import CliError

WAITING = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])"
UNTIL_ASKED = "signal.sigwait([signal.SIGTERM])"
KEYS = 'sorted(name for name in os.environ if name.startswith("AWS_"))'


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything is installed; java too."""
    _program(tmp_path / "bin" / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    _program(tmp_path / ".venv-flink" / "bin" / "python", f'exec {sys.executable} "$@"')
    (tmp_path / ".venv-flink" / ".installed").touch()
    _file(tmp_path / "build" / "flink" / "lib" / "pyflink-dependencies.jar", "")
    return tmp_path


def test_a_job_runs_tells_what_it_has_read_and_ends_with_a_savepoint(checkout: Path) -> None:
    told: list[dict[str, object]] = [{"event": "running"}, {"event": "progress", "records": 12}]
    with _job(checkout, told, UNTIL_ASKED, 'tell({"event": "stopped", "savepoint": "file:/s"})') as job:
        job.wait_running(20)
        job.wait_read(12, 20)
        assert job.has_started()
        assert not job.has_ended()
        job.drain(20)

        assert job.has_ended()
        assert (job.records_read, job.savepoint) == (12, "file:/s")


def test_a_job_that_fails_is_one_line_with_its_cause(checkout: Path) -> None:
    with (
        _job(checkout, [{"event": "failed", "message": "no stream S"}]) as job,
        pytest.raises(CliError, match=r"the Flink job failed: no stream S; see .*flink\.log"),
    ):
        job.wait_running(20)


def test_a_job_that_just_ends_is_no_success(checkout: Path) -> None:
    with (
        _job(checkout, [], "raise SystemExit(3)") as job,
        pytest.raises(CliError, match=r"has ended \(status 3\)"),
    ):
        job.wait_running(20)


def test_a_job_that_does_not_start_in_time_is_told(checkout: Path) -> None:
    with (
        _job(checkout, [], UNTIL_ASKED) as job,
        pytest.raises(CliError, match=r"the Flink job does not run after 0 s"),
    ):
        job.wait_running(0.1)


def test_what_pyflink_says_beside_it_is_no_event(checkout: Path) -> None:
    with _job(checkout, [{"event": "running"}], before='print("WARNING: {not json")') as job:
        job.wait_running(20)


def test_the_job_gets_the_roles_keys_and_none_of_the_persons_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "mine")
    show = f'import os; tell({{"event": "failed", "message": str({KEYS})}})'
    with (
        _job(checkout, [], show) as job,
        pytest.raises(CliError, match=r"failed: \['AWS_ACCESS_KEY_ID'\]"),
    ):
        job.wait_running(20)


def test_what_is_not_installed_is_said_with_what_to_do(checkout: Path) -> None:
    (checkout / ".venv-flink" / ".installed").unlink()

    assert flink.missing(checkout) == "Flink is left out: it is not installed; run `make flink-install`"


def test_where_everything_is_there_nothing_is_missing(checkout: Path) -> None:
    assert flink.missing(checkout) is None


def _job(checkout: Path, told: Sequence[Mapping[str, object]], *then: str, before: str = "") -> FlinkJob:
    lines = ["import json", "def tell(what): print(json.dumps(what), flush=True)", WAITING, before]
    lines += [f"tell({each!r})" for each in told]
    _file(checkout / "analytics" / "flink" / "main.py", "\n".join([*lines, *then]))
    groups = {"job": {"crowding.floor": "2"}}
    return FlinkJob(groups, {"AWS_ACCESS_KEY_ID": "lent"}, checkout, checkout=checkout)


def _program(path: Path, line: str) -> None:
    _file(path, f"#!/bin/sh\n{line}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_properties_are_what_the_service_would_write(checkout: Path) -> None:
    show = 'import sys; tell({"event": "failed", "message": open(sys.argv[2]).read()})'
    with _job(checkout, [], show) as job, pytest.raises(CliError) as failed:
        job.wait_running(20)

    text = str(failed.value).partition("failed: ")[2].rpartition("; see")[0]
    assert json.loads(text) == [{"PropertyGroupId": "job", "PropertyMap": {"crowding.floor": "2"}}]
