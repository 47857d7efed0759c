"""Counts of people in the crowding stream → one alert per crowd, where more came than the device's limit."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.alerts.sns import SnsAlertSink
from sightline.aws import client
from sightline.clock import utc_now
from sightline.crowding.dynamo import DynamoCrowds
from sightline.crowding.service import CrowdWatch, Outcome
from sightline.deliveries import deliveries_of, failures_from
from sightline.parking_s3 import S3ParkedRecords
from sightline.settings import Settings

logger = Logger()
metrics = Metrics()


class AlertCrowdingSettings(Settings):
    """The function's environment."""

    devices_table: str
    crowds_table: str
    alerts_topic_arn: str
    parked_records_bucket: str


@cache
def watch() -> CrowdWatch:
    """The only place that knows concrete classes."""
    settings = AlertCrowdingSettings.from_env()
    return CrowdWatch(
        crowds=DynamoCrowds(client("dynamodb"), settings.devices_table, settings.crowds_table),
        sink=SnsAlertSink(client("sns"), settings.alerts_topic_arn),
        parked=S3ParkedRecords(client("s3"), settings.parked_records_bucket, "stream"),
        clock=utc_now,
    )


def report(outcome: Outcome) -> None:
    """What alarms and dashboards count."""
    metrics.add_metric("CrowdingAlertsSent", MetricUnit.Count, outcome.alerts)
    metrics.add_metric("RecordsParked", MetricUnit.Count, outcome.parked)
    about = {"counts": outcome.counts, "alerts": outcome.alerts, "parked": outcome.parked}
    if outcome.comes_again is not None:
        logger.warning("batch comes again", extra=about | {"reason": outcome.reason})
    elif outcome.parked:
        logger.warning("records parked", extra=about)


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    stream, deliveries = deliveries_of(event)
    outcome = watch().attend(stream, deliveries)
    report(outcome)
    return failures_from(outcome.comes_again)
