"""The hour of 50,000 sightings, sent at full speed to a stack with every consumer, and its ends."""

import gzip
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sightline_cli.demo.stream_reader import StreamReader
from sightline_cli.downstream.parameters import EVERY_CONSUMER
from sightline_cli.interrupts import Interrupt
from sightline_cli.query.lake import Answer, ask, fetch, fetch_results, open_lake
from sightline_cli.stack import Stack, Target
from sightline_cli.tokens import api_of
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions
from tests.downstream.day import Record, records_of_an_hour
from tests.downstream.oracle import Truth, read

AT_ONCE = 500
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Hour:
    """A running stack, and the truth about what was sent to its sightings stream."""

    runtime: Runtime
    stack: Stack
    clock: Clock
    truth: Truth

    @property
    def records(self) -> int:
        return len(self.truth.deliveries) + len(self.truth.malformed)

    def until(self, done: Callable[[], Any]) -> None:
        """Wait; when it takes too long the assertions of the tests say what is missing."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not done() and time.monotonic() < end:
            time.sleep(1)

    def until_flushed(self, done: Callable[[], Any]) -> None:
        """The same, and the minute of Firehose's buffers passes again and again."""

        def passed() -> bool:
            self.clock.advance(timedelta(seconds=61))
            time.sleep(3)
            return bool(done())

        self.until(passed)

    def objects(self, bucket: str, prefix: str) -> list[bytes]:
        """Those of the bucket of that output, unpacked."""
        s3, name = self.stack.client("s3"), self.stack.output(bucket)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        found = [s3.get_object(Bucket=name, Key=key)["Body"].read() for key in keys]
        return [gzip.decompress(each) if each[:2] == b"\x1f\x8b" else each for each in found]

    def asked(self, folder: Path, sql: str) -> Answer:
        """What the lake answers as it is now; `folder` is new. No rows while there are no files."""
        files = fetch(self.stack, folder, lambda: None)
        results = fetch_results(self.stack, folder, lambda: None)
        if not files or (not results and "streaming_results" in sql):
            return Answer((), [])
        with open_lake(folder) as database:
            return ask(database, sql, Interrupt())

    def items(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list of the API."""
        api, found, cursor = api_of(self.stack), [], ""
        while True:
            page = api.get(f"{path}limit=100{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def stream(self, output: str) -> list[bytes]:
        """All records of the stream of that output."""
        reader, found = StreamReader(self.stack.client("kinesis"), self.stack.output(output)), []
        while more := reader.poll():
            found += more
        return found

    def messages(self, output: str) -> list[dict[str, Any]]:
        """The JSON of all messages of the queue of that output; they are gone from it for a while."""
        sqs, found = self.stack.client("sqs"), []
        while more := sqs.receive_message(QueueUrl=self.stack.output(output), MaxNumberOfMessages=10).get(
            "Messages"
        ):
            found += [json.loads(each["Body"]) for each in more]
        return found

    def indexed(self) -> int:
        """How many sightings the API can show."""
        resource = self.stack.client("cloudformation").describe_stack_resource(
            StackName=self.stack.target.stack_name, LogicalResourceId="SightingsTable"
        )["StackResourceDetail"]
        table = self.stack.client("dynamodb").describe_table(TableName=resource["PhysicalResourceId"])
        return int(table["Table"]["ItemCount"])


def an_hour(repository: Path) -> Iterator[Hour]:
    """Two hours ago, because DynamoDB and Redshift forget what is old; the functions have indexed it."""
    begin = (datetime.now(UTC) - timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    records = records_of_an_hour(begin)
    clock = Clock()
    # The lake's duplicates are counted: no night may take them out.
    parameters = EVERY_CONSUMER | {"LakeCompactDays": "0"}
    options = RuntimeOptions(
        repository / "template.yaml", parameters=parameters, api_port=0, aws_port=0, clock=clock
    )
    with Runtime(options) as runtime:
        stack = Stack(Target(runtime.aws_url, options.region, options.stack_name))
        send(stack, records)
        hour = Hour(runtime, stack, clock, read(record.data for record in records))
        hour.until(lambda: hour.indexed() >= len(hour.truth.sightings))
        yield hour


def send(stack: Stack, records: Sequence[Record]) -> None:
    """In their order, as fast as the stream takes them."""
    kinesis, stream = stack.client("kinesis"), stack.output("SightingsStreamName")
    for start in range(0, len(records), AT_ONCE):
        batch = [
            {"Data": each.data, "PartitionKey": each.partition_key}
            for each in records[start : start + AT_ONCE]
        ]
        assert kinesis.put_records(StreamName=stream, Records=batch)["FailedRecordCount"] == 0
