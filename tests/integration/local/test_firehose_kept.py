"""Firehose with a data directory: kill -9 under load, and every acknowledged record is in the bucket."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

TEMPLATE = """
Resources:
  Lake: {Type: AWS::S3::Bucket, Properties: {BucketName: lake}}
  Source: {Type: AWS::Kinesis::Stream, Properties: {Name: source, ShardCount: 2}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: hose
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: firehose.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: '2012-10-17'
            Statement: [{Effect: Allow, Action: ['s3:*', 'kinesis:*'], Resource: '*'}]
  FromSource:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      DeliveryStreamName: from-source
      DeliveryStreamType: KinesisStreamAsSource
      KinesisStreamSourceConfiguration: {KinesisStreamARN: !GetAtt Source.Arn, RoleARN: !GetAtt Role.Arn}
      ExtendedS3DestinationConfiguration:
        BucketARN: !GetAtt Lake.Arn
        RoleARN: !GetAtt Role.Arn
        BufferingHints: {SizeInMBs: 1, IntervalInSeconds: 1}
        ProcessingConfiguration: {Enabled: true, Processors: [{Type: AppendDelimiterToRecord}]}
        Prefix: from-source/
  Direct:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      DeliveryStreamName: direct
      ExtendedS3DestinationConfiguration:
        BucketARN: !GetAtt Lake.Arn
        RoleARN: !GetAtt Role.Arn
        BufferingHints: {SizeInMBs: 1, IntervalInSeconds: 1}
        ProcessingConfiguration: {Enabled: true, Processors: [{Type: AppendDelimiterToRecord}]}
        Prefix: direct/
"""

SERVE = """
import json, sys, time
from pathlib import Path
from sightline_local.runtime import Runtime, RuntimeOptions
folder = Path(sys.argv[1])
options = RuntimeOptions(template=folder / "template.yaml", api_port=0, aws_port=0, data_dir=folder / "data")
with Runtime(options) as runtime:
    print(runtime.aws_url, flush=True)
    time.sleep(600)
"""


class Stack:
    """A runtime in a process of its own, on one data directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "template.yaml").write_text(TEMPLATE)
        self.child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-c", SERVE, str(self.folder)]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        self.url = self.child.stdout.readline().strip()
        assert self.url

    def kill(self) -> None:
        if self.child:
            os.kill(self.child.pid, signal.SIGKILL)
            self.child.communicate()
            self.child = None

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5),
        )

    def found(self, prefix: str) -> set[str]:
        """What lies in the objects so far, record by record."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        bodies = [s3.get_object(Bucket="lake", Key=key)["Body"].read() for key in keys]
        return {json.loads(line)["n"] for body in bodies for line in body.splitlines()}


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    made.kill()


def put_to_source(kinesis: Any, texts: list[str]) -> None:
    records = [{"Data": json.dumps({"n": n}).encode(), "PartitionKey": n} for n in texts]
    assert kinesis.put_records(StreamName="source", Records=records)["FailedRecordCount"] == 0


def put_direct(firehose: Any, texts: list[str]) -> None:
    records = [{"Data": json.dumps({"n": n}).encode()} for n in texts]
    firehose.put_record_batch(DeliveryStreamName="direct", Records=records)


def load(client: Any, put: Callable[[Any, list[str]], None], acknowledged: list[str]) -> None:
    """Put until the runtime is gone; only what was acknowledged counts."""
    number = 0
    while True:
        texts = [str(number + n) for n in range(20)]
        try:
            put(client, texts)
        except (BotoCoreError, ClientError):
            return
        acknowledged += texts
        number += 20


def test_kill_9_under_load_loses_nothing_that_was_acknowledged(stack: Stack) -> None:
    stack.start()
    from_source: list[str] = []
    direct: list[str] = []
    threads = [
        Thread(target=load, args=(stack.client("kinesis"), put_to_source, from_source)),
        Thread(target=load, args=(stack.client("firehose"), put_direct, direct)),
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while not (stack.found("direct/") and stack.found("from-source/")) and time.monotonic() < deadline:
        time.sleep(0.1)

    stack.kill()
    for thread in threads:
        thread.join()
    stack.start()

    assert len(from_source) > 100
    assert len(direct) > 100
    missing = {"from-source": from_source, "direct": direct}
    deadline = time.monotonic() + 20
    while missing and time.monotonic() < deadline:
        left = {name: set(texts) - stack.found(f"{name}/") for name, texts in missing.items()}
        missing = {name: sorted(texts) for name, texts in left.items() if texts}
    assert missing == {}
