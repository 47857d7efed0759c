"""Compaction task: a day was written anew and checked, so the files of before go."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from sightline.aws import client
from sightline.lake.s3 import S3LakeFiles
from sightline.lake.service import Removal
from sightline.settings import Settings

logger = Logger()
metrics = Metrics()


class RemoveCompactedSettings(Settings):
    """The function's environment."""

    lake_bucket: str


@cache
def removal() -> Removal:
    """The only place that knows concrete classes."""
    settings = RemoveCompactedSettings.from_env()
    return Removal(S3LakeFiles(client("s3"), settings.lake_bucket))


@metrics.log_metrics
@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    day, written = event["day"], event["written"]
    removed = removal().remove(day, event["list_key"], written, event["uncovered"])
    metrics.add_metric("LakeFilesCompacted", MetricUnit.Count, removed)
    logger.info("day compacted", extra={"day": day, "written": len(written), "removed": removed})
    return {"day": day, "written": len(written), "removed": removed}
