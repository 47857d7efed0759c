"""SNS in a small cloud: what an endpoint refuses, and what raw delivery leaves out."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sightline_local.cloud import patches
from sightline_local.cloud.sns import Notifications, Signer
from sightline_local.cloud.sns.documents import Documents
from sightline_local.iam import Authorizer

Until = Callable[[Callable[[], Any]], Any]
NOTHING = "def handle(event, context): ..."


class Topic:
    def __init__(self, cloud: Any, until: Until) -> None:
        self.cloud = cloud
        self.sns = cloud.client("sns")
        self.sqs = cloud.client("sqs")
        self.until = until
        self.arn = str(self.sns.create_topic(Name="t")["TopicArn"])
        url = cloud.clients.endpoint_url
        may_send = Authorizer("123456789012", "us-east-1").authorize_service
        Notifications(Documents(Signer(url), url), cloud.functions, may_send).install()

    def subscribe(self, protocol: str, endpoint: str, **attributes: str) -> str:
        answer = self.sns.subscribe(
            TopicArn=self.arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes
        )
        return str(answer["SubscriptionArn"])

    def queue(self, name: str) -> str:
        """A queue that lets SNS send to it for this topic."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": "*",
            "Condition": {"ArnEquals": {"aws:SourceArn": self.arn}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
        return str(self.sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"])

    def next(self, url: str) -> Any:
        def messages() -> list[Any]:
            answer = self.sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])
            return list(answer.get("Messages", []))

        return self.until(messages)[0]


@pytest.fixture
def topic(cloud: Any, until: Until) -> Iterator[Topic]:
    yield Topic(cloud, until)
    patches.undo()


@pytest.mark.parametrize(
    ("function", "code"), [("closed", "AccessDeniedException"), ("gone", "ResourceNotFoundException")]
)
def test_what_a_function_refuses_goes_to_the_dead_letter_queue(
    cloud: Any, topic: Topic, function: str, code: str
) -> None:
    cloud.function("closed", NOTHING)
    dead = topic.queue("dead")
    redrive = json.dumps({"deadLetterTargetArn": cloud.arn("sqs", "dead")})
    topic.subscribe("lambda", cloud.arn("lambda", f"function:{function}"), RedrivePolicy=redrive)

    topic.sns.publish(TopicArn=topic.arn, Message="hello")

    told = topic.next(dead)
    assert json.loads(told["Body"])["Message"] == "hello"
    assert told["MessageAttributes"]["ErrorCode"]["StringValue"] == code


def test_one_endpoint_that_refuses_keeps_the_message_from_nobody_else(cloud: Any, topic: Topic) -> None:
    url = topic.queue("open")
    topic.subscribe("lambda", cloud.arn("lambda", "function:gone"))
    topic.subscribe("sqs", cloud.arn("sqs", "gone"))
    topic.subscribe("sqs", cloud.arn("sqs", "open"))

    topic.sns.publish(TopicArn=topic.arn, Message="hello")

    assert json.loads(topic.next(url)["Body"])["Message"] == "hello"


def test_raw_delivery_is_the_text_and_its_attributes(cloud: Any, topic: Topic) -> None:
    url = topic.queue("raw")
    topic.subscribe("sqs", cloud.arn("sqs", "raw"), RawMessageDelivery="true")
    attributes = {
        "n": {"DataType": "Number", "StringValue": "97.20"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }

    topic.sns.publish(TopicArn=topic.arn, Message="hello", MessageAttributes=attributes)

    told = topic.next(url)
    assert told["Body"] == "hello"
    assert told["MessageAttributes"]["n"] == {"DataType": "Number", "StringValue": "97.20"}
    assert told["MessageAttributes"]["b"]["BinaryValue"] == b"\x00\xff"


def test_a_batch_is_published_message_by_message(cloud: Any, topic: Topic) -> None:
    url = topic.queue("batch")
    topic.subscribe("sqs", cloud.arn("sqs", "batch"), RawMessageDelivery="true")

    entries = [{"Id": "1", "Message": "one"}, {"Id": "2", "Message": "two"}]
    answer = topic.sns.publish_batch(TopicArn=topic.arn, PublishBatchRequestEntries=entries)

    assert len(answer["Successful"]) == 2
    assert {topic.next(url)["Body"], topic.next(url)["Body"]} == {"one", "two"}


def test_a_message_that_is_too_large_is_refused(topic: Topic) -> None:
    with pytest.raises(topic.sns.exceptions.InvalidParameterException, match="too long"):
        topic.sns.publish(TopicArn=topic.arn, Message="ü" * 131073)


def test_a_filter_that_is_not_emulated_is_refused_by_name(cloud: Any, topic: Topic) -> None:
    topic.queue("filtered")
    with pytest.raises(topic.sns.exceptions.InvalidParameterException, match="wildcard"):
        topic.subscribe(
            "sqs", cloud.arn("sqs", "filtered"), FilterPolicy=json.dumps({"a": [{"wildcard": "x*"}]})
        )
