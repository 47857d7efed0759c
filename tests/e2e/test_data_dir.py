"""`sightline up --data-dir`: what was acknowledged is there after kill -9."""

import base64
import json
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sightline_cli.demo.people import own_enrolment
from tests.e2e.program import Program, Up
from tests.e2e.test_up import call, client, settled


@pytest.fixture
def start(program: Program, tmp_path: Path) -> Callable[..., Up]:
    """Start a stack on free ports, and on the one data directory unless another is given."""

    def up(*options: str, folder: str = str(tmp_path / "data")) -> Up:
        child = program.start(
            "up", "--port", "0", "--aws-port", "0", "--json", "--data-dir", folder, *options
        )
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line, child.communicate()[1]
        ready = json.loads(line)
        return Up(child, ready["api_url"], ready["aws_url"], ready["outputs"])

    return up


def kill(stack: Up) -> None:
    os.kill(stack.child.pid, signal.SIGKILL)
    stack.child.communicate()


def token_of(program: Program, stack: Up) -> str:
    return program.run("token", "--aws-port", stack.aws_port).out.strip()


def test_a_device_and_a_person_outlive_kill_9_and_reset_ends_them(
    start: Callable[..., Up], program: Program, tmp_path: Path
) -> None:
    stack = start()
    token = token_of(program, stack)
    body = {"device_id": "gate-3", "name": "Gate 3", "site": "north"}
    assert call(stack, token, "POST", "/devices", body)[0] == 202
    running = settled(stack, token, "gate-3")
    person = call(stack, token, "POST", "/people", {"name": "Ada"})[1]["person_id"]
    image = base64.b64encode(own_enrolment().photo).decode()
    assert call(stack, token, "POST", f"/people/{person}/faces", {"image": image})[0] == 201
    faces = call(stack, token, "GET", f"/people/{person}/faces")

    kill(stack)
    stack = start()

    assert (tmp_path / "data/logs").is_dir()
    assert call(stack, token, "GET", "/devices/gate-3") == (200, running)  # with the token of before
    assert call(stack, token, "GET", f"/people/{person}/faces") == faces
    assert call(stack, token, "DELETE", "/devices/gate-3")[0] == 202
    assert settled(stack, token, "gate-3") is None
    assert program.interrupt(stack.child).err == ""
    done = program.run("reset", "--data-dir", str(tmp_path / "data"), "--yes")
    assert (done.code, done.err) == (0, "")
    assert not (tmp_path / "data").exists()


def test_a_camera_streams_on_and_each_frame_is_analysed_once(
    start: Callable[..., Up], program: Program, media: Path
) -> None:
    port = str(free_port())
    stack = start("--aws-port", port)
    token = token_of(program, stack)
    call(stack, token, "POST", "/devices", {"device_id": "gate-3", "name": "Gate 3", "site": "north"})
    settled(stack, token, "gate-3")
    video = str(media / "derived/head-pose-face-detection-female.mp4")
    camera = program.start("camera", "--device", "gate-3", "--file", video, "--loop", "--aws-port", port)
    wait_until(lambda: len(analysed(stack)) > 10)
    kill(stack)

    stack = start("--aws-port", port)

    before = len(analysed(stack))
    wait_until(lambda: len(analysed(stack)) > before + 40)
    assert camera.poll() is None
    frames = analysed(stack)
    assert len(frames) == len(set(frames))
    fragments = list(dict.fromkeys(fragment for fragment, _ in frames))
    assert fragments == sorted(fragments)
    assert set(fragments) <= set(fragments_of(stack))  # a busy machine skips some that are 10 s late
    program.interrupt(camera)
    assert program.interrupt(stack.child).err == ""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def analysed(stack: Up) -> list[tuple[str, float]]:
    """Fragment and offset of each frame that the face stream tells of."""
    found = []
    for record in records_of(stack, "sightline-faces-gate-3"):
        video = json.loads(record)["InputInformation"]["KinesisVideo"]
        found.append((video["FragmentNumber"], video["FrameOffsetInSeconds"]))
    return found


def fragments_of(stack: Up) -> list[str]:
    video = client(stack, "kinesisvideo")
    endpoint = video.get_data_endpoint(StreamName="sightline-gate-3", APIName="LIST_FRAGMENTS")[
        "DataEndpoint"
    ]
    archive = client(replace(stack, aws_url=endpoint), "kinesis-video-archived-media")
    now = datetime.now(UTC)
    times = {"StartTimestamp": now - timedelta(hours=1), "EndTimestamp": now}
    selector = {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": times}
    listed = archive.list_fragments(StreamName="sightline-gate-3", FragmentSelector=selector)["Fragments"]
    return [each["FragmentNumber"] for each in listed]


Write = Callable[["Load", Callable[[str], Any], str], None]


class Load:
    """Writes to every service until it is told to stop, and remembers what was acknowledged."""

    def __init__(self, stack: Up, *writes: Write) -> None:
        self.items: list[str] = []
        self.objects: list[str] = []
        self.messages: list[str] = []
        self.records: list[str] = []
        self._stop = Event()
        self._stack = stack
        self._threads = [Thread(target=self._repeat, args=(each,)) for each in writes]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self._stack.aws_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}),
        )

    def _repeat(self, write: Write) -> None:
        clients = {name: self._client(name) for name in ("dynamodb", "s3", "sqs", "kinesis")}
        number = 0
        while not self._stop.is_set():
            number += 1
            try:
                write(self, clients.__getitem__, f"{id(clients)}-{number:06}")
            except (ClientError, BotoCoreError):
                return  # the stack is dead

    def put_item(self, client: Callable[[str], Any], name: str) -> None:
        client("dynamodb").put_item(TableName="load", Item={"k": {"S": name}})
        self.items.append(name)

    def put_object(self, client: Callable[[str], Any], name: str) -> None:
        client("s3").put_object(Bucket="load", Key=name, Body=name.encode() * 20_000)
        self.objects.append(name)

    def send_message(self, client: Callable[[str], Any], name: str) -> None:
        sqs = client("sqs")
        sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="load")["QueueUrl"], MessageBody=name)
        self.messages.append(name)

    def put_records(self, client: Callable[[str], Any], name: str) -> None:
        names = [f"{name}-{number}" for number in range(20)]
        records = [{"Data": each.encode(), "PartitionKey": each} for each in names]
        client("kinesis").put_records(StreamName="load", Records=records)
        self.records += names

    def put_a_few_records(self, client: Callable[[str], Any], name: str) -> None:
        self.put_records(client, name)
        self._stop.wait(0.2)  # no more than the function counts


def make_places(stack: Up) -> None:
    client(stack, "dynamodb").create_table(
        TableName="load",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
    )
    client(stack, "s3").create_bucket(Bucket="load")
    client(stack, "sqs").create_queue(QueueName="load")
    client(stack, "kinesis").create_stream(StreamName="load", ShardCount=2)


def records_of(stack: Up, stream: str = "load") -> list[str]:
    kinesis, found = client(stack, "kinesis"), []
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        position = kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while True:
            answer = kinesis.get_records(ShardIterator=position, Limit=10_000)
            if not answer["Records"]:
                break
            found += [record["Data"].decode() for record in answer["Records"]]
            position = answer["NextShardIterator"]
    return found


def objects_of(stack: Up) -> list[str]:
    pages = client(stack, "s3").get_paginator("list_objects_v2").paginate(Bucket="load")
    return [each["Key"] for page in pages for each in page.get("Contents", [])]


def items_of(stack: Up) -> list[str]:
    pages = client(stack, "dynamodb").get_paginator("scan").paginate(TableName="load")
    return [item["k"]["S"] for page in pages for item in page["Items"]]


def messages_of(stack: Up) -> list[str]:
    sqs, found = client(stack, "sqs"), []
    url = sqs.get_queue_url(QueueName="load")["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in messages]
    return found


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(start: Callable[..., Up]) -> None:
    stack = start()
    make_places(stack)
    writes = (Load.put_item, Load.put_object, Load.send_message, Load.put_records)
    load = Load(stack, *writes, Load.put_item, Load.put_records)
    Event().wait(3)
    kill(stack)
    load.end()

    stack = start()

    assert len(load.items) > 20
    assert len(load.records) > 200
    assert set(load.items) <= set(items_of(stack))
    assert set(load.objects) <= set(objects_of(stack))
    assert set(load.messages) <= set(messages_of(stack))
    records = records_of(stack)
    assert set(load.records) <= set(records)
    assert len(records) == len(set(records))
    large = client(stack, "s3").get_object(Bucket="load", Key=load.objects[-1])["Body"].read()
    assert large == load.objects[-1].encode() * 20_000


COUNTS = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Stream: {Type: AWS::Kinesis::Stream, Properties: {Name: load, ShardCount: 2}}
  Seen:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: load
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: k, AttributeType: S}]
      KeySchema: [{AttributeName: k, KeyType: HASH}]
  Count:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: count
      Handler: app.handler
      Runtime: python3.13
      Policies:
        - Version: '2012-10-17'
          Statement:
            - {Effect: Allow, Action: 'dynamodb:UpdateItem', Resource: !GetAtt Seen.Arn}
            - Effect: Allow
              Action: ['kinesis:Get*', 'kinesis:Describe*', 'kinesis:List*']
              Resource: !GetAtt Stream.Arn
      Events:
        Put:
          Type: Kinesis
          Properties: {Stream: !GetAtt Stream.Arn, StartingPosition: TRIM_HORIZON, BatchSize: 20}
"""
COUNT = """
import base64
import boto3

table = boto3.client("dynamodb")

def handler(event, context):
    for record in event["Records"]:
        table.update_item(
            TableName="load",
            Key={"k": {"S": base64.b64decode(record["kinesis"]["data"]).decode()}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
"""


def test_a_mapping_goes_on_where_it_was(start: Callable[..., Up], tmp_path: Path) -> None:
    (tmp_path / "count").mkdir()
    (tmp_path / "count/app.py").write_text(COUNT)
    (tmp_path / "template.yaml").write_text(COUNTS)
    stack = start("--template", str(tmp_path / "template.yaml"))
    load = Load(stack, Load.put_a_few_records)
    wait_until(lambda: len(items_of(stack)) > 60)
    kill(stack)
    load.end()

    stack = start("--template", str(tmp_path / "template.yaml"))

    wait_until(lambda: set(load.records) <= set(items_of(stack)))
    counts = [item["n"]["N"] for item in client(stack, "dynamodb").scan(TableName="load")["Items"]]
    again = [count for count in counts if count != "1"]
    assert len(again) <= 2 * 20  # the batch under way of each shard


def wait_until(true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_two_stacks_run_side_by_side_but_never_on_one_folder(
    start: Callable[..., Up], program: Program, tmp_path: Path
) -> None:
    first, second = start(), start(folder=str(tmp_path / "other"))
    client(first, "s3").create_bucket(Bucket="only-in-the-first")

    names = [
        [each["Name"] for each in client(stack, "s3").list_buckets()["Buckets"]] for stack in (first, second)
    ]
    done = program.run("up", "--port", "0", "--aws-port", "0", "--data-dir", str(tmp_path / "data"))

    assert "only-in-the-first" in names[0]
    assert "only-in-the-first" not in names[1]
    assert done.code == 1
    assert done.err == f"sightline: {tmp_path / 'data'}: another runtime uses this data directory\n"


def test_reset_without_yes_asks_and_without_anybody_to_ask_refuses(program: Program, tmp_path: Path) -> None:
    done = program.run("reset", "--data-dir", str(tmp_path))

    assert done.code == 2
    assert "--yes" in done.err
