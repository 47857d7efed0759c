"""An alert went out → its frame, clip and face record are collected beside it; nobody waits for this.

SNS invokes asynchronously: what fails comes again one and three minutes later, and is then parked.
"""

import time
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.aws import client
from sightline.clock import from_iso, utc_now
from sightline.evidence.kvs import KinesisVideoArchive
from sightline.evidence.model import EvidenceRequest
from sightline.evidence.s3 import S3Vault
from sightline.evidence.service import EvidenceCollector
from sightline.evidence.studio import VideoStudio
from sightline.settings import Settings

logger = Logger()
metrics = Metrics()


class CollectEvidenceSettings(Settings):
    """The function's environment."""

    evidence_bucket: str


@cache
def collector() -> EvidenceCollector:
    """The only place that knows concrete classes."""
    settings = CollectEvidenceSettings.from_env()
    return EvidenceCollector(
        archive=KinesisVideoArchive(client("kinesisvideo")),
        studio=VideoStudio(),
        vault=S3Vault(client("s3"), settings.evidence_bucket),
        clock=utc_now,
        pause=time.sleep,
    )


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _context: Any) -> None:
    for record in event["Records"]:  # SNS delivers one at a time
        message = record["Sns"]
        request = EvidenceRequest.from_alert(message["Message"])
        status = collector().collect(request, from_iso(message["Timestamp"]))
        metrics.add_metric(f"Evidence{status.capitalize()}", MetricUnit.Count, 1)
        logger.info("evidence collected", extra={"alert_id": request.alert_id, "status": status})
