"""Compaction task: which days of the lake have too many files, and a list of them as they are now."""

from dataclasses import asdict
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from sightline.aws import client
from sightline.clock import utc_now
from sightline.lake.s3 import S3LakeFiles
from sightline.lake.service import CompactionPlanning
from sightline.settings import Settings

logger = Logger()


class PlanCompactionSettings(Settings):
    """The function's environment."""

    lake_bucket: str
    lake_compact_above: int
    lake_compact_days: int
    lake_scan_limit: int


@cache
def planning() -> CompactionPlanning:
    """The only place that knows concrete classes."""
    settings = PlanCompactionSettings.from_env()
    files = S3LakeFiles(client("s3"), settings.lake_bucket)
    return CompactionPlanning(
        files,
        utc_now,
        days_back=settings.lake_compact_days,
        most_files=settings.lake_compact_above,
        largest=settings.lake_scan_limit,
    )


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    plans = [asdict(each) for each in planning().plan(event["run"], event["days"])]
    logger.info("days to compact", extra={"days": {each["day"]: each["files"] for each in plans}})
    return {"days": plans}
