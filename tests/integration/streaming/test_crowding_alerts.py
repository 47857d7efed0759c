"""A device's people_limit by the API, counts in the crowding stream, one alert per crowd at a subscriber."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_cli.api import ApiError
from sightline_cli.stack import Stack
from tests.integration.streaming.conftest import System, until

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def counts(device_id: str, *people: int, minute: int = 0) -> list[dict[str, Any]]:
    """One count after the other, minute by minute."""
    moments = [NOON + timedelta(minutes=minute + number) for number in range(len(people) + 1)]
    texts = [moment.strftime("%Y-%m-%dT%H:%M:%S.000Z") for moment in moments]
    return [
        {
            "query": "crowding",
            "device_id": device_id,
            "site": "Harbour",
            "window_start": texts[number],
            "window_end": texts[number + 1],
            "people": each,
        }
        for number, each in enumerate(people)
    ]


class Subscriber:
    def __init__(self, stack: Stack) -> None:
        self.sqs = stack.client("sqs")
        self.queue = self.sqs.create_queue(QueueName="guards")["QueueUrl"]
        names = {"AttributeNames": ["QueueArn"]}
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, **names)["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"Policy": policy})
        self.sns, self.topic, self.arn = stack.client("sns"), stack.output("AlertsTopicArn"), arn
        self.subscribe()

    def subscribe(self) -> None:
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=self.arn)

    def alerts(self) -> list[dict[str, Any]]:
        """What came since the last call."""
        got = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        for each in got:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return [json.loads(json.loads(each["Body"])["Message"]) for each in got]


@pytest.fixture(scope="module")
def subscriber(system: System) -> Subscriber:
    return Subscriber(system.stack)


def read_all(system: System) -> None:
    """The consumer has attended to all that was in the crowding stream before.

    The first marker may be parked while its batch is still attended to, the second is in a batch after that.
    """
    for _ in range(2):
        before = len(system.keys("ParkedRecordsBucketName"))
        system.write("CrowdingStreamName", [b"this is no count"])
        until(lambda before=before: len(system.keys("ParkedRecordsBucketName")) > before)


def log_streams(system: System, function: str) -> list[str]:
    try:
        found = system.client("logs").describe_log_streams(
            logGroupName=f"/aws/lambda/{system.physical(function)}"
        )
    except ClientError:
        return []
    return [each["logStreamName"] for each in found["logStreams"]]


def test_a_limit_is_set_changed_and_removed_over_the_api_and_counts_at_once(
    system: System, subscriber: Subscriber
) -> None:
    api = system.api
    device = api.post(
        "/devices", {"device_id": "gate-3", "name": "Gate 3", "site": "Harbour", "people_limit": 5}
    )
    assert device["people_limit"] == 5
    until(lambda: api.device("gate-3")["state"] == "running")

    system.write("CrowdingStreamName", counts("gate-3", 3, 6, 7, 5, 9))
    read_all(system)
    system.write("CrowdingStreamName", counts("gate-3", 3, 6, 7, 5, 9))  # the application began again
    read_all(system)
    first = subscriber.alerts()

    api.request("PATCH", "/devices/gate-3", {"people_limit": 10})
    system.write("CrowdingStreamName", counts("gate-3", 9, 11, minute=20))
    read_all(system)
    second = subscriber.alerts()

    assert api.request("PATCH", "/devices/gate-3", {"people_limit": None})["people_limit"] is None
    system.write("CrowdingStreamName", counts("gate-3", 500, minute=40))
    read_all(system)

    assert sorted((each["seen_at"], each["crowd"]["people"]) for each in first) == [
        ("2026-11-22T12:01:00.000Z", 6),
        ("2026-11-22T12:04:00.000Z", 9),
    ]
    assert [(each["device"]["name"], each["crowd"]) for each in second] == [
        (
            "Gate 3",
            {
                "people": 11,
                "people_limit": 10,
                "window_start": "2026-11-22T12:21:00.000Z",
                "window_end": "2026-11-22T12:22:00.000Z",
            },
        )
    ]
    assert subscriber.alerts() == []
    assert log_streams(system, "AlertCrowding")
    assert log_streams(system, "CollectEvidence") == []  # a crowd has no frame to show


@pytest.mark.parametrize("limit", [0, "5", 1.5])
def test_a_limit_that_is_none_is_refused(system: System, limit: object) -> None:
    with pytest.raises(ApiError, match="people_limit"):
        system.api.post("/devices", {"device_id": "gate-9", "people_limit": limit})


def test_the_application_may_read_sightings_and_write_its_two_streams_and_nothing_else(
    system: System,
) -> None:
    kinesis = system.as_application("kinesis")
    sightings, results = (
        system.stack.output(name) for name in ("SightingsStreamName", "StreamingResultsStreamName")
    )
    shard = kinesis.list_shards(StreamName=sightings)["Shards"][0]["ShardId"]
    at = {"StreamName": sightings, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    assert "Records" in kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**at)["ShardIterator"])

    for forbidden in (
        lambda: kinesis.put_record(StreamName=sightings, Data=b"{}", PartitionKey="x"),
        lambda: kinesis.get_shard_iterator(**at | {"StreamName": results}),
        lambda: kinesis.delete_stream(StreamName=results),
        lambda: system.as_application("s3").list_objects_v2(Bucket=system.stack.output("EvidenceBucketName")),
    ):
        with pytest.raises(ClientError, match=r"not authorized|AccessDenied"):
            forbidden()


def test_a_topic_that_is_away_loses_no_crowd_and_repeats_none(system: System, subscriber: Subscriber) -> None:
    """Runs last: it takes the topic away."""
    dynamodb, crowds = system.client("dynamodb"), system.physical("CrowdsTable")
    system.api.request("PATCH", "/devices/gate-3", {"people_limit": 5})
    subscriber.sns.delete_topic(TopicArn=subscriber.topic)
    system.write("CrowdingStreamName", counts("gate-3", 6, 2, 8, minute=60))

    def is_pending() -> bool:
        return "pending" in dynamodb.scan(TableName=crowds)["Items"][0]

    until(is_pending)
    assert subscriber.alerts() == []
    subscriber.sns.create_topic(Name=subscriber.topic.rpartition(":")[2])
    subscriber.subscribe()
    read_all(system)

    assert not is_pending()
    assert sorted((each["seen_at"], each["crowd"]["people"]) for each in subscriber.alerts()) == [
        ("2026-11-22T13:00:00.000Z", 6),
        ("2026-11-22T13:02:00.000Z", 8),
    ]
