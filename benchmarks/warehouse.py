"""The warehouse of the local runtime: how fast sightings are copied into it, and merged."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from benchmarks.measure import Measurement
from benchmarks.sighting import sighting
from benchmarks.world import PATIENCE_SECONDS, TEMPLATE
from sightline_cli.stack import Stack, Target
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions

ROWS, TWICE, ROWS_PER_CALL = 50_000, 500, 500
FIRST = datetime(2026, 11, 22, 8, tzinfo=UTC)
SEED = 7
# However the clock is moved, the schedule does not merge in the middle of a measurement.
PARAMETERS = {"Warehouse": "serverless", "Lake": "false", "WarehouseMergeMinutes": "1440"}
FOLDERS = "2"  # of the years: the manifests lie beside them
WAITING = "SELECT COUNT(*) FROM staging.sightings"


def run() -> Iterator[Measurement]:
    chance = Random(SEED)
    records = [json.dumps(_row(number, chance)).encode() for number in range(ROWS)]
    records += chance.sample(records, TWICE)
    clock = Clock()
    options = RuntimeOptions(template=TEMPLATE, api_port=0, aws_port=0, clock=clock, parameters=PARAMETERS)
    with Runtime(options) as runtime:
        warehouse = _Warehouse(Stack(Target(runtime.aws_url, options.region, options.stack_name)))
        delivered = _timed(lambda: _deliver(warehouse, records, clock))
        copied = _timed(lambda: _copy_again(warehouse))
        merged = _timed(warehouse.merge)
        if warehouse.number("SELECT COUNT(*) FROM sightings") != ROWS:
            raise RuntimeError("the warehouse does not have each sighting once")
    yield Measurement("COPY", len(records) / copied, "records/s", goal=8_000, better="higher")
    yield Measurement("sightings into staging", len(records) / delivered, "records/s", better="higher")
    yield Measurement("MERGE, each row twice", 2 * len(records) / merged, "records/s", better="higher")


class _Warehouse:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._data = stack.client("redshift-data")
        self._place = {
            "WorkgroupName": stack.output("WarehouseWorkgroupName"),
            "SecretArn": stack.output("WarehouseSecretArn"),
            "Database": "sightline",
        }

    def run(self, sql: str) -> str:
        """The id of the statement, which has ended."""
        statement: str = self._data.execute_statement(Sql=sql, **self._place)["Id"]
        while (found := self._data.describe_statement(Id=statement))["Status"] != "FINISHED":
            if found["Status"] in ("FAILED", "ABORTED"):
                raise RuntimeError(found["Error"])
            time.sleep(0.02)
        return statement

    def number(self, sql: str) -> int:
        return int(self._data.get_statement_result(Id=self.run(sql))["Records"][0][0]["longValue"])

    def merge(self) -> None:
        answer = self.stack.client("lambda").invoke(FunctionName=self.resource("MergeSightings"))
        if "FunctionError" in answer:
            raise RuntimeError(answer["Payload"].read().decode())

    def resource(self, logical_id: str) -> str:
        """Its physical id."""
        described = self.stack.client("cloudformation").describe_stack_resource(
            StackName=self.stack.target.stack_name, LogicalResourceId=logical_id
        )
        return str(described["StackResourceDetail"]["PhysicalResourceId"])


def _timed(action: Any) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def _deliver(warehouse: _Warehouse, records: list[bytes], clock: Clock) -> None:
    """Through Firehose, whose minutes pass meanwhile."""
    stream = warehouse.stack.output("SightingsStreamName")
    kinesis = warehouse.stack.client("kinesis")
    for start in range(0, len(records), ROWS_PER_CALL):
        chunk = records[start : start + ROWS_PER_CALL]
        kinesis.put_records(
            StreamName=stream, Records=[{"Data": each, "PartitionKey": "bench"} for each in chunk]
        )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := warehouse.number(WAITING)) < len(records):
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {found} of {len(records)} rows were copied")
        clock.advance(timedelta(minutes=16))
        time.sleep(0.3)


def _copy_again(warehouse: _Warehouse) -> None:
    """The same files by one statement, as somebody would do by hand."""
    bucket = warehouse.stack.output("WarehouseBucketName")
    role = f"arn:aws:iam::123456789012:role/{warehouse.resource('WarehouseRole')}"
    warehouse.run(
        f"COPY staging.sightings FROM 's3://{bucket}/sightings/{FOLDERS}' IAM_ROLE '{role}'"
        " FORMAT JSON 'auto' GZIP TIMEFORMAT 'auto'"
    )


def _row(number: int, chance: Random) -> dict[str, Any]:
    at = FIRST + timedelta(milliseconds=200 * number)
    name, device = f"person-{chance.randrange(500)}", f"gate-{number // 25 % 20}"
    return sighting(chance, number, at, device=device, name=name, visit=str(number // 25))
