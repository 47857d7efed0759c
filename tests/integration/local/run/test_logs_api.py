"""CloudWatch Logs of functions, read with boto3 as on AWS."""

import json
import time
from typing import Any

import pytest

from sightline_local.cloud.logs import LogsService

from .conftest import ACCOUNT, REGION

GROUP = "/aws/lambda/talk"
TALK = "def handle(event, context):\n    for line in event: print(line)\n    return context.log_stream_name\n"


@pytest.fixture
def logs(cloud: Any) -> Any:
    cloud.gateway.services["logs"] = LogsService(REGION, ACCOUNT, cloud.functions)
    cloud.function("talk", TALK)
    return cloud.client("logs")


def say(cloud: Any, *lines: str) -> str:
    """Print from a function; give the name of the log stream, as the function knows it."""
    return str(json.loads(cloud.functions.invoke("talk", json.dumps(lines).encode()).payload))


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def own(answer: dict[str, Any]) -> list[str]:
    """What the function itself said."""
    return [m for m in messages(answer) if not m.startswith(("INIT_START", "START", "END", "REPORT"))]


def test_what_a_function_printed_is_found(cloud: Any, logs: Any) -> None:
    before = int(time.time() * 1000)
    stream = say(cloud, "one", "two")

    answer = logs.filter_log_events(logGroupName=GROUP)

    assert own(answer) == ["one", "two"]
    assert [message.split()[0] for message in messages(answer)] == [
        *("INIT_START", "START", "one", "two", "END", "REPORT")
    ]
    assert {event["logStreamName"] for event in answer["events"]} == {stream}
    assert all(before <= event["timestamp"] <= time.time() * 1000 for event in answer["events"])
    assert len({event["eventId"] for event in answer["events"]}) == 6


def test_every_sandbox_has_its_own_stream(cloud: Any, logs: Any) -> None:
    first = say(cloud, "before")
    cloud.function("talk", TALK)  # deployed again
    second = say(cloud, "after")

    streams = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True)

    assert [stream["logStreamName"] for stream in streams["logStreams"]] == [second, first]
    assert own(logs.get_log_events(logGroupName=GROUP, logStreamName=first)) == ["before"]
    assert own(logs.filter_log_events(logGroupName=GROUP, logStreamNames=[second])) == ["after"]


def test_events_are_chosen_by_their_time(cloud: Any, logs: Any) -> None:
    say(cloud, "early")
    time.sleep(0.01)
    moment = int(time.time() * 1000)
    say(cloud, "late")

    assert own(logs.filter_log_events(logGroupName=GROUP, startTime=moment)) == ["late"]
    assert own(logs.filter_log_events(logGroupName=GROUP, endTime=moment - 1)) == ["early"]


def test_events_are_found_by_time_in_a_long_log(cloud: Any, logs: Any) -> None:
    say(cloud, *(f"old {n} " + "x" * 100 for n in range(2000)))
    time.sleep(0.01)
    moment = int(time.time() * 1000)
    say(cloud, "new")

    assert own(logs.filter_log_events(logGroupName=GROUP, startTime=moment)) == ["new"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ERROR", ["ERROR disk full", "ERROR no network"]),
        ("ERROR disk", ["ERROR disk full"]),
        ('"no network"', ["ERROR no network"]),
        ("ERROR -network", ["ERROR disk full"]),
        ("?disk ?fine", ["ERROR disk full", "all is fine"]),
    ],
)
def test_events_are_chosen_by_words(cloud: Any, logs: Any, pattern: str, expected: list[str]) -> None:
    say(cloud, "ERROR disk full", "all is fine", "ERROR no network")

    assert own(logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)) == expected


@pytest.mark.parametrize("pattern", ['{ $.level = "ERROR" }', "[a, b]", "half-word"])
def test_other_patterns_are_refused(cloud: Any, logs: Any, pattern: str) -> None:
    say(cloud, "x")

    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)


def test_pages_give_every_event_once(cloud: Any, logs: Any) -> None:
    say(cloud, *(str(n) for n in range(25)))

    pages = list(
        logs.get_paginator("filter_log_events").paginate(
            logGroupName=GROUP, PaginationConfig={"PageSize": 10}
        )
    )

    assert [len(page["events"]) for page in pages] == [10, 10, 9]
    assert own({"events": [event for page in pages for event in page["events"]]}) == [
        str(n) for n in range(25)
    ]


def test_a_stream_is_read_from_either_end(cloud: Any, logs: Any) -> None:
    place = {"logGroupName": GROUP, "logStreamName": say(cloud, *"abcdef")}

    last = logs.get_log_events(**place, limit=3)
    assert [message.split()[0] for message in messages(last)] == ["f", "END", "REPORT"]
    before = logs.get_log_events(**place, limit=3, nextToken=last["nextBackwardToken"])
    assert messages(before) == ["c", "d", "e"]

    first = logs.get_log_events(**place, limit=3, startFromHead=True)
    then = logs.get_log_events(**place, limit=2, nextToken=first["nextForwardToken"])
    assert messages(then) == ["b", "c"]

    end = logs.get_log_events(**place, nextToken=last["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], last["nextForwardToken"])
    say(cloud, "new")
    assert own(logs.get_log_events(**place, nextToken=end["nextForwardToken"])) == ["new"]


def test_a_log_that_was_rotated_is_read_as_one(cloud: Any, logs: Any) -> None:
    log = cloud.functions._pools["talk"].log
    say(cloud, "before")
    log._full_bytes = 1
    say(cloud, "after")

    assert len(list(log.path.parent.glob("talk.log*"))) == 2
    assert own(logs.filter_log_events(logGroupName=GROUP))[-1] == "after"
    assert messages(logs.filter_log_events(logGroupName=GROUP))[-1].startswith("REPORT")


def test_groups_are_those_of_the_template_and_those_of_functions_that_spoke(cloud: Any, logs: Any) -> None:
    cloud.function("silent", TALK)
    logs.create_log_group(logGroupName="/aws/firehose/one")
    say(cloud, "x")

    names = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]

    assert names == ["/aws/firehose/one", GROUP]
    lambdas = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]
    assert [group["logGroupName"] for group in lambdas] == [GROUP]


def test_a_group_that_is_not_there_is_refused(cloud: Any, logs: Any) -> None:
    cloud.function("silent", TALK)

    for group in ("/aws/lambda/silent", "/aws/lambda/nobody"):
        with pytest.raises(logs.exceptions.ResourceNotFoundException, match="log group does not exist"):
            logs.filter_log_events(logGroupName=group)


def test_other_groups_are_kept_as_ever(cloud: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName="mine")
    logs.create_log_stream(logGroupName="mine", logStreamName="s")
    event = {"timestamp": int(time.time() * 1000), "message": "kept"}
    logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=[event])

    assert messages(logs.get_log_events(logGroupName="mine", logStreamName="s")) == ["kept"]


def test_a_role_reads_the_logs_that_its_policy_names(cloud: Any, logs: Any) -> None:
    say(cloud, "x")
    allowed = {
        "Effect": "Allow",
        "Action": "logs:FilterLogEvents",
        "Resource": cloud.arn("logs", f"log-group:{GROUP}:*"),
    }
    reader = cloud.client("logs", cloud.session(allowed, name="reader"))

    by_arn = cloud.arn("logs", f"log-group:{GROUP}")
    assert own(reader.filter_log_events(logGroupIdentifier=by_arn)) == ["x"]
    with pytest.raises(reader.exceptions.ClientError, match="AccessDenied"):
        reader.get_log_events(logGroupName=GROUP, logStreamName="any")
