"""The local runtime itself: how soon it is ready, what it carries, what it costs while nothing happens."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.face_record import face_record
from benchmarks.measure import Measurement
from benchmarks.processes import cpu_seconds, megabytes
from benchmarks.world import PATIENCE_SECONDS, TEMPLATE, Item, enrol, face_id_of, register
from sightline_cli.replay import face_stream_writer
from sightline_cli.stack import Stack, Target
from sightline_cli.tokens import api_of

SIGHTLINE = Path(sys.executable).parent / "sightline"
STARTS = 3
IDLE_SECONDS = 20.0
DEVICES, RECORDS_PER_DEVICE, RECORDS_PER_CALL = 4, 5_000, 100
INVOCATIONS, WARM_UP_INVOCATIONS = 1_000, 50
SMALL_TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Nothing:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: nothing, Runtime: python3.13, Handler: nothing.handle, CodeUri: code}
"""


@dataclass(frozen=True, slots=True)
class Up:
    """A running `sightline up`."""

    pid: int
    seconds: float  # from the command to the line that says it is ready
    stack: Stack
    aws_url: str


@contextmanager
def _up(template: Path = TEMPLATE) -> Iterator[Up]:
    command: list[str | Path] = [
        SIGHTLINE,
        "up",
        "--json",
        "--port",
        "0",
        "--aws-port",
        "0",
        "--template",
        template,
    ]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        seconds = time.perf_counter() - begin
        yield Up(process.pid, seconds, Stack(Target(ready["aws_url"], "us-east-1")), ready["aws_url"])
    finally:
        process.terminate()
        process.wait()


def run() -> Iterator[Measurement]:
    yield from _start()
    with _up() as up:
        yield from _memory(up)
        api = api_of(up.stack)
        devices = [register(api, f"bench-{number}") for number in range(DEVICES)]
        yield from _idle(up)
        yield from _throughput(up, devices)
    yield from _invocation()


def _start() -> Iterator[Measurement]:
    seconds = []
    for _ in range(STARTS):
        with _up() as up:
            seconds.append(up.seconds)
    yield Measurement("start to ready", statistics.median(seconds), "s", goal=3)


def _throughput(up: Up, devices: list[Item]) -> Iterator[Measurement]:
    """Face records of one person per device, as fast as they can be put; until the last sighting is out."""
    people = [f"person-{number}" for number in range(DEVICES)]
    enrol(up.stack, people)
    sightings = _Sightings(up.stack)
    first = 0
    for records in (RECORDS_PER_CALL, RECORDS_PER_DEVICE):  # the first are to start the sandboxes
        begin = time.perf_counter()
        with ThreadPoolExecutor(DEVICES) as senders:
            for device, person_id in zip(devices, people, strict=True):
                sent = senders.submit(_send, up.stack, device, person_id, range(first, first + records))
                sent.add_done_callback(_raise)
        put = time.perf_counter() - begin
        sightings.wait_for(records * DEVICES)
        seconds = time.perf_counter() - begin
        first += records  # the same frame again would be the same sighting
    total = RECORDS_PER_DEVICE * DEVICES
    yield Measurement("face records put", total / put, "records/s", better="higher")
    name = "face records to sightings, sustained"
    yield Measurement(name, total / seconds, "records/s", goal=1500, better="higher")


def _raise(sent: Any) -> None:
    sent.result()


def _send(stack: Stack, device: Item, person_id: str, frames: range) -> None:
    put = face_stream_writer(stack.client("kinesis"), device["face_stream_arn"], device["device_id"])
    first_frame = time.time()
    for start in frames[::RECORDS_PER_CALL]:
        records = [
            face_record(
                device["video_stream_arn"],
                number / RECORDS_PER_CALL,
                producer_seconds=first_frame,
                face_id=face_id_of(person_id),
                person_id=person_id,
            )
            for number in range(start, start + RECORDS_PER_CALL)
        ]
        if not all(put(records)):
            raise RuntimeError("the face stream refused a record")


class _Sightings:
    """Counts what arrives in the sightings stream, from where it was last read."""

    def __init__(self, stack: Stack) -> None:
        self._kinesis = stack.client("kinesis")
        stream = stack.output("SightingsStreamName")
        self._iterators = [
            self._kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="LATEST"
            )["ShardIterator"]
            for shard in self._kinesis.list_shards(StreamName=stream)["Shards"]
        ]

    def wait_for(self, wanted: int) -> None:
        count, deadline = 0, time.monotonic() + PATIENCE_SECONDS
        while count < wanted:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{wanted - count} of {wanted} sightings did not come")
            time.sleep(0.2)
            count += self._new()

    def _new(self) -> int:
        count = 0
        for number, iterator in enumerate(self._iterators):
            answer = self._kinesis.get_records(ShardIterator=iterator)
            self._iterators[number] = answer["NextShardIterator"]
            count += len(answer["Records"])
        return count


def _memory(up: Up) -> Iterator[Measurement]:
    """Every function has a warm sandbox: what each does with an event that it does not know is its own."""
    aws = up.stack.client("lambda")
    for function in aws.list_functions()["Functions"]:
        aws.invoke(FunctionName=function["FunctionName"], Payload=b"{}")
    yield Measurement("memory with all functions warm", megabytes(up.pid), "MB", goal=500)


def _idle(up: Up) -> Iterator[Measurement]:
    before = cpu_seconds(up.pid)
    time.sleep(IDLE_SECONDS)
    share = (cpu_seconds(up.pid) - before) / IDLE_SECONDS * 100
    yield Measurement(f"idle CPU with {DEVICES} devices", share, "%", goal=3)


def _invocation() -> Iterator[Measurement]:
    """A function that does nothing, over HTTP: all of it is what the runtime adds."""
    with TemporaryDirectory() as folder:
        template = Path(folder, "template.yaml")
        template.write_text(SMALL_TEMPLATE)
        Path(folder, "code").mkdir()
        Path(folder, "code", "nothing.py").write_text("def handle(event, context):\n    return None\n")
        with _up(template) as up:
            seconds = [_invoke(connection) for connection in [_connection(up)] for _ in range(INVOCATIONS)]
    milliseconds = statistics.median(seconds[WARM_UP_INVOCATIONS:]) * 1000
    yield Measurement("added to a warm invocation", milliseconds, "ms", goal=1)


def _connection(up: Up) -> HTTPConnection:
    connection = HTTPConnection(up.aws_url.removeprefix("http://"))
    connection.connect()
    return connection


def _invoke(connection: HTTPConnection) -> float:
    scope = "Credential=local/20261122/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    begin = time.perf_counter()
    connection.request(
        "POST",
        "/2015-03-31/functions/nothing/invocations",
        b"{}",
        {"Authorization": f"AWS4-HMAC-SHA256 {scope}"},
    )
    answer = connection.getresponse()
    if answer.read() != b"null":
        raise RuntimeError("the function did not answer")
    return time.perf_counter() - begin
