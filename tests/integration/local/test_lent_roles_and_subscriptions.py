"""What a process beside the runtime needs of it: the keys of its role, and subscriptions that end in time."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import cbor2
import pytest
from botocore.exceptions import ClientError

from sightline_local.iam import TrustDenied
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.fakes.http2 import Http2Client

ClientOf = Callable[[Runtime], Callable[[str], Any]]
SHARD = "shardId-000000000000"
TEMPLATE = """
Resources:
  Stream:
    Type: AWS::Kinesis::Stream
    Properties: {Name: s, ShardCount: 1}
  WorkerRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
      - PolicyName: reads
        PolicyDocument:
          Version: '2012-10-17'
          Statement: [{Effect: Allow, Action: kinesis:ListShards, Resource: !GetAtt Stream.Arn}]
"""
ROLE = "arn:aws:iam::123456789012:role/worker"


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    with Runtime(RuntimeOptions(template=template, api_port=0, aws_port=0)) as running:
        yield running


def test_a_lent_role_may_what_its_policies_allow_and_no_more(runtime: Runtime) -> None:
    lent = runtime.lend(ROLE, "ecs-tasks.amazonaws.com")
    session = boto3.Session(**lent.for_boto3(), region_name="us-east-1")  # type: ignore[arg-type]
    kinesis = session.client("kinesis", endpoint_url=runtime.aws_url)

    assert kinesis.list_shards(StreamName="s")["Shards"]
    with pytest.raises(ClientError, match="AccessDenied"):
        kinesis.describe_stream(StreamName="s")
    who = session.client("sts", endpoint_url=runtime.aws_url).get_caller_identity()["Arn"]
    assert who == "arn:aws:sts::123456789012:assumed-role/worker/ecs-tasks"


def test_a_role_is_lent_only_to_the_service_that_it_trusts(runtime: Runtime) -> None:
    with pytest.raises(TrustDenied, match=r"kinesisanalytics\.amazonaws\.com"):
        runtime.lend(ROLE, "kinesisanalytics.amazonaws.com")


@pytest.fixture
def consumer(runtime: Runtime, client_of: ClientOf) -> str:
    """Its ARN."""
    kinesis = client_of(runtime)("kinesis")
    arn = kinesis.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]["StreamARN"]
    return str(kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="c")["Consumer"]["ConsumerARN"])


def subscribe_by_http_2(runtime: Runtime, consumer: str) -> tuple[Http2Client, int]:
    client = Http2Client(urlsplit(runtime.aws_url).port or 0)
    body = {"ConsumerARN": consumer, "ShardId": SHARD, "StartingPosition": {"Type": "LATEST"}}
    head = {
        "authorization": "AWS4-HMAC-SHA256 Credential=local/20261122/us-east-1/kinesis/aws4_request",
        "x_amz_target": "Kinesis_20131202.SubscribeToShard",
        "content_type": "application/x-amz-cbor-1.1",
    }
    stream = client.ask("/", method="POST", body=cbor2.dumps(body), **head)
    client.until(lambda: b"SubscribeToShardEvent" in client.answers[stream].body)
    return client, stream


def streams_served() -> set[Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("http2-")}


@pytest.mark.parametrize("goes", ["resets", "disconnects"])
def test_the_subscription_of_a_client_that_goes_ends_at_once(
    runtime: Runtime, consumer: str, goes: str
) -> None:
    client, stream = subscribe_by_http_2(runtime, consumer)
    serving = streams_served()
    assert serving

    client.reset(stream) if goes == "resets" else client.close()

    for thread in serving:
        thread.join(1)
    assert not streams_served()
    client.close()


def test_a_runtime_stops_at_once_while_shards_are_subscribed_to(
    runtime: Runtime, client_of: ClientOf, consumer: str
) -> None:
    kinesis = client_of(runtime)("kinesis")
    other = kinesis.register_stream_consumer(StreamARN=consumer.partition("/consumer")[0], ConsumerName="d")[
        "Consumer"
    ]["ConsumerARN"]
    start = {"Type": "LATEST"}
    old = kinesis.subscribe_to_shard(ConsumerARN=other, ShardId=SHARD, StartingPosition=start)["EventStream"]
    new, _ = subscribe_by_http_2(runtime, consumer)
    serving, started = streams_served(), time.monotonic()

    runtime.stop()

    assert time.monotonic() - started < 3
    for thread in serving:
        thread.join(1)
    assert not streams_served()
    with pytest.raises(ConnectionError):
        new.until(lambda: False)
    old.close()
    new.close()
