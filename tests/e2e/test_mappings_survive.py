"""Kill -9 while a stream and a queue feed a function: everything acknowledged arrives, and in its order."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.e2e.program import Program, Up
from tests.e2e.test_up import client

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Records: {Type: AWS::Kinesis::Stream, Properties: {Name: records, ShardCount: 2}}
  Jobs: {Type: AWS::SQS::Queue, Properties: {QueueName: jobs, VisibilityTimeout: 2}}
  Consumer:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: consumer.handle
      CodeUri: code
      Timeout: 2
      Events:
        Stream:
          Type: Kinesis
          Properties:
            Stream: !GetAtt Records.Arn
            StartingPosition: LATEST
            BatchSize: 20
            ParallelizationFactor: 2
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}
"""
CONSUMER = """
import base64, os
def handle(event, context):
    for record in event["Records"]:
        data = base64.b64decode(record["kinesis"]["data"]).decode() if "kinesis" in record else record["body"]
        with open(os.path.join(os.path.dirname(__file__), "seen"), "a") as file:
            file.write(data + "\\n")
"""
KEYS = [f"key-{number}" for number in range(8)]


class Sender:
    """Puts records and messages until the stack is dead; `sent` was acknowledged."""

    def __init__(self, stack: Up) -> None:
        self.records: dict[str, list[str]] = {key: [] for key in KEYS}
        self.messages: list[str] = []
        self._stack = stack
        self.threads = [Thread(target=self._until_dead, args=(each,)) for each in (self._put, self._send)]
        for thread in self.threads:
            thread.start()

    def _until_dead(self, act: Callable[[Any, int], None]) -> None:
        kinesis_or_sqs = client(self._stack, "kinesis" if act == self._put else "sqs")
        for number in range(1_000_000):
            try:
                act(kinesis_or_sqs, number)
            except (ClientError, BotoCoreError):
                return

    def _put(self, kinesis: Any, number: int) -> None:
        batch = {key: f"{key}/{number:06}" for key in KEYS}
        records = [{"Data": data.encode(), "PartitionKey": key} for key, data in batch.items()]
        kinesis.put_records(StreamName="records", Records=records)
        for key, data in batch.items():
            self.records[key].append(data)

    def _send(self, sqs: Any, number: int) -> None:
        url = sqs.get_queue_url(QueueName="jobs")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=f"job/{number:06}")
        self.messages.append(f"job/{number:06}")


@pytest.fixture
def start(program: Program, tmp_path: Path) -> Callable[[], Up]:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "consumer.py").write_text(CONSUMER)
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def up() -> Up:
        ports = ("--port", "0", "--aws-port", "0", "--json")
        places = ("--template", str(tmp_path / "template.yaml"), "--data-dir", str(tmp_path / "data"))
        child = program.start("up", *ports, *places)
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line, child.communicate()[1]
        ready = json.loads(line)
        return Up(child, ready["api_url"], ready["aws_url"], ready["outputs"])

    return up


def test_everything_acknowledged_reaches_the_function_in_the_order_of_its_key(
    start: Callable[[], Up], tmp_path: Path
) -> None:
    stack = start()
    sender = Sender(stack)
    until(lambda: all(len(sent) > 30 for sent in sender.records.values()) and len(sender.messages) > 30)

    os.kill(stack.child.pid, signal.SIGKILL)
    stack.child.communicate()
    for thread in sender.threads:
        thread.join(30)
    start()

    wanted = {*sender.messages, *(data for sent in sender.records.values() for data in sent)}
    until(lambda: wanted <= set(seen(tmp_path)))
    for key, sent in sender.records.items():
        arrived = dict.fromkeys(data for data in seen(tmp_path) if data.startswith(key))
        assert [data for data in arrived if data in set(sent)] == sent
    twice = len(seen(tmp_path)) - len(set(seen(tmp_path)))
    assert twice <= 4 * 20 + 5 * 10  # no more than the batches that were under way


def seen(folder: Path) -> list[str]:
    path = folder / "code" / "seen"
    return path.read_text().splitlines() if path.exists() else []


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("it did not happen within thirty seconds")
        time.sleep(0.05)
