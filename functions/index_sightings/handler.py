"""Rows of the sightings stream → the table that answers who was where."""

import time
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.aws import client
from sightline.clock import utc_now
from sightline.deliveries import deliveries_of, failures_from
from sightline.history.dynamo import DynamoKeptSightings
from sightline.history.service import Outcome, SightingIndex
from sightline.parking_s3 import S3ParkedRecords
from sightline.settings import Settings

logger = Logger()
metrics = Metrics()


class IndexSightingsSettings(Settings):
    """The function's environment."""

    sightings_table: str
    sightings_days: int
    parked_records_bucket: str


@cache
def index() -> SightingIndex:
    """The only place that knows concrete classes."""
    settings = IndexSightingsSettings.from_env()
    kept = timedelta(days=settings.sightings_days)
    table = DynamoKeptSightings(client("dynamodb"), settings.sightings_table, kept, utc_now, time.sleep)
    parked = S3ParkedRecords(client("s3"), settings.parked_records_bucket, "stream")
    return SightingIndex(table, parked, utc_now)


def report(outcome: Outcome) -> None:
    """What alarms and dashboards count."""
    metrics.add_metric("SightingsIndexed", MetricUnit.Count, outcome.rows)
    metrics.add_metric("RecordsParked", MetricUnit.Count, outcome.parked)
    about = {"rows": outcome.rows, "parked": outcome.parked}
    if outcome.comes_again is not None:
        logger.warning("batch comes again", extra=about)
    elif outcome.parked:
        logger.warning("records parked", extra=about)


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    stream, deliveries = deliveries_of(event)
    outcome = index().index(stream, deliveries)
    report(outcome)
    return failures_from(outcome.comes_again)
