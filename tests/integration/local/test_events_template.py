"""A template that is not ours: a topic, schedules, a stream and queues around one function."""

import base64
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions

Client = Callable[[str], Any]

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Topic: {Type: AWS::SNS::Topic, Properties: {SignatureVersion: '2'}}
  Rows: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}
  Seen: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Inbox: {Type: AWS::SQS::Queue}
  Parked:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: 'aws:kms'}}]
      LifecycleConfiguration:
        Rules:
          - {Id: parts, Status: Enabled, AbortIncompleteMultipartUpload: {DaysAfterInitiation: 1}}
          - {Id: old, Status: Enabled, Prefix: alerts/, ExpirationInDays: 30}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
        - {AttributeName: pending, AttributeType: S}
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: pending
          KeySchema: [{AttributeName: pending, KeyType: HASH}]
          Projection: {ProjectionType: ALL}
      TimeToLiveSpecification: {AttributeName: expires, Enabled: true}
  TooMany:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: App
      MetricName: Waiting
      Dimensions: [{Name: service, Value: worker}]
      Statistic: Maximum
      Period: 60
      EvaluationPeriods: 5
      Threshold: 0
      ComparisonOperator: GreaterThanThreshold
      TreatMissingData: notBreaching
      AlarmActions: [!Ref Topic]
  Quiet:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Inbox.Arn
      FilterPolicyScope: MessageBody
      FilterPolicy: {device: {site: [Gate 3]}}
  InboxPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Inbox]
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: sns.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt Inbox.Arn
            Condition: {ArnEquals: {'aws:SourceArn': !Ref Topic}}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: worker
      Handler: app.handler
      Runtime: python3.13
      Environment: {Variables: {SEEN: !Ref Seen}}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
      Policies:
        - Version: '2012-10-17'
          Statement: [{Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Seen.Arn}]
      Events:
        Sweep:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(10 minutes), Input: '{"sweep": true}'}
        Never: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), State: DISABLED}}
        Hourly: {Type: Schedule, Properties: {Schedule: rate(1 hour)}}
        Told: {Type: SNS, Properties: {Topic: !Ref Topic, FilterPolicy: {severity: [high]}}}
        Row:
          Type: Kinesis
          Properties:
            Stream: !GetAtt Rows.Arn
            StartingPosition: TRIM_HORIZON
            MaximumRetryAttempts: 0
            DestinationConfig: {OnFailure: {Type: S3, Destination: !GetAtt Parked.Arn}}
Outputs:
  Topic: {Value: !Ref Topic}
  Rows: {Value: !Ref Rows}
  Seen: {Value: !Ref Seen}
  Dead: {Value: !Ref Dead}
  Inbox: {Value: !Ref Inbox}
  Parked: {Value: !Ref Parked}
  Table: {Value: !Ref Table}
  Alarm: {Value: !Ref TooMany}
"""
APP = """
import json, os
import boto3

def handler(event, context):
    if "fail" in json.dumps(event):
        raise ValueError("as it was told")
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
"""


@dataclass
class Stack:
    runtime: Runtime
    clock: Clock
    client: Client

    def url(self, name: str) -> str:
        return self.runtime.outputs[name]

    def next(self, queue: str, seconds: int = 10) -> Any:
        """The next message of a queue, read as JSON; None when none comes."""
        sqs = self.client("sqs")
        for _ in range(seconds * 20):
            for message in sqs.receive_message(QueueUrl=self.url(queue)).get("Messages", []):
                sqs.delete_message(QueueUrl=self.url(queue), ReceiptHandle=message["ReceiptHandle"])
                return json.loads(message["Body"])
            threading.Event().wait(0.05)
        return None

    def publish(self, message: str, severity: str = "high", **more: Any) -> str:
        attributes = {"severity": {"DataType": "String", "StringValue": severity}}
        answer = self.client("sns").publish(
            TopicArn=self.url("Topic"), Message=message, MessageAttributes=attributes, **more
        )
        return str(answer["MessageId"])


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, client_of: Callable[[Runtime], Client]
) -> Iterator[Stack]:
    folder, clock = tmp_path_factory.mktemp("events"), Clock()
    (folder / "worker").mkdir()
    (folder / "worker/app.py").write_text(APP)
    (folder / "template.yaml").write_text(TEMPLATE)
    options = RuntimeOptions(folder / "template.yaml", "events", api_port=0, aws_port=0, clock=clock)
    with Runtime(options) as runtime:
        yield Stack(runtime, clock, client_of(runtime))


def test_a_function_hears_the_message_of_its_topic(stack: Stack) -> None:
    message_id = stack.publish("seen", Subject="Ada")

    (record,) = stack.next("Seen")["Records"]

    assert (record["EventSource"], record["Sns"]["MessageId"]) == ("aws:sns", message_id)
    assert (record["Sns"]["Subject"], record["Sns"]["Message"]) == ("Ada", "seen")
    assert record["Sns"]["MessageAttributes"] == {"severity": {"Type": "String", "Value": "high"}}


def test_a_message_that_the_filter_stops_does_not_arrive(stack: Stack) -> None:
    stack.publish("low", severity="low")
    stack.publish("high")
    assert stack.next("Seen")["Records"][0]["Sns"]["Message"] == "high"
    assert stack.next("Seen", seconds=1) is None


def test_each_protocol_gets_its_own_text_and_is_filtered_by_it(stack: Stack) -> None:
    body = json.dumps({"device": {"site": "Gate 3"}})
    text = json.dumps({"default": body, "lambda": "for the function", "email": "for people"})

    stack.publish(text, MessageStructure="json")

    assert stack.next("Seen")["Records"][0]["Sns"]["Message"] == "for the function"
    told = stack.next("Inbox")
    assert (told["Type"], told["Message"], told["SignatureVersion"]) == ("Notification", body, "2")


def test_a_structure_without_a_default_is_refused(stack: Stack) -> None:
    with pytest.raises(stack.client("sns").exceptions.InvalidParameterException, match="No default entry"):
        stack.publish('{"lambda": "x"}', MessageStructure="json")


def test_an_event_that_fails_twice_goes_to_its_destination(stack: Stack) -> None:
    stack.publish("fail")
    for _ in range(100):
        if stack.runtime.log_dir and "as it was told" in "".join(
            file.read_text() for file in stack.runtime.log_dir.glob("*")
        ):
            break
        threading.Event().wait(0.05)
    threading.Event().wait(0.1)
    stack.clock.advance(timedelta(minutes=1))

    record = stack.next("Dead")

    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestPayload"]["Records"][0]["Sns"]["Message"] == "fail"
    assert record["responsePayload"]["errorMessage"] == "as it was told"


def test_schedules_call_at_their_time_and_not_before(stack: Stack) -> None:
    assert stack.next("Seen", seconds=1) is None

    stack.clock.advance(timedelta(minutes=10))

    assert stack.next("Seen") == {"sweep": True}
    assert stack.next("Seen", seconds=1) is None


def test_a_rule_calls_with_the_event_of_eventbridge(stack: Stack) -> None:
    stack.clock.advance(timedelta(hours=1))

    events = [stack.next("Seen"), stack.next("Seen")]

    (told,) = [event for event in events if "sweep" not in event]
    assert (told["source"], told["detail-type"], told["detail"]) == ("aws.events", "Scheduled Event", {})
    assert told["resources"][0].startswith("arn:aws:events:us-east-1:123456789012:rule/events-WorkerHourly")


def test_rows_reach_the_function_by_the_policy_that_sam_attaches(stack: Stack) -> None:
    kinesis = stack.client("kinesis")
    kinesis.put_record(StreamName=stack.url("Rows"), Data=b"row", PartitionKey="k")

    (record,) = stack.next("Seen")["Records"]

    assert base64.b64decode(record["kinesis"]["data"]) == b"row"


def test_rows_that_fail_are_parked(stack: Stack) -> None:
    stack.client("kinesis").put_record(StreamName=stack.url("Rows"), Data=b"x", PartitionKey="fail")
    s3 = stack.client("s3")
    for _ in range(200):
        found = s3.list_objects_v2(Bucket=stack.url("Parked")).get("Contents", [])
        if found:
            break
        threading.Event().wait(0.05)

    parked = json.load(s3.get_object(Bucket=stack.url("Parked"), Key=found[0]["Key"])["Body"])

    assert parked["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert "fail" in parked["payload"]


def test_tables_and_alarms_are_as_the_template_says(stack: Stack) -> None:
    dynamodb = stack.client("dynamodb")
    dynamodb.put_item(TableName=stack.url("Table"), Item={"id": {"S": "a"}, "pending": {"S": "1"}})
    dynamodb.put_item(TableName=stack.url("Table"), Item={"id": {"S": "b"}})

    expiry = dynamodb.describe_time_to_live(TableName=stack.url("Table"))["TimeToLiveDescription"]
    waiting = dynamodb.query(
        TableName=stack.url("Table"),
        IndexName="pending",
        KeyConditionExpression="pending = :one",
        ExpressionAttributeValues={":one": {"S": "1"}},
    )
    (alarm,) = stack.client("cloudwatch").describe_alarms(AlarmNames=[stack.url("Alarm")])["MetricAlarms"]

    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    assert [item["id"]["S"] for item in waiting["Items"]] == ["a"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("Waiting", 0)


def test_of_many_who_write_on_the_same_condition_one_succeeds(stack: Stack) -> None:
    dynamodb, won = stack.client("dynamodb"), []

    def claim(number: int) -> None:
        try:
            dynamodb.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": stack.url("Table"),
                            "Item": {"id": {"S": "claim"}, "by": {"N": str(number)}},
                            "ConditionExpression": "attribute_not_exists(id)",
                        }
                    },
                    {"Put": {"TableName": stack.url("Table"), "Item": {"id": {"S": f"claim {number}"}}}},
                ]
            )
            won.append(number)
        except dynamodb.exceptions.TransactionCanceledException:
            return

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    items = dynamodb.scan(TableName=stack.url("Table"))["Items"]
    assert len(won) == 1
    assert [i["id"]["S"] for i in items if i["id"]["S"].startswith("claim ")] == [f"claim {won[0]}"]


class WebServer:
    """Keeps what it is posted; answers with the next of `statuses`, else 200."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], dict[str, str]]] = []
        self.statuses: list[int] = []
        self.arrived = threading.Semaphore(0)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.end_headers()
                outer.received.append((dict(self.headers), body))
                outer.arrived.release()

            def log_message(self, *_args: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def next(self, seconds: float = 10) -> tuple[dict[str, str], dict[str, str]] | None:
        return self.received[-1] if self.arrived.acquire(timeout=seconds) else None


@pytest.fixture
def web() -> Iterator[WebServer]:
    web = WebServer()
    yield web
    web.server.shutdown()
    web.server.server_close()


def test_a_web_server_is_asked_first_and_then_gets_signed_notifications(stack: Stack, web: WebServer) -> None:
    sns = stack.client("sns")
    arn = sns.subscribe(TopicArn=stack.url("Topic"), Protocol="http", Endpoint=web.url)["SubscriptionArn"]
    asked = web.next()
    assert asked is not None
    assert asked[0]["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    stack.publish("too early", severity="low")
    assert web.next(0.3) is None

    with urllib.request.urlopen(asked[1]["SubscribeURL"]) as answer:
        assert arn.encode() in answer.read()
    stack.publish("hello", severity="low", Subject="Ada")
    told = web.next()

    assert told is not None
    headers, body = told
    assert (headers["x-amz-sns-message-type"], headers["x-amz-sns-subscription-arn"]) == ("Notification", arn)
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"
    with urllib.request.urlopen(body["SigningCertURL"]) as answer:
        key = x509.load_pem_x509_certificate(answer.read()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{body[name]}\n" for name in names)
    key.verify(base64.b64decode(body["Signature"]), text.encode(), padding.PKCS1v15(), hashes.SHA256())
    sns.unsubscribe(SubscriptionArn=arn)


def test_a_web_server_that_fails_is_asked_again_and_one_that_refuses_is_not(
    stack: Stack, web: WebServer
) -> None:
    sns = stack.client("sns")
    arn = sns.subscribe(TopicArn=stack.url("Topic"), Protocol="http", Endpoint=web.url)["SubscriptionArn"]
    asked = web.next()
    assert asked is not None
    sns.confirm_subscription(TopicArn=stack.url("Topic"), Token=asked[1]["Token"])
    web.statuses = [503, 403]

    stack.publish("again", severity="low")

    assert web.next() is not None
    assert web.next(0.3) is None
    stack.clock.advance(timedelta(seconds=20))
    assert web.next() is not None
    stack.clock.advance(timedelta(seconds=60))
    assert web.next(0.3) is None
    sns.unsubscribe(SubscriptionArn=arn)


def test_a_token_of_nobody_confirms_nothing(stack: Stack) -> None:
    with pytest.raises(stack.client("sns").exceptions.InvalidParameterException):
        stack.client("sns").confirm_subscription(TopicArn=stack.url("Topic"), Token="x")
