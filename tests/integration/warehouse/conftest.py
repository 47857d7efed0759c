"""A stack with a warehouse, and its ends: the sightings stream, time, and SQL."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions


class Stack:
    """The stack on this machine."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        self.outputs, self.clock = runtime.outputs, clock
        self._url = runtime.aws_url
        self.bucket = runtime.outputs["WarehouseBucketName"]
        self._place = {
            name: runtime.outputs[output]
            for name, output in (
                ("WorkgroupName", "WarehouseWorkgroupName"),
                ("ClusterIdentifier", "WarehouseClusterName"),
            )
            if output in runtime.outputs
        }

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self._url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def put(self, records: Iterable[bytes]) -> None:
        kinesis, waiting = self.client("kinesis"), list(records)
        for at in range(0, len(waiting), 500):
            kinesis.put_records(
                StreamName=self.outputs["SightingsStreamName"],
                Records=[{"Data": each, "PartitionKey": "gate-3"} for each in waiting[at : at + 500]],
            )

    def sql(self, text: str) -> list[list[Any]]:
        data = self.client("redshift-data")
        where = {"Database": "sightline", "SecretArn": self.outputs["WarehouseSecretArn"], **self._place}
        started = data.execute_statement(Sql=text, **where)["Id"]
        while (found := data.describe_statement(Id=started))["Status"] not in ("FINISHED", "FAILED"):
            time.sleep(0.02)
        assert found["Status"] == "FINISHED", found["Error"]
        if not found["HasResultSet"]:
            return []
        pages = data.get_paginator("get_statement_result").paginate(Id=started)
        rows = [row for page in pages for row in page["Records"]]
        return [[None if "isNull" in cell else next(iter(cell.values())) for cell in row] for row in rows]

    def invoke(self, name: str, payload: object = None) -> dict[str, Any]:
        functions = self.client("lambda")
        found = functions.list_functions()["Functions"]
        (function,) = [each["FunctionName"] for each in found if f"-{name}-" in each["FunctionName"]]
        answer = functions.invoke(FunctionName=function, Payload=json.dumps(payload or {}).encode())
        body: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, body
        return body

    def copied(self, rows: int) -> None:
        """Wait until so many rows are in staging, and let the minutes of Firehose pass meanwhile."""
        end = time.monotonic() + 60
        while (found := self.sql("SELECT COUNT(*) FROM staging.sightings")) != [[rows]]:
            assert time.monotonic() < end, found
            self.clock.advance(timedelta(minutes=16))
            time.sleep(0.1)

    def objects(self, prefix: str) -> list[bytes]:
        s3 = self.client("s3")
        found = s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return [s3.get_object(Bucket=self.bucket, Key=each["Key"])["Body"].read() for each in found]


@pytest.fixture(scope="session")
def start_stack(repository: Path) -> Callable[[str], Any]:
    """`start_stack("serverless")`: a context that gives the stack with this kind of warehouse."""

    def start(kind: str) -> Iterator[Stack]:
        clock = Clock()
        options = RuntimeOptions(
            repository / "template.yaml",
            # Tests merge when they want to, not by the schedule, however they move the clock.
            parameters={"Warehouse": kind, "Lake": "false", "WarehouseMergeMinutes": "1440"},
            api_port=0,
            aws_port=0,
            clock=clock,
        )
        with Runtime(options) as runtime:
            yield Stack(runtime, clock)

    return start
