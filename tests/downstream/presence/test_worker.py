"""The presence worker as on AWS: the tables and queue of the stack, the role of the task, the real daemon."""

import json
import random
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from sightline_cli.downstream import presence
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.downstream.presence.application import wait_for
from tests.downstream.presence_oracle import presence as expected_presence

pytestmark = pytest.mark.timeout(600)

FIRST = datetime(2026, 11, 22, 8, tzinfo=UTC)
MALFORMED = [
    b"no JSON",
    b"[]",
    b'{"device_id": "d"}',
    b'{"sighting_id": "s", "device_id": "d", "seen_at": "now"}',
]
DECIDED = ("person_id", "person_name", "device_id", "site", "visit_id", "since", "last_seen_at")


def rows(count, seed):
    """Visits of forty people, out of order and some of them twice, and faces that nobody knows."""
    chance = random.Random(seed)
    found = []
    for number in range(count):
        person, visit = chance.randrange(40), chance.randrange(3)
        known = chance.random() < 0.9
        seen_at = FIRST + timedelta(hours=visit, seconds=chance.randrange(1800), milliseconds=number % 1000)
        found.append(
            {
                "sighting_id": f"{seed}-{number}",
                "device_id": f"device-{(person + visit) % 7}",
                "site": f"site-{visit % 2}",
                "seen_at": seen_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "person_id": f"person-{person}" if known else None,
                "person_name": f"Person {person}" if known else None,
                "visit_id": f"visit-{person}-{visit}" if known else None,
            }
        )
    return found + chance.sample(found, count // 100)


@pytest.fixture(scope="module")
def runtime(presence_home: None, repository):
    options = RuntimeOptions(
        template=repository / "template.yaml",
        api_port=0,
        aws_port=0,
        parameters={"Presence": "true", "Lake": "false"},
    )
    with Runtime(options) as runtime:
        yield runtime


class Stack:
    def __init__(self, runtime):
        self._runtime, self.outputs = runtime, runtime.outputs

    def client(self, name):
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        return boto3.client(name, region_name="us-east-1", endpoint_url=self._runtime.aws_url, **keys)

    def send(self, payloads):
        for first in range(0, len(payloads), 500):
            records = [{"Data": each, "PartitionKey": "device"} for each in payloads[first : first + 500]]
            answer = self.client("kinesis").put_records(
                StreamName=self.outputs["SightingsStreamName"], Records=records
            )
            assert answer["FailedRecordCount"] == 0

    def present(self):
        found = self.client("dynamodb").scan(TableName=self.outputs["PresenceTableName"])["Items"]
        items = [{name: each.get(name, {}).get("S") for name in DECIDED} for each in found]
        return sorted(items, key=lambda each: each["person_id"])

    def set_aside(self):
        queue, found = {"QueueUrl": self.outputs["PresenceFailuresQueueUrl"]}, []
        while messages := self.client("sqs").receive_message(**queue, MaxNumberOfMessages=10).get("Messages"):
            found += [json.loads(each["Body"]) for each in messages]
        return found

    def forget_the_leader(self):
        """As if two minutes had gone by: so long a leader that died is believed to be alive."""
        table = f"{self.outputs['PresenceApplicationName']}-CoordinatorState"
        self.client("dynamodb").delete_item(TableName=table, Key={"key": {"S": "Leader"}})


@pytest.fixture(scope="module")
def stack(runtime):
    return Stack(runtime)


def expected(sent):
    everybody = expected_presence(sent, datetime.now(UTC))
    return [{name: each[name] for name in DECIDED} for each in everybody]


def test_who_is_where_follows_from_all_sightings_though_workers_are_killed(runtime, stack, tmp_path):
    sent = rows(6000, seed=1)
    payloads = [json.dumps(each).encode() for each in sent]
    payloads[1000:1000] = MALFORMED

    told = presence.environment(runtime)
    for round_ in range(2):
        worker = presence.PresenceWorker(told, tmp_path, f"killed-{round_}").start()
        worker.wait_running()
        stack.send(payloads[round_ * 2000 : (round_ + 1) * 2000])
        wait_for(lambda worker=worker: worker.handled > 0, 60, "some records")
        worker.kill()
        stack.forget_the_leader()
    with presence.PresenceWorker(told, tmp_path, "last") as worker:
        stack.send(payloads[4000:])
        wait_for(lambda: stack.present() == expected(sent), 120, "everybody is where they were last seen")

    aside = {each["sequence_number"]: each for each in stack.set_aside()}
    assert sorted(b64decode(each["payload"]) for each in aside.values()) == sorted(MALFORMED)
    assert all(each["reason"] for each in aside.values())
    leases = stack.client("dynamodb").scan(TableName=stack.outputs["PresenceApplicationName"])["Items"]
    assert [each["checkpoint"]["S"] for each in leases] == [stack_end(stack)]


def stack_end(stack):
    """The sequence number of the last record in the stream."""
    kinesis, stream = stack.client("kinesis"), {"StreamName": stack.outputs["SightingsStreamName"]}
    shard = kinesis.list_shards(**stream)["Shards"][0]["ShardId"]
    iterator = kinesis.get_shard_iterator(**stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    position, last = iterator["ShardIterator"], None
    while (answer := kinesis.get_records(ShardIterator=position))["Records"]:
        last, position = answer["Records"][-1]["SequenceNumber"], answer["NextShardIterator"]
    return last


def test_the_role_of_the_task_is_all_that_the_worker_needs_and_no_more(runtime, stack):
    assert stack.present(), "the worker has run"
    report = runtime.iam_report()
    role = next(each for each in report.roles if each.arn == stack.outputs["PresenceWorkerRoleArn"])

    assert [each for each in report.denied if each.who == role.arn] == []
    assert list(role.lines()) == []
