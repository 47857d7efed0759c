"""On a schedule: the tables of the application → the dimensions of the warehouse."""

import time
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from sightline.aws import client
from sightline.clock import utc_now
from sightline.warehouse.dynamo import DynamoRegisters
from sightline.warehouse.model import statements_of
from sightline.warehouse.redshift_data import RedshiftWarehouse, WarehouseSettings
from sightline.warehouse.s3 import S3WarehouseFiles
from sightline.warehouse.service import DimensionRefresh

logger = Logger()
JOB = Path(__file__).parent / "sql" / "jobs" / "refresh_dimensions.sql"
# A verdict that comes later than this after its alert does not reach the warehouse.
ALERTS_DAYS = 31


class RefreshDimensionsSettings(WarehouseSettings):
    """The function's environment."""

    warehouse_bucket: str
    warehouse_days: int
    warehouse_role_arn: str
    devices_table: str
    people_table: str
    watchlists_table: str
    alerts_table: str


@cache
def dimension_refresh() -> DimensionRefresh:
    """The only place that knows concrete classes."""
    settings = RefreshDimensionsSettings.from_env()
    registers = DynamoRegisters(
        client("dynamodb"),
        settings.devices_table,
        settings.people_table,
        settings.watchlists_table,
        settings.alerts_table,
        ALERTS_DAYS,
        utc_now,
    )
    files = S3WarehouseFiles(client("s3"), settings.warehouse_bucket)
    job = statements_of(
        JOB.read_text(),
        DAYS=str(settings.warehouse_days),
        FILES=files.dimensions_url,
        ROLE=settings.warehouse_role_arn,
    )
    warehouse = RedshiftWarehouse(client("redshift-data"), settings.place, time.sleep)
    return DimensionRefresh(warehouse, files, registers, job)


def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    rows = dict(dimension_refresh().refresh())
    logger.info("dimensions refreshed", extra={"rows": rows})
    return rows
