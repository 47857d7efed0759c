"""A record processor as the daemon sees it: a process that answers in the protocol, or is gone."""

import json
import signal
from pathlib import Path

import pytest

from benchmarks.kcl_daemon import ProcessorEndedError, StandInDaemon
from sightline_cli.downstream import presence

ODD = Path(__file__).with_name("odd.py")
TOLD = {
    "AWS_REGION": "us-east-1",
    "SIGHTINGS_STREAM": "sightings",
    "PRESENCE_APPLICATION": "app",
    "PRESENCE_TABLE": "presence",
    "PRESENCE_DAYS": "30",
    "PRESENCE_FAILURES_QUEUE_URL": "https://queue",
}


@pytest.fixture
def daemon(presence_home: None, tmp_path):
    with (tmp_path / "said").open("w") as said:
        command = [str(presence.python()), str(ODD)]
        with StandInDaemon(command, presence.of_process(TOLD, tmp_path), said) as daemon:
            yield daemon


@pytest.mark.parametrize("payload", [b"raise", b"exit"])
def test_a_batch_that_cannot_be_kept_is_never_answered(daemon, tmp_path, payload):
    with pytest.raises(ProcessorEndedError):
        daemon.process([("1", payload)])

    assert daemon.wait() == 1
    assert daemon.checkpoints == []
    said = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    assert said[-1]["event"] == "cannot go on"


def test_what_a_library_prints_does_not_reach_the_daemon(daemon, tmp_path):
    daemon.process([("1", b"print")])

    assert daemon.checkpoints == ["1"]
    assert daemon.end() == 0
    said = (tmp_path / "said").read_text()
    assert "a library has something to say" in said
    assert "and what it runs too" in said


def test_a_checkpoint_that_came_too_fast_is_made_again(daemon):
    daemon.refusals = ["ThrottlingException", "ThrottlingException"]

    daemon.process([("1", b"")])

    assert daemon.checkpoints == ["1"]


def test_the_end_of_a_shard_is_saved_and_so_is_a_handover(daemon):
    daemon.process([("1", b"")])
    daemon.process([("2", b"")])
    daemon.ask("shutdownRequested")
    daemon.ask("shardEnded")

    assert daemon.checkpoints == ["1", "2", None]


def test_a_signal_for_the_daemon_does_not_end_it(daemon):
    for number in (signal.SIGTERM, signal.SIGINT):
        daemon.send_signal(number)

    daemon.process([("1", b"")])

    assert daemon.checkpoints == ["1"]
    assert daemon.end() == 0


def test_it_ends_when_the_daemon_is_gone(daemon):
    daemon.process([("1", b"")])

    assert daemon.end() == 0


def test_what_is_missing_in_its_environment_is_named(presence_home: None, tmp_path):
    told = {name: value for name, value in TOLD.items() if name != "PRESENCE_TABLE"}
    with (tmp_path / "said").open("w") as said:
        daemon = StandInDaemon([str(presence.python()), str(ODD)], presence.of_process(told, tmp_path), said)

        assert daemon.wait() == 1

    daemon.kill()
    assert json.loads((tmp_path / "said").read_text()) == {
        "event": "cannot start",
        "reason": "environment variables missing or unreadable: PRESENCE_TABLE",
    }
