"""Compaction of the lake: a day of small files, asked before and after it was written anew."""

import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.lake import rows
from benchmarks.measure import Measurement
from benchmarks.world import PATIENCE_SECONDS, TEMPLATE
from sightline_cli.stack import Stack, Target
from sightline_local.runtime import Runtime, RuntimeOptions

MINUTES_PER_FILE, TIMES = 5, 3
MOMENTS = ("seen_at", "producer_timestamp", "server_timestamp", "recorded_at")
QUESTION = """SELECT site, date_trunc('hour', seen_at) AS hour, count(DISTINCT person_id) AS people,
    count(DISTINCT sighting_id) AS sightings FROM sightings WHERE dt = ? GROUP BY 1, 2"""
_AT_ONCE = 8


def run() -> Iterator[Measurement]:
    day = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    options = RuntimeOptions(template=TEMPLATE, api_port=0, aws_port=0)
    with Runtime(options) as runtime, tempfile.TemporaryDirectory() as folder:
        stack = Stack(Target(runtime.aws_url, options.region, options.stack_name))
        files = write_day(Path(folder), day)
        put(stack, Path(folder), files, day)
        before, before_bytes = quickest(stack, day)
        begin = time.perf_counter()
        compact(stack)
        seconds = time.perf_counter() - begin
        after, after_bytes = quickest(stack, day)
        left = sum(1 for _ in stored(stack, day))
    yield Measurement("day of small files", len(files), "files")
    yield Measurement("day of small files, question", before, "s")
    yield Measurement("day of small files, read", before_bytes / 1e6, "MB")
    yield Measurement("compaction of the day", seconds, "s")
    yield Measurement("compacted day", left, "files", goal=1)
    yield Measurement("compacted day, question", after, "s")
    yield Measurement("compacted day, quicker", before / after, "times", goal=10, better="higher")
    yield Measurement("compacted day, smaller", before_bytes / after_bytes, "times", goal=2, better="higher")


def write_day(folder: Path, day: str) -> list[Path]:
    """A file per site and five minutes, as Firehose makes them; visits go on around the clock."""
    import duckdb  # noqa: PLC0415  the other benchmarks do without it

    lines = folder / "rows.json"
    with lines.open("w") as stream:
        stream.writelines(json.dumps(each) + "\n" for each in _around_the_clock(day))
    moments = ", ".join(f"CAST({name} AS TIMESTAMP) AS {name}" for name in MOMENTS)
    slot = f"CAST(epoch(seen_at) // {60 * MINUTES_PER_FILE} AS BIGINT) AS slot"
    source = f"SELECT * REPLACE ({moments}, schema_version::INTEGER AS schema_version) FROM '{lines}'"
    duckdb.execute(
        f"COPY (SELECT *, site AS folder, {slot} FROM ({source})) TO '{folder}/files' "
        "(FORMAT parquet, COMPRESSION snappy, PARTITION_BY (folder, slot))"
    )
    return sorted((folder / "files").rglob("*.parquet"))


def _around_the_clock(day: str) -> Iterator[dict[str, Any]]:
    """The rows of the other benchmark, which are of a few hours, over the whole day."""
    found = list(rows())
    first = datetime.fromisoformat(found[0]["seen_at"])
    last = datetime.fromisoformat(found[-1]["seen_at"])
    factor = timedelta(hours=23.9) / (last - first)
    begin = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    for row in found:
        seen = begin + (datetime.fromisoformat(row["seen_at"]) - first) * factor
        yield row | {name: seen.isoformat(timespec="milliseconds")[:-6] for name in MOMENTS}


def put(stack: Stack, folder: Path, files: list[Path], day: str) -> None:
    s3, bucket = stack.client("s3"), stack.output("LakeBucketName")

    def upload(file: Path) -> None:
        site, slot, _ = file.relative_to(folder / "files").parts
        key = f"sightings/dt={day}/site={site.partition('=')[2]}/{slot}.parquet"
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())

    with ThreadPoolExecutor(_AT_ONCE) as uploads:
        list(uploads.map(upload, files))


def stored(stack: Stack, day: str) -> Iterator[dict[str, Any]]:
    pages = stack.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=stack.output("LakeBucketName"), Prefix=f"sightings/dt={day}/"):
        yield from page.get("Contents", [])


def quickest(stack: Stack, day: str) -> tuple[float, int]:
    return min(ask(stack, day) for _ in range(TIMES))


def ask(stack: Stack, day: str) -> tuple[float, int]:
    """Seconds of the query, and bytes that it read."""
    athena = stack.client("athena")
    begin = time.perf_counter()
    query = athena.start_query_execution(
        QueryString=QUESTION,
        ExecutionParameters=[f"'{day}'"],
        WorkGroup="sightline-lake",
        QueryExecutionContext={"Database": stack.output("LakeDatabaseName")},
    )["QueryExecutionId"]
    while True:
        found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.02)
    if found["Status"]["State"] != "SUCCEEDED":
        raise RuntimeError(found["Status"]["StateChangeReason"])
    return time.perf_counter() - begin, int(found["Statistics"]["DataScannedInBytes"])


def compact(stack: Stack) -> None:
    machines = stack.client("stepfunctions")
    started = machines.start_execution(stateMachineArn=stack.output("LakeCompactionArn"), input="{}")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := machines.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise RuntimeError("the compaction does not end")
        time.sleep(0.1)
    if found["status"] != "SUCCEEDED":
        raise RuntimeError(f"{found.get('error')}: {found.get('cause')}")
