import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from presence_worker.daemon import command_of, render
from presence_worker.environment import WorkerSettings

SETTINGS = WorkerSettings(
    aws_region="eu-west-1",
    sightings_stream="sightings",
    presence_application="app",
    presence_table="presence",
    presence_days=30,
    presence_failures_queue_url="https://queue",
)


@pytest.fixture
def properties():
    lines = render(SETTINGS, "python -m presence_worker").splitlines()
    return dict(re.split(r"\s*=\s*", line, maxsplit=1) for line in lines if line and not line.startswith("#"))


def test_the_daemon_reads_this_stream_under_this_name(properties):
    assert properties["streamName"] == "sightings"
    assert properties["applicationName"] == "app"
    assert properties["regionName"] == "eu-west-1"
    assert properties["executableName"] == "python -m presence_worker"


def test_no_property_is_given_twice():
    names = re.findall(r"(?m)^(\w+) *=", render(SETTINGS, "python"))

    assert sorted(names) == sorted(set(names))


def test_on_aws_a_shard_is_asked_once_a_second_because_it_has_other_readers(properties):
    assert properties["idleTimeBetweenReadsInMillis"] == "1000"
    assert properties["retrievalMode"] == "POLLING"


def test_a_new_application_begins_with_the_oldest_record(properties):
    assert properties["initialPositionInStream"] == "TRIM_HORIZON"


def test_no_worker_takes_the_name_of_one_that_died(properties):
    assert "workerIdentifier" not in properties


def test_the_daemon_gives_up_a_record_processor_only_after_it_has_given_up_itself(properties):
    from presence_worker.patience import PAUSES

    one_try = 3 * (2 + 6)  # three attempts of a client that waits so long for a connection and for an answer

    assert sum(PAUSES) + (len(PAUSES) + 1) * one_try < int(properties["timeoutInSeconds"])


def test_java_gets_all_jars_and_our_log_configuration(tmp_path):
    command = command_of(tmp_path / "kcl.properties", tmp_path / "jars")

    assert f"{tmp_path}/jars/*" in command
    configuration = next(each for each in command if "logback.configurationFile" in each).partition("=")[2]
    assert Path(configuration).is_file()


def test_a_variable_that_is_missing_is_named_in_one_line(repository):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{repository}/containers/presence_worker",
        "AWS_REGION": "eu-west-1",
    }

    done = subprocess.run(
        [sys.executable, "-m", "presence_worker.daemon"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "SIGHTINGS_STREAM" in done.stderr
    assert "PRESENCE_TABLE" in done.stderr
