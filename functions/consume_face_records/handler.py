"""Face records of one face stream → sightings, visits, alerts; what cannot be read is parked."""

import time
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.alerts.dynamo import DynamoVisits
from sightline.alerts.dynamo_alerts import DynamoWitness
from sightline.alerts.memory import Invocations
from sightline.alerts.service import OneAlertPerVisit
from sightline.alerts.sns import SnsAlertSink
from sightline.aws import client
from sightline.clock import utc_now
from sightline.deliveries import deliveries_of, failures_from
from sightline.parking_s3 import S3ParkedRecords
from sightline.settings import Settings
from sightline.sightings.dynamo import DynamoLiveness, DynamoRoster
from sightline.sightings.kinesis import KinesisSightingStream
from sightline.sightings.roster import RememberedRoster
from sightline.sightings.service import Batch, FaceRecordConsumer, Outcome

logger = Logger()
metrics = Metrics()


class ConsumeFaceRecordsSettings(Settings):
    """The function's environment."""

    devices_table: str
    faces_table: str
    watchlists_table: str
    visits_table: str
    alerts_table: str
    sightings_table: str
    alerts_days: int
    sightings_stream: str
    alerts_topic_arn: str
    parked_records_bucket: str
    stack_name: str
    visit_gap_seconds: int


@cache
def invocations() -> Invocations:
    """Apart from the rest: it tells this process from every other one for as long as it lives."""
    return Invocations(uuid4().hex)


@cache
def consumer() -> FaceRecordConsumer:
    """The only place that knows concrete classes."""
    settings = ConsumeFaceRecordsSettings.from_env()
    dynamodb = client("dynamodb")
    roster = DynamoRoster(
        dynamodb, settings.devices_table, settings.faces_table, settings.watchlists_table, pause=time.sleep
    )
    retention = timedelta(days=settings.alerts_days)
    visitors = OneAlertPerVisit(
        visits=DynamoVisits(dynamodb, settings.visits_table, settings.alerts_table, retention),
        sink=SnsAlertSink(client("sns"), settings.alerts_topic_arn),
        gap=timedelta(seconds=settings.visit_gap_seconds),
        clock=utc_now,
        invocations=invocations(),
        witness=DynamoWitness(dynamodb, settings.sightings_table),
    )
    return FaceRecordConsumer(
        roster=RememberedRoster(roster),
        visitors=visitors,
        stream=KinesisSightingStream(client("kinesis"), settings.sightings_stream, pause=time.sleep),
        parked=S3ParkedRecords(client("s3"), settings.parked_records_bucket, "face_stream"),
        liveness=DynamoLiveness(dynamodb, settings.devices_table),
        clock=utc_now,
        stack_name=settings.stack_name,
    )


def report(batch: Batch, outcome: Outcome) -> None:
    """What alarms and dashboards count, and one line for whoever looks for the reason."""
    counts = {
        "FaceRecords": outcome.records,
        "Sightings": outcome.sightings,
        "AlertsSent": outcome.alerts_sent,
        "RecordsParked": outcome.parked,
        "UnknownFaces": outcome.unknown_faces,
        "RecordsOfNoDevice": outcome.records_of_no_device,
    }
    is_busy = outcome.sightings or outcome.parked or outcome.failures
    for name, count in counts.items():
        # Most batches show nobody, and each metric costs a tenth of what reading a frame costs.
        if count or is_busy or name == "FaceRecords":
            metrics.add_metric(name, MetricUnit.Count, count)
    about = {"face_stream": batch.face_stream, **counts}
    if outcome.failures:
        reasons = sorted(set(outcome.failures.values()))
        logger.warning("batch comes again", extra={**about, "reasons": reasons})
    elif outcome.sightings or outcome.parked:
        logger.info("batch consumed", extra=about)


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    batch = Batch(*deliveries_of(event))
    outcome = consumer().consume(batch)
    report(batch, outcome)
    return failures_from(
        batch.deliveries[min(outcome.failures)].sequence_number if outcome.failures else None
    )
