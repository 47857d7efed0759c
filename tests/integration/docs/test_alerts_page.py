"""What docs/alerts.md shows is true: the message, the attributes, and every filter policy on a real topic."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.alerts.model import Notification
from sightline.alerts.sns import SnsAlertSink
from tests.builders import a_face_record, a_match
from tests.fakes.consumer import World, a_batch

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "alerts.md").read_text()
POLICIES: dict[str, dict[str, Any]] = {
    heading: json.loads(policy) for heading, policy in re.findall(r"### (.+)\n\n```json\n(.+?)\n```", PAGE)
}

MESSAGES: dict[str, dict[str, str | float]] = {
    "harbour high": {
        "site": "Harbour",
        "device_id": "gate-3",
        "watchlist_id": "default",
        "severity": "high",
        "similarity": 99.5,
    },
    "harbour critical, sure": {
        "site": "Harbour",
        "device_id": "gate-3",
        "watchlist_id": "default",
        "severity": "critical",
        "similarity": 98,
    },
    "harbour critical, less sure": {
        "site": "Harbour",
        "device_id": "gate-3",
        "watchlist_id": "default",
        "severity": "critical",
        "similarity": 97.9,
    },
    "no site, missing child": {
        "device_id": "gate-9",
        "watchlist_id": "missing-children",
        "severity": "critical",
        "similarity": 99,
    },
    "airport vip": {
        "site": "Airport",
        "device_id": "gate-7",
        "watchlist_id": "vip",
        "severity": "low",
        "similarity": 99,
    },
    "unknown face at the harbour": {"site": "Harbour", "device_id": "gate-3", "severity": "low"},
}
EXPECTED = {
    "One site": {
        "harbour high",
        "harbour critical, sure",
        "harbour critical, less sure",
        "unknown face at the harbour",
    },
    "What cannot wait": {
        "harbour high",
        "harbour critical, sure",
        "harbour critical, less sure",
        "no site, missing child",
    },
    "One list": {"no site, missing child"},
    "Every list but one": {
        "harbour high",
        "harbour critical, sure",
        "harbour critical, less sure",
        "no site, missing child",
    },
    "Critical at one site, and only when it is nearly certain": {"harbour critical, sure"},
}


@dataclass
class Inbox:
    sink: SnsAlertSink
    sqs: Any
    queue_url: str

    def received(self) -> set[str]:
        messages = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages", []
        )
        return {json.loads(json.loads(each["Body"])["Message"])["case"] for each in messages}


@pytest.fixture
def inbox(request: pytest.FixtureRequest) -> Iterator[Inbox]:
    with mock_aws():
        sns, sqs = (
            boto3.client(name, region_name="us-east-1")  # type: ignore[call-overload]
            for name in ("sns", "sqs")
        )
        topic_arn = sns.create_topic(Name="alerts")["TopicArn"]
        queue_url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint="arn:aws:sqs:us-east-1:123456789012:inbox",
            Attributes={"FilterPolicy": json.dumps(POLICIES[request.param])},
        )
        yield Inbox(SnsAlertSink(sns, topic_arn), sqs, queue_url)


def test_every_policy_of_the_page_is_tried() -> None:
    assert POLICIES.keys() == EXPECTED.keys()


@pytest.mark.parametrize(("inbox", "expected"), EXPECTED.items(), indirect=["inbox"], ids=list(EXPECTED))
def test_a_policy_lets_through_what_it_says(inbox: Inbox, expected: set[str]) -> None:
    for case, attributes in MESSAGES.items():
        inbox.sink.publish(Notification("Somebody seen", json.dumps({"case": case}), attributes))

    assert inbox.received() == expected


@pytest.fixture(scope="module")
def published() -> Notification:
    """What the consumer makes of a face record."""
    world = World()
    for second in range(3):
        world.process().consume(a_batch(a_face_record(float(second), [a_match("ada")]), first=second + 1))
    return world.sink.published[0]


def shape(value: Any) -> Any:
    return {name: shape(member) for name, member in value.items()} if isinstance(value, dict) else None


def test_the_message_of_the_page_has_the_members_of_a_real_one(published: Notification) -> None:
    example = json.loads(re.findall(r"## The message\n.+?```json\n(.+?)\n```", PAGE, re.DOTALL)[0])
    real = json.loads(published.body)
    for body in (example, real):
        body["evidence"]["face_record"] = None

    assert shape(example) == shape(real)
    assert example["schema_version"] == real["schema_version"]


def test_the_attributes_of_the_page_are_those_of_a_real_message(published: Notification) -> None:
    table = re.findall(r"^\| `(\w+)` \| (String|Number) \|", PAGE, re.MULTILINE)

    kinds = {
        name: "String" if isinstance(value, str) else "Number" for name, value in published.attributes.items()
    }
    assert dict(table) == kinds
