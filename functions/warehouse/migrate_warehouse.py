"""CloudFormation's custom resource: the files of analytics/redshift → tables and views of the warehouse."""

import time
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from sightline.aws import client
from sightline.custom_resource import answer
from sightline.errors import DomainError
from sightline.warehouse.model import StatementFailedError, read_migrations
from sightline.warehouse.redshift_data import RedshiftWarehouse, WarehouseSettings
from sightline.warehouse.service import SchemaUpdate

logger = Logger()
SQL = Path(__file__).parent / "sql"  # a link to analytics/redshift
RESOURCE_ID = "warehouse-schema"


@cache
def schema_update() -> SchemaUpdate:
    """The only place that knows concrete classes."""
    settings = WarehouseSettings.from_env()
    warehouse = RedshiftWarehouse(client("redshift-data"), settings.place, time.sleep)
    files = {path.name: path.read_text() for path in SQL.glob("*.sql")}
    return SchemaUpdate(warehouse, read_migrations(files))


def failure_of_update() -> str | None:
    """Apply what is missing; why it could not be done."""
    try:
        applied = schema_update().apply()
    except (DomainError, StatementFailedError) as error:
        return str(error)
    except Exception as error:  # without an answer CloudFormation would wait for an hour
        logger.exception("migration failed")
        return f"{type(error).__name__}: {error}"
    logger.info("schema is up to date", extra={"applied": applied})
    return None


def lambda_handler(event: dict[str, Any], _context: Any) -> None:
    # Removing the resource removes no tables: they go, or stay, with their warehouse.
    failure = None if event["RequestType"] == "Delete" else failure_of_update()
    if failure:
        logger.error("schema is not up to date", extra={"reason": failure})
    answer(event, resource_id=RESOURCE_ID, failure=failure)
