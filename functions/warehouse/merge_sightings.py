"""On a schedule: what Firehose copied into staging → the table of sightings, each once."""

import time
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.aws import client
from sightline.clock import utc_now
from sightline.warehouse.model import statements_of
from sightline.warehouse.redshift_data import RedshiftWarehouse, WarehouseSettings
from sightline.warehouse.s3 import S3WarehouseFiles
from sightline.warehouse.service import Merged, SightingMerge

logger = Logger()
metrics = Metrics()
JOB = Path(__file__).parent / "sql" / "jobs" / "merge_sightings.sql"


class MergeSightingsSettings(WarehouseSettings):
    """The function's environment."""

    warehouse_bucket: str
    warehouse_days: int


@cache
def sighting_merge() -> SightingMerge:
    """The only place that knows concrete classes."""
    settings = MergeSightingsSettings.from_env()
    warehouse = RedshiftWarehouse(client("redshift-data"), settings.place, time.sleep)
    job = statements_of(JOB.read_text(), DAYS=str(settings.warehouse_days))
    return SightingMerge(warehouse, S3WarehouseFiles(client("s3"), settings.warehouse_bucket), job, utc_now)


def report(merged: Merged) -> None:
    """What alarms and dashboards count."""
    metrics.add_metric("WarehouseSightingsMerged", MetricUnit.Count, merged.sightings)
    metrics.add_metric("WarehouseRowsLeftOut", MetricUnit.Count, merged.left_out)
    about = {"sightings": merged.sightings, "left_out": merged.left_out, "idle": merged.was_idle}
    if merged.left_out:
        logger.warning("rows of the last day are left out", extra=about)
    else:
        logger.info("merged", extra=about)


@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    merged = sighting_merge().merge()
    report(merged)
    return {"sightings": merged.sightings, "left_out": merged.left_out}
