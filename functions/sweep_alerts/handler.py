"""On a schedule: alerts that stayed pending are sent."""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.alerts.dynamo import DynamoVisits
from sightline.alerts.dynamo_alerts import DynamoPendingAlerts
from sightline.alerts.sns import SnsAlertSink
from sightline.alerts.sweep import Sweeper
from sightline.aws import client
from sightline.clock import utc_now
from sightline.settings import Settings

logger = Logger()
metrics = Metrics()


class SweepAlertsSettings(Settings):
    """The function's environment."""

    visits_table: str
    alerts_table: str
    alerts_days: int
    alerts_topic_arn: str


@cache
def sweeper() -> Sweeper:
    """The only place that knows concrete classes."""
    settings = SweepAlertsSettings.from_env()
    dynamodb = client("dynamodb")
    retention = timedelta(days=settings.alerts_days)
    return Sweeper(
        pending=DynamoPendingAlerts(dynamodb, settings.alerts_table),
        visits=DynamoVisits(dynamodb, settings.visits_table, settings.alerts_table, retention),
        sink=SnsAlertSink(client("sns"), settings.alerts_topic_arn),
        clock=utc_now,
        new_name=lambda: f"sweeper-{uuid4().hex}",
    )


@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, Any]:
    swept = sweeper().sweep()
    # An alarm watches the age: also a run that found nothing says so.
    metrics.add_metric("PendingAlertAge", MetricUnit.Seconds, swept.oldest_age.total_seconds())
    metrics.add_metric("AlertsSwept", MetricUnit.Count, swept.sent)
    if swept.pending:
        about = {"pending": swept.pending, "sent": swept.sent, "reason": swept.refused}
        logger.warning("alerts were pending", extra=about)
    return {"pending": swept.pending, "sent": swept.sent}
