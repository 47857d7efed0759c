"""What each consumer says of the sightings of a stack; CliError when one does not come to an end."""

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sightline_cli.downstream import flink
from sightline_cli.downstream.lake import lake_sightings
from sightline_cli.downstream.presence import PresenceWorker
from sightline_cli.downstream.scene import Finding, Scene, Sent
from sightline_cli.downstream.warehouse import Warehouse
from sightline_cli.tokens import api_of

START_SECONDS, READ_SECONDS, DRAIN_SECONDS = 300.0, 120.0, 120.0
_VISITS = (
    "SELECT person_name, device_id, began_at, seconds, sightings FROM visits ORDER BY began_at, visit_id"
)
_LATE = "late_sightings"


def of_lake(scene: Scene, sent: Sent) -> Finding:
    """Once Firehose has written its files."""

    def count() -> int:
        with TemporaryDirectory() as folder:
            return lake_sightings(scene.stack, Path(folder), scene.interrupt)

    found = scene.await_flushed("the lake", count, sent.sightings)
    s3 = scene.stack.client("s3")
    files = s3.list_objects_v2(Bucket=scene.stack.output("LakeBucketName"), Prefix="sightings/")["KeyCount"]
    return Finding(found, f"{_number(found, 'sighting')} in {_number(files, 'Parquet file')}", [])


def of_warehouse(scene: Scene, sent: Sent) -> Finding:
    """Once Firehose has copied them and they were merged."""
    warehouse = Warehouse(scene.stack, scene.interrupt)
    scene.await_flushed("the warehouse", warehouse.copied, sent.records)
    scene.in_background(warehouse.merge, lambda: None)
    ((found,),) = warehouse.query("SELECT COUNT(*) FROM sightings")
    names = ("person_name", "device_id", "began_at", "seconds", "sightings")
    rows = [dict(zip(names, row, strict=True)) for row in warehouse.query(_VISITS)]
    for row in rows:  # a moment of the warehouse has no zone: it is in UTC
        row["began_at"] = f"{row['began_at'].replace(' ', 'T')}Z"
    return Finding(found, f"{_number(found, 'sighting')} in {_number(len(rows), 'visit')}", rows)


def of_flink(scene: Scene, sent: Sent) -> Finding:
    """Once the job has read so many records and was drained: then every window has fired."""
    told, groups = flink.environment(scene.runtime), flink.properties(scene.runtime)
    with flink.FlinkJob(groups, told, scene.folder) as job:

        def run() -> None:
            job.wait_running(START_SECONDS)
            job.wait_read(sent.records, READ_SECONDS)
            job.drain(DRAIN_SECONDS)

        scene.in_background(run, job.kill)
    results = [json.loads(each) for each in scene.records("StreamingResultsStreamName")]
    rows = [row for row in results if row["query"] == "people_per_minute"]
    late = Counter(row["query"] for row in results)[_LATE]
    found = sum(row["sightings"] for row in rows) + late
    words = f"{_number(found, 'sighting')} in {_number(len(rows), 'window')} of a minute"
    return Finding(found, words, [_without_query(row) for row in rows])


def of_presence(scene: Scene, worker: PresenceWorker, sent: Sent) -> Finding:
    """Once the worker, which runs already, has kept so many records; then it is stopped."""
    scene.in_background(lambda: worker.wait_running(START_SECONDS), worker.kill)
    scene.interrupt.wait_for(lambda: worker.handled >= sent.records, READ_SECONDS)
    found = sent.sightings - max(0, sent.records - worker.handled)
    scene.in_background(worker.stop, worker.kill)
    rows: list[dict[str, Any]] = api_of(scene.stack).get("/presence?limit=100")["items"]
    words = f"{_number(found, 'sighting')}, {_number(len(rows), 'person', 'people')} by the last device"
    return Finding(found, words, rows)


def _without_query(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "query"}


def _number(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
