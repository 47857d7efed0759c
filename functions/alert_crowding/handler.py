"""Counts of people in the crowding stream → one alert per crowd, where more came than the device's limit."""

from base64 import b64decode
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.alerts.sns import SnsAlertSink
from sightline.aws import client
from sightline.clock import utc_now
from sightline.crowding.dynamo import DynamoCrowds
from sightline.crowding.service import CrowdWatch, Delivery, Outcome
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
    records = event["Records"]
    stream = records[0]["eventSourceARN"].rpartition("/")[2] if records else ""
    deliveries = [
        Delivery(each["kinesis"]["sequenceNumber"], b64decode(each["kinesis"]["data"])) for each in records
    ]
    outcome = watch().attend(stream, deliveries)
    report(outcome)
    # Lambda delivers again from the lowest sequence number that is named, so one name says it all.
    again = [] if outcome.comes_again is None else [{"itemIdentifier": outcome.comes_again}]
    return {"batchItemFailures": again}
