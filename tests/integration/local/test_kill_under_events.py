"""kill -9 while events are accepted and functions run: every accepted event is carried out."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.fakes.killable import Killable

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Seen: {Type: AWS::SQS::Queue, Properties: {QueueName: seen}}
  Topic: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: echo
      CodeUri: echo
      Handler: app.handle
      Runtime: python3.13
      Timeout: 10
      Environment: {Variables: {SEEN: !Ref Seen}}
      Policies:
        - Version: '2012-10-17'
          Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Seen.Arn}
      Events:
        News: {Type: SNS, Properties: {Topic: !Ref Topic}}
"""
ECHO = """
import boto3, json, os, time
def handle(event, context):
    time.sleep(0.05)
    body = event["Records"][0]["Sns"]["Message"] if "Records" in event else str(event["n"])
    boto3.client("sqs").send_message(QueueUrl=os.environ["SEEN"], MessageBody=body)
"""
QUEUE = "/123456789012/seen"
TOPIC = "arn:aws:sns:us-east-1:123456789012:news"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Killable]:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    (tmp_path / "echo").mkdir()
    (tmp_path / "echo" / "app.py").write_text(ECHO)
    made = Killable(tmp_path)
    yield made
    made.kill()


def test_every_accepted_event_is_carried_out_through_kill_9(stack: Killable) -> None:
    stack.start()
    functions, topics = stack.client("lambda"), stack.client("sns")
    accepted: set[str] = set()

    def send() -> None:
        try:
            for n in range(1000):
                if n % 2:
                    event = json.dumps({"n": n}).encode()
                    functions.invoke(FunctionName="echo", InvocationType="Event", Payload=event)
                else:
                    topics.publish(TopicArn=TOPIC, Message=str(n))
                accepted.add(str(n))
        except (ClientError, BotoCoreError):
            return  # killed

    sender = Thread(target=send)
    sender.start()
    while len(accepted) < 60:
        time.sleep(0.01)
    stack.kill()
    sender.join(20)
    stack.start()

    seen: set[str] = set()
    deadline = time.monotonic() + 40
    while not accepted <= seen and time.monotonic() < deadline:
        seen |= bodies(stack.client("sqs"), stack.url + QUEUE)
    assert accepted <= seen
    assert len(seen - accepted) <= 1  # the one that was not answered any more


def bodies(sqs: Any, url: str) -> set[str]:
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
        "Messages", []
    )
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return {message["Body"] for message in messages}
