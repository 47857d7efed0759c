"""Amazon CloudWatch Logs: reading what functions said."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.runtime import Runtime

Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]

API = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference"
FILTER = f"{API}/API_FilterLogEvents.html"
GET = f"{API}/API_GetLogEvents.html"
STREAMS = f"{API}/API_DescribeLogStreams.html"
PATTERNS = (
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax-for-Log-Groups.html"
)
OWN = ("INIT_START", "START", "END", "REPORT")

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {CodeUri: say/, Handler: app.handle, Runtime: python3.13}}
Resources:
  Say: {Type: AWS::Serverless::Function}
  Silent: {Type: AWS::Serverless::Function}
Outputs:
  Say: {Value: !Ref Say}
  Silent: {Value: !Ref Silent}
"""
SAY = "def handle(event, context):\n    for line in event: print(line)\n    return context.log_stream_name\n"
WORDS = ["[ERROR] disk full", "all is fine", "[ERROR] no network", "error in lower case"]


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> Mapping[str, str]:
    return {"say/app.py": SAY}


@pytest.fixture(scope="module")
def place(runtime: Runtime, client: Client) -> dict[str, str]:
    """Group and stream of a function that said WORDS."""
    answer = client("lambda").invoke(FunctionName=runtime.outputs["Say"], Payload=json.dumps(WORDS))
    return {
        "logGroupName": f"/aws/lambda/{runtime.outputs['Say']}",
        "logStreamName": json.loads(answer["Payload"].read()),
    }


def said(answer: dict[str, Any]) -> list[str]:
    messages = [event["message"].rstrip("\n") for event in answer["events"]]
    return [message for message in messages if not message.startswith(OWN)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("disk", WORDS[:1]),
        ("ERROR", [WORDS[0], WORDS[2]]),  # case counts
        ('"[ERROR]" disk', WORDS[:1]),  # every term
        ("?disk ?fine", WORDS[:2]),  # any term
        ("ERROR -network", WORDS[:1]),  # without a term
        ('"is fine"', WORDS[1:2]),  # as one phrase
    ],
)
@pytest.mark.source(PATTERNS)
def test_a_pattern_of_words_chooses_events(
    client: Client, place: dict[str, str], pattern: str, expected: list[str]
) -> None:
    group = place["logGroupName"]

    assert said(client("logs").filter_log_events(logGroupName=group, filterPattern=pattern)) == expected


@pytest.mark.source(FILTER)
def test_events_carry_time_stream_and_an_id_of_their_own(client: Client, place: dict[str, str]) -> None:
    events = client("logs").filter_log_events(logGroupName=place["logGroupName"])["events"]

    assert {event["logStreamName"] for event in events} == {place["logStreamName"]}
    assert len({event["eventId"] for event in events}) == len(events)
    times = [event["timestamp"] for event in events]
    assert times == sorted(times)
    assert all(event["ingestionTime"] >= event["timestamp"] for event in events)


@pytest.mark.source(FILTER)
def test_the_times_of_a_filter_are_included(client: Client, place: dict[str, str]) -> None:
    group = place["logGroupName"]
    events = client("logs").filter_log_events(logGroupName=group)["events"]
    first, last = events[0]["timestamp"], events[-1]["timestamp"]

    within = client("logs").filter_log_events(logGroupName=group, startTime=first, endTime=last)
    later = client("logs").filter_log_events(logGroupName=group, startTime=int(time.time() * 1000) + 60_000)

    assert within["events"] == events
    assert later["events"] == []


@pytest.mark.source(FILTER)
def test_a_token_leads_to_the_next_page(client: Client, place: dict[str, str]) -> None:
    pages = (
        client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=place["logGroupName"], PaginationConfig={"PageSize": 3})
    )

    assert said({"events": [event for page in pages for event in page["events"]]}) == WORDS


@pytest.mark.source(GET)
def test_the_end_of_a_stream_gives_the_token_that_was_passed_in(
    client: Client, place: dict[str, str]
) -> None:
    whole = client("logs").get_log_events(**place, startFromHead=True)
    assert said(whole) == WORDS

    end = client("logs").get_log_events(**place, nextToken=whole["nextForwardToken"])

    assert (end["events"], end["nextForwardToken"]) == ([], whole["nextForwardToken"])


@pytest.mark.source(GET)
def test_without_startFromHead_the_latest_events_come_first(client: Client, place: dict[str, str]) -> None:
    last = client("logs").get_log_events(**place, limit=1)["events"]

    assert last[0]["message"].startswith("REPORT RequestId: ")


@pytest.mark.source(GET)
def test_the_end_time_of_a_stream_is_not_included(client: Client, place: dict[str, str]) -> None:
    first = client("logs").get_log_events(**place, startFromHead=True)["events"][0]["timestamp"]

    assert client("logs").get_log_events(**place, endTime=first)["events"] == []


@pytest.mark.source(STREAMS)
def test_streams_are_listed_by_name_or_by_their_last_event(
    client: Client, place: dict[str, str], refusal: Refusal
) -> None:
    describe = client("logs").describe_log_streams
    group = place["logGroupName"]

    assert [s["logStreamName"] for s in describe(logGroupName=group)["logStreams"]] == [
        place["logStreamName"]
    ]
    (stream,) = describe(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    assert stream["firstEventTimestamp"] <= stream["lastEventTimestamp"]
    error = refusal(describe, logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="2")
    assert error.response["Error"]["Code"] == "InvalidParameterException"


@pytest.mark.source("https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html")
def test_a_function_has_no_log_group_before_it_is_invoked(
    client: Client, runtime: Runtime, refusal: Refusal
) -> None:
    group = f"/aws/lambda/{runtime.outputs['Silent']}"

    error = refusal(client("logs").filter_log_events, logGroupName=group)

    assert error.response["Error"]["Code"] == "ResourceNotFoundException"
    assert client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


@pytest.mark.source(FILTER)
def test_a_token_of_something_else_is_refused(
    client: Client, place: dict[str, str], refusal: Refusal
) -> None:
    error = refusal(client("logs").filter_log_events, logGroupName=place["logGroupName"], nextToken="mine")

    assert error.response["Error"]["Code"] == "InvalidParameterException"
