"""The real daemon and our record processor: shards are shared, handed over, split and merged; workers die."""

import os
import random
import signal
from pathlib import Path

import pytest

from sightline_local.runtime import Runtime, RuntimeOptions
from tests.downstream.presence.application import Recorders, Sender, out_of_order, wait_for

pytestmark = pytest.mark.timeout(600)  # the first worker of an application waits up to half a minute

TEMPLATE = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Resources:
  Stream:
    Type: AWS::Kinesis::Stream
    Properties: {Name: numbers, ShardCount: 4}
"""


@pytest.fixture(scope="module")
def recorders(presence_home: None, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("recorders")
    template = Path(folder, "template.yaml")
    template.write_text(TEMPLATE)
    with Runtime(RuntimeOptions(template=template, api_port=0, aws_port=0)) as runtime:
        recorders = Recorders(runtime.aws_url, "numbers", folder)
        yield recorders
        recorders.close()


def send_and_read(recorders, what_happens):
    """What was read of the records that were sent while it happened."""
    before = len(recorders.records())
    with Sender(recorders.kinesis, "numbers") as sender:
        sender.sent = first = max((each["n"] for each in recorders.records()), default=-1) + 1
        what_happens(sender)
    recorders.wait_until_read(first, sender.sent)
    return recorders.records()[before:]


def test_two_workers_share_the_shards_and_hand_them_over(recorders):
    def come_and_go(_sender):
        one = recorders.start()
        recorders.wait_for_shards(one, 4)
        other = recorders.start()
        recorders.wait_for_shards(one, 2)
        recorders.wait_for_shards(other, 2)
        # The first one gives the shards away; without it that would take the KCL a minute more.
        other.terminate()
        assert other.wait(60)
        assert '"handed over"' in recorders.log(other)
        recorders.wait_for_shards(one, 4)
        one.terminate()
        assert one.wait(60)

    # What was sent last is for a worker that has not been started when both have gone.
    before = len(recorders.records())
    with Sender(recorders.kinesis, "numbers") as sender:
        come_and_go(sender)
    last = recorders.start()
    recorders.wait_until_read(0, sender.sent)
    last.terminate()
    assert last.wait(60)

    assert out_of_order(recorders.records()[before:]) == []


def test_a_worker_that_is_killed_at_any_moment_loses_nothing(recorders):
    chance = random.Random(7)

    def die(sender):
        for round_ in range(3):
            worker, known = recorders.start(), len(recorders.processes())
            recorders.wait_for_shards(worker, 4)
            wait_for(
                lambda known=known: len(recorders.processes()) >= known + 4, 60, "four record processors"
            )
            until = sender.sent + chance.randrange(50, 600)
            wait_for(lambda until=until: sender.sent >= until, 60, "some records more")
            if round_ % 2:
                # Without its record processor the daemon ends by itself.
                os.kill(chance.choice(recorders.processes()[-4:]), signal.SIGKILL)
                assert worker.wait(60)
            worker.kill()
            recorders.forget_the_leader()
        recorders.last = recorders.start()

    read = send_and_read(recorders, die)

    recorders.last.terminate()
    assert recorders.last.wait(60)
    assert out_of_order(read) == []


def test_a_split_and_a_merge_of_shards_lose_nothing_and_reorder_nothing(recorders):
    worker = recorders.start()
    recorders.wait_for_shards(worker, 4)

    def split_and_merge(sender):
        kinesis, stream = recorders.kinesis, {"StreamName": "numbers"}
        shards = kinesis.list_shards(**stream)["Shards"]
        begin, end = (int(shards[0]["HashKeyRange"][name]) for name in ("StartingHashKey", "EndingHashKey"))
        kinesis.split_shard(
            **stream, ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str((begin + end) // 2)
        )
        wait_for(lambda: sender.sent > 500, 60, "records for the halves")
        kinesis.get_waiter("stream_exists").wait(**stream)
        kinesis.merge_shards(
            **stream, ShardToMerge=shards[1]["ShardId"], AdjacentShardToMerge=shards[2]["ShardId"]
        )
        recorders.wait_for_shards(worker, 4)  # two halves, the merged one, and the fourth
        wait_for(lambda: set(recorders.owners()) == open_shards(kinesis), 60, "the children alone are read")
        more = sender.sent + 300
        wait_for(lambda: sender.sent > more, 60, "records for the children")

    read = send_and_read(recorders, split_and_merge)

    worker.terminate()
    assert worker.wait(60)
    assert (
        recorders.log(worker).count(
            'ERROR DrainChildSTDERRTask Received error line from subprocess [{"event": "shard ended"'
        )
        == 3
    )
    assert out_of_order(read) == []


def open_shards(kinesis):
    shards = kinesis.list_shards(StreamName="numbers", ShardFilter={"Type": "AT_LATEST"})["Shards"]
    return {each["ShardId"] for each in shards}
