"""A stream, the daemons that read it, and what they have read."""

import json
import os
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

import boto3

from presence_worker.daemon import command_of, render
from presence_worker.environment import WorkerSettings
from sightline_cli.downstream.java import JavaProcess
from sightline_cli.downstream.presence import CHECKOUT

APPLICATION = "recorders"
KEYS = 50
HERE = Path(__file__).parent


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.2)


class Sender:
    """Sends numbered records, `KEYS` keys in turn, until it is told to stop; `sent` of them so far."""

    def __init__(self, kinesis, stream):
        self._kinesis, self._stream, self.sent = kinesis, stream, 0
        self._stop = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self):
        try:
            while not self._stop.is_set():
                self._send(range(self.sent, self.sent + KEYS))
                time.sleep(0.2)
        except Exception as error:  # noqa: BLE001
            self._failure = error

    def _send(self, numbers):
        # One of each key in a call, because PutRecords promises no order within one.
        records = [
            {"Data": json.dumps({"key": n % KEYS, "n": n}).encode(), "PartitionKey": f"key {n % KEYS}"}
            for n in numbers
        ]
        while records:
            answer = self._kinesis.put_records(StreamName=self._stream, Records=records)
            records = [
                record
                for record, result in zip(records, answer["Records"], strict=True)
                if "ErrorCode" in result
            ]
        self.sent = numbers.stop


class Recorders:
    """Daemons of one application; each start has a number."""

    def __init__(self, aws_url, stream, folder):
        self._folder, self._stream, self._started = folder, stream, 0
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        self.kinesis, self.dynamodb = (
            boto3.client(name, region_name="us-east-1", endpoint_url=aws_url, **keys)
            for name in ("kinesis", "dynamodb")
        )
        self._environment = {
            "PATH": f"{CHECKOUT}/.venv-presence/bin{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{CHECKOUT}/containers/presence_worker",
            "FOLDER": str(folder),
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": "us-east-1",
            "SIGHTINGS_STREAM": stream,
            "PRESENCE_APPLICATION": APPLICATION,
            "PRESENCE_TABLE": "none",
            "PRESENCE_DAYS": "1",
            "PRESENCE_FAILURES_QUEUE_URL": "none",
            "PRESENCE_FAILOVER_SECONDS": "3",
            "PRESENCE_IDLE_MILLISECONDS": "200",
        }
        self._closing = ExitStack()

    def start(self):
        self._started += 1
        name = f"worker-{self._started}"
        settings = WorkerSettings.model_validate(
            {name.lower(): value for name, value in self._environment.items()}
        )
        properties = self._folder / f"{name}.properties"
        properties.write_text(
            render(settings, f"python {HERE / 'recorder.py'}") + f"workerIdentifier = {name}\n"
        )
        jars = next((CHECKOUT / ".venv-presence").glob("lib/python*/site-packages/amazon_kclpy/jars"))
        daemon = JavaProcess(
            command_of(properties, jars), self._environment, self._folder / f"{name}.log", lambda _line: None
        )
        self._closing.callback(daemon.kill)
        daemon.name = name
        return daemon.start()

    def log(self, daemon):
        return (self._folder / f"{daemon.name}.log").read_text()

    def owners(self):
        """Who has which shard, of those that are not read to their end."""
        try:
            leases = self.dynamodb.scan(TableName=APPLICATION, ConsistentRead=True)["Items"]
        except self.dynamodb.exceptions.ResourceNotFoundException:
            return {}
        return {
            each["leaseKey"]["S"]: each.get("leaseOwner", {}).get("S")
            for each in leases
            if each["checkpoint"]["S"] != "SHARD_END"
        }

    def wait_for_shards(self, daemon, count, seconds=120):
        wait_for(
            lambda: list(self.owners().values()).count(daemon.name) == count,
            seconds,
            f"{daemon.name} has {count} shards; its log: {self._folder}",
        )

    def forget_the_leader(self):
        """As if two minutes had gone by: so long a leader that died is believed to be alive."""
        self.dynamodb.delete_item(TableName=f"{APPLICATION}-CoordinatorState", Key={"key": {"S": "Leader"}})

    def processes(self):
        file = self._folder / "processes"
        return [int(line) for line in file.read_text().split()] if file.exists() else []

    def records(self):
        """All that was kept since the beginning, in that order."""
        file = self._folder / "records"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def wait_until_read(self, first, last, seconds=120):
        wanted = set(range(first, last))
        wait_for(
            lambda: wanted <= {each["n"] for each in self.records()},
            seconds,
            f"records {first} to {last} are read; the logs: {self._folder}",
        )

    def close(self):
        self._closing.close()


def out_of_order(records):
    """Keys whose records came, each for the first time, in another order than they were sent."""
    first = defaultdict(dict)
    for each in records:
        first[each["key"]].setdefault(each["n"])
    return [key for key, numbers in first.items() if list(numbers) != sorted(numbers)]
