"""SNS: what is published, who gets it, and in which form."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

DOCS = "https://docs.aws.amazon.com/sns/latest"
FILTERS = f"{DOCS}/dg/sns-subscription-filter-policies.html"
pytestmark = pytest.mark.source(f"{DOCS}/api/API_Publish.html")
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
Until = Callable[..., Any]


@pytest.fixture(scope="module")
def template() -> str:
    return """
Transform: AWS::Serverless-2016-10-31
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Other: {Type: AWS::SNS::Topic, Properties: {TopicName: other}}
  Inbox: {Type: AWS::SQS::Queue, Properties: {QueueName: inbox}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Closed: {Type: AWS::SQS::Queue, Properties: {QueueName: closed}}
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Inbox, !Ref Dead]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sqs:SendMessage, Resource: '*'}
  Heard:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.13
      FunctionName: heard
      Environment: {Variables: {QUEUE: !Ref Inbox}}
      Policies:
        - Version: '2012-10-17'
          Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Inbox.Arn}]
      Events: {News: {Type: SNS, Properties: {Topic: !Ref Other}}}
"""


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {
        "code/app.py": """
import json, os, boto3

def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(event))
"""
    }


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:us-east-1:123456789012:{name}"


TOPIC = arn("sns", "news")


@pytest.fixture
def subscribed(client: Client) -> Callable[..., str]:
    """Subscribe a queue in the place of the topic's other subscriptions."""

    def subscribe(queue: str = "inbox", **attributes: str) -> str:
        sns = client("sns")
        for one in sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]:
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
        given = {"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": arn("sqs", queue)}
        return str(
            sns.subscribe(**given, Attributes=attributes, ReturnSubscriptionArn=True)["SubscriptionArn"]
        )

    return subscribe


@pytest.fixture
def inbox(client: Client, until: Until) -> Callable[..., dict[str, Any]]:
    def take(queue: str = "inbox") -> dict[str, Any]:
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        [found] = until(
            lambda: sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages")
        )
        sqs.delete_message(QueueUrl=url, ReceiptHandle=found["ReceiptHandle"])
        return dict(found)

    return take


@pytest.fixture
def publish(client: Client) -> Callable[..., str]:
    return lambda **given: str(client("sns").publish(TopicArn=TOPIC, **given)["MessageId"])


def text(value: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": value}


@pytest.mark.source(f"{DOCS}/dg/sns-sqs-as-subscriber.html")
def test_a_queue_gets_the_message_in_a_signed_document(subscribed: Any, publish: Any, inbox: Any) -> None:
    subscribed()
    message_id = publish(Message="hello", Subject="hi", MessageAttributes={"a": text("b")})
    found = inbox()
    document = json.loads(found["Body"])
    assert "MessageAttributes" not in found
    assert {key: document[key] for key in ("Type", "MessageId", "TopicArn", "Subject", "Message")} == {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": TOPIC,
        "Subject": "hi",
        "Message": "hello",
    }
    assert document["MessageAttributes"] == {"a": {"Type": "String", "Value": "b"}}
    assert {"Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL"} <= set(document)


@pytest.mark.source(f"{DOCS}/dg/sns-large-payload-raw-message-delivery.html")
def test_raw_delivery_is_the_message_and_its_attributes(subscribed: Any, publish: Any, inbox: Any) -> None:
    subscribed(RawMessageDelivery="true")
    publish(Message="hello", MessageAttributes={"a": text("b")})
    found = inbox()
    assert found["Body"] == "hello"
    assert found["MessageAttributes"]["a"]["StringValue"] == "b"


@pytest.mark.source(f"{DOCS}/dg/sns-lambda-as-subscriber.html")
def test_a_function_gets_records_of_the_notification(client: Client, inbox: Any) -> None:
    client("sns").publish(TopicArn=arn("sns", "other"), Message="hello")
    [record] = json.loads(inbox()["Body"])["Records"]
    assert (record["EventSource"], record["EventVersion"]) == ("aws:sns", "1.0")
    assert record["EventSubscriptionArn"].startswith(arn("sns", "other:"))
    assert record["Sns"]["Message"] == "hello"
    assert record["Sns"]["Subject"] is None


@pytest.mark.source(FILTERS)
@pytest.mark.parametrize(
    ("policy", "passes"),
    [
        ({"colour": ["red", "blue"]}, {"colour": "red"}),
        ({"colour": [{"prefix": "re"}]}, {"colour": "red"}),
        ({"colour": [{"anything-but": ["green"]}]}, {"colour": "red"}),
        ({"colour": ["red"], "size": [{"exists": False}]}, {"colour": "red"}),
        ({"$or": [{"size": ["l"]}, {"colour": ["red"]}]}, {"colour": "red"}),
    ],
)
def test_a_filter_policy_lets_through_what_matches_every_key(
    subscribed: Any, publish: Any, inbox: Any, policy: dict[str, Any], passes: dict[str, str]
) -> None:
    subscribed(RawMessageDelivery="true", FilterPolicy=json.dumps(policy))
    publish(Message="no", MessageAttributes={"colour": text("green"), "size": text("s")})
    publish(Message="nothing at all")
    publish(Message="yes", MessageAttributes={name: text(value) for name, value in passes.items()})
    assert inbox()["Body"] == "yes"


@pytest.mark.source(f"{DOCS}/dg/sns-message-filtering-scope.html")
def test_a_filter_policy_may_look_into_the_body(subscribed: Any, publish: Any, inbox: Any) -> None:
    policy = {"order": {"total": [{"numeric": [">", 100]}]}}
    subscribed(RawMessageDelivery="true", FilterPolicy=json.dumps(policy), FilterPolicyScope="MessageBody")
    publish(Message='{"order": {"total": 100}}')
    publish(Message="no json")
    publish(Message='{"order": {"total": 101}}')
    assert json.loads(inbox()["Body"]) == {"order": {"total": 101}}


@pytest.mark.source(f"{DOCS}/dg/sns-configure-dead-letter-queue.html")
def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(
    subscribed: Any, publish: Any, inbox: Any
) -> None:
    """The queue `closed` has no policy that lets the topic send."""
    redrive = json.dumps({"deadLetterTargetArn": arn("sqs", "dead")})
    subscribed("closed", RawMessageDelivery="true", RedrivePolicy=redrive)
    publish(Message="lost")
    found = inbox("dead")
    assert "lost" in found["Body"]
    assert {"ErrorCode", "ErrorMessage", "RequestID"} == set(found["MessageAttributes"])


def test_structured_messages_have_a_default_and_a_text_per_protocol(
    subscribed: Any, publish: Any, inbox: Any, client: Client, refusal: Refusal
) -> None:
    subscribed(RawMessageDelivery="true")
    publish(Message=json.dumps({"default": "d", "sqs": "s"}), MessageStructure="json")
    assert inbox()["Body"] == "s"
    given = {"TopicArn": TOPIC, "MessageStructure": "json", "Message": json.dumps({"sqs": "s"})}
    assert refusal(client("sns").publish, **given).response["Error"]["Code"] == "InvalidParameter"


@pytest.mark.parametrize(
    "given", [{"Message": ""}, {"Message": "x" * 262_145}, {"Message": "x", "Subject": "a\nb"}]
)
def test_a_message_that_may_not_be_is_an_invalid_parameter(
    client: Client, refusal: Refusal, given: dict[str, str]
) -> None:
    error = refusal(client("sns").publish, TopicArn=TOPIC, **given)
    assert error.response["Error"]["Code"] in ("InvalidParameter", "InvalidParameterValue")


def test_a_topic_that_is_not_there_is_not_found(client: Client, refusal: Refusal) -> None:
    error = refusal(client("sns").publish, TopicArn=arn("sns", "nobody"), Message="x")
    assert error.response["Error"]["Code"] == "NotFound"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.source(f"{DOCS}/api/API_PublishBatch.html")
def test_a_batch_has_ten_at_most_each_with_an_id_of_its_own(client: Client, refusal: Refusal) -> None:
    batch = client("sns").publish_batch
    entries = [{"Id": str(index), "Message": "x"} for index in range(11)]
    assert len(batch(TopicArn=TOPIC, PublishBatchRequestEntries=entries[:10])["Successful"]) == 10
    too_many = refusal(batch, TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    assert "TooManyEntriesInBatchRequest" in too_many.response["Error"]["Code"]
    twice = refusal(batch, TopicArn=TOPIC, PublishBatchRequestEntries=[entries[0], entries[0]])
    assert "BatchEntryIdsNotDistinct" in twice.response["Error"]["Code"]


@pytest.mark.source(f"{DOCS}/api/API_Subscribe.html")
def test_subscribing_again_gives_the_same_subscription(subscribed: Any, client: Client) -> None:
    first = subscribed()
    again = client("sns").subscribe(
        TopicArn=TOPIC, Protocol="sqs", Endpoint=arn("sqs", "inbox"), ReturnSubscriptionArn=True
    )
    assert again["SubscriptionArn"] == first


@pytest.mark.source(f"{DOCS}/dg/sns-access-policy-language-api-permissions-reference.html")
def test_a_role_publishes_to_the_topics_of_its_policy(
    client_with: Callable[..., Client], refusal: Refusal
) -> None:
    lent = client_with({"Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC})("sns")
    assert lent.publish(TopicArn=TOPIC, Message="x")["MessageId"]
    error = refusal(lent.publish, TopicArn=arn("sns", "other"), Message="x")
    assert error.response["Error"]["Code"] == "AuthorizationError"
