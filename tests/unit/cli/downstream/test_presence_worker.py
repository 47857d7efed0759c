"""The worker's launcher: what it says where it cannot run, and what it hears."""

import pytest

from sightline_cli.downstream import presence
from sightline_cli.downstream.presence import PresenceWorker
from sightline_cli.errors import CliError

LOG = "2026-11-22T23:55:55Z ERROR DrainChildSTDERRTask Received error line from subprocess [{}] for shard {}"
SHARD = "shardId-000000000000"


@pytest.fixture
def java(tmp_path, monkeypatch):
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "java"
    program.write_text("#!/bin/sh\necho 'openjdk version \"17.0.15\"' >&2\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def worker(tmp_path):
    return PresenceWorker({}, tmp_path)


def tell(worker, said, shard=SHARD):
    worker._heard(LOG.format(said, shard))


def test_without_java_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    assert presence.missing(tmp_path) == (
        "The presence worker is left out: no Java; install Java 17 (and Maven), then `make presence-install`"
    )


@pytest.mark.usefixtures("java")
def test_where_it_is_not_installed_it_says_which_command_does_it(tmp_path):
    assert presence.missing(tmp_path) == (
        "The presence worker is left out: it is not installed; run `make presence-install`"
    )


@pytest.mark.usefixtures("java")
def test_an_installation_without_its_jars_is_none(tmp_path):
    programs = tmp_path / ".venv-presence" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").touch()

    assert presence.missing(tmp_path) is not None

    jars = tmp_path / ".venv-presence/lib/python3.13/site-packages/amazon_kclpy/jars"
    jars.mkdir(parents=True)
    (jars / "amazon-kinesis-client-3.1.3.jar").touch()
    assert presence.missing(tmp_path) is None


def test_starting_it_where_it_cannot_run_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CliError, match="no Java"):
        PresenceWorker({}, tmp_path, checkout=tmp_path).start()


def test_it_knows_the_shards_that_it_reads(worker):
    for shard in ("a", "b", "c"):
        tell(worker, f'{{"event": "reading", "shard": "{shard}"}}', shard)
    tell(worker, '{"event": "lease lost", "shard": "a"}', "a")
    tell(worker, '{"event": "shard ended", "shard": "b"}', "b")

    assert worker.reading == {"c"}


def test_each_line_counts_once_though_the_daemon_writes_it_twice(worker):
    line = f'{{"event": "kept", "shard": "{SHARD}", "records": 2000, "counted": 1999, "set_aside": 1}}'

    worker._heard(line)
    tell(worker, line)

    assert worker._handled == 2000


@pytest.mark.parametrize(
    "line", ["", "2026-11-22T23:55:55.127Z INFO Scheduler Sleeping ...", LOG.format('{"event": ', SHARD)]
)
def test_other_lines_mean_nothing(worker, line):
    worker._heard(line)

    assert (worker._handled, worker.reading) == (0, frozenset())


def test_the_keys_of_whoever_runs_it_do_not_reach_the_worker(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "real")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")

    told = presence.of_process({"AWS_SECRET_ACCESS_KEY": "lent"}, tmp_path)

    assert told["AWS_SECRET_ACCESS_KEY"] == "lent"
    assert "AWS_PROFILE" not in told
