"""A restart on the same data directory: what services of our own hold is there again, and goes on."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Seen: {Type: AWS::SQS::Queue, Properties: {QueueName: seen}}
  People: {Type: AWS::Rekognition::Collection, Properties: {CollectionId: people}}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: echo
      Handler: app.handle
      Runtime: python3.13
      FunctionName: echo
      Environment: {Variables: {SEEN: !Ref Seen}}
      Policies:
        - Version: '2012-10-17'
          Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Seen.Arn}
  Scheduling:
    Type: AWS::IAM::Role
    Properties:
      RoleName: scheduling
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          Effect: Allow
          Principal: {Service: scheduler.amazonaws.com, AWS: 'arn:aws:iam::123456789012:root'}
          Action: sts:AssumeRole
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: '2012-10-17'
            Statement: {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Echo.Arn}
Outputs:
  Topic: {Value: !Ref Topic}
  Echo: {Value: !GetAtt Echo.Arn}
  Seen: {Value: !Ref Seen}
"""
ECHO = """
import boto3, json, os
def handle(event, context):
    if event.get("fail") == "first" and not os.path.exists(event["mark"]):
        open(event["mark"], "w").close()
        raise RuntimeError("the first time it fails")
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=json.dumps(event))
"""


class Web:
    """A subscriber that answers 200, or what it was told."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.arrived = threading.Semaphore(0)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(outer.status)
                self.end_headers()
                outer.arrived.release()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def next(self) -> dict[str, Any]:
        assert self.arrived.acquire(timeout=10)
        return self.received[-1]


class Starts:
    """One runtime after the other on the same folder."""

    def __init__(self, folder: Path, closing: ExitStack) -> None:
        self._folder = folder
        self._closing = closing
        (folder / "echo").mkdir()
        (folder / "echo" / "app.py").write_text(ECHO)
        (folder / "t.yaml").write_text(TEMPLATE)
        self.clock = Clock()
        self.runtime = self.again()

    def again(self) -> Runtime:
        self._closing.close()
        options = RuntimeOptions(
            template=self._folder / "t.yaml",
            api_port=0,
            aws_port=0,
            data_dir=self._folder / "data",
            clock=self.clock,
        )
        self.runtime = self._closing.enter_context(Runtime(options))
        return self.runtime

    def client(self, service: str, keys: dict[str, str] | None = None) -> Any:
        keys = keys or {"AccessKeyId": "local", "SecretAccessKey": "local", "SessionToken": ""}
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.runtime.aws_url,
            region_name="us-east-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"] or None,
        )

    def seen(self, wait: int = 10) -> list[Any]:
        sqs, url = self.client("sqs"), self.runtime.outputs["Seen"]
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@pytest.fixture
def starts(tmp_path: Path) -> Iterator[Starts]:
    with ExitStack() as closing:
        yield Starts(tmp_path, closing)


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    yield web
    web.server.shutdown()
    web.server.server_close()


def test_keys_collections_and_schedules_outlive_a_restart(starts: Starts) -> None:
    role = "arn:aws:iam::123456789012:role/scheduling"
    keys = starts.client("sts").assume_role(RoleArn=role, RoleSessionName="camera")["Credentials"]
    rekognition, scheduler = starts.client("rekognition"), starts.client("scheduler")
    rekognition.create_collection(CollectionId="mine")
    before = rekognition.describe_collection(CollectionId="people")["CreationTimestamp"]
    scheduler.create_schedule(
        Name="hourly",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": starts.runtime.outputs["Echo"], "RoleArn": role, "Input": '{"n": 1}'},
    )
    starts.clock.advance(timedelta(minutes=40))

    starts.again()

    who = starts.client("sts", keys).get_caller_identity()["Arn"]
    assert who == "arn:aws:sts::123456789012:assumed-role/scheduling/camera"
    rekognition = starts.client("rekognition")
    assert rekognition.list_collections()["CollectionIds"] == ["mine", "people"]
    assert rekognition.describe_collection(CollectionId="people")["CreationTimestamp"] == before
    starts.clock.advance(timedelta(minutes=19))
    assert starts.seen(wait=0) == []
    starts.clock.advance(timedelta(minutes=1))
    assert starts.seen() == [{"n": 1}]


def test_an_event_that_failed_is_tried_again_at_its_time_after_a_restart(
    starts: Starts, tmp_path: Path
) -> None:
    event = {"fail": "first", "mark": str(tmp_path / "mark")}
    starts.client("lambda").invoke(
        FunctionName="echo", InvocationType="Event", Payload=json.dumps(event).encode()
    )
    assert starts.runtime.log_dir
    log = starts.runtime.log_dir / "echo.log"
    for _ in range(500):
        if log.exists() and "REPORT" in log.read_text():
            break
        threading.Event().wait(0.02)
    threading.Event().wait(0.2)

    starts.again()

    assert starts.seen(wait=0) == []
    starts.clock.advance(timedelta(seconds=61))
    assert starts.seen() == [event]


def test_a_web_server_stays_confirmed_and_gets_what_it_could_not_take_before(
    starts: Starts, web: Web
) -> None:
    sns, topic = starts.client("sns"), starts.runtime.outputs["Topic"]
    arn = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=web.url)["SubscriptionArn"]
    with urlopen(web.next()["SubscribeURL"]):
        web.status = 503
    sns.publish(TopicArn=topic, Message="hello")
    assert web.next()["Message"] == "hello"
    threading.Event().wait(0.3)

    starts.again()

    web.status = 200
    starts.clock.advance(timedelta(seconds=20))
    told = web.next()
    assert (told["Message"], told["MessageId"]) == ("hello", web.received[-2]["MessageId"])
    starts.client("sns").publish(TopicArn=topic, Message="again")
    assert web.next()["Message"] == "again"
    attributes = starts.client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["PendingConfirmation"] == "false"
