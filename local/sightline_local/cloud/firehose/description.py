"""A delivery stream as DescribeDeliveryStream shows it: without passwords."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sightline_local.cloud.firehose.settings import MIB, Settings

_DESTINATION_ID = "destinationId-000000000001"


def describe(arn: str, settings: Settings, params: Mapping[str, Any], created_at: datetime) -> dict[str, Any]:
    """The answer's DeliveryStreamDescription."""
    return {
        "DeliveryStreamName": settings.name,
        "DeliveryStreamARN": arn,
        "DeliveryStreamStatus": "ACTIVE",
        "DeliveryStreamEncryptionConfiguration": {"Status": "DISABLED"},
        "DeliveryStreamType": params.get("DeliveryStreamType", "DirectPut"),
        "VersionId": "1",
        "CreateTimestamp": created_at,
        **_source(params, created_at),
        "Destinations": [_destination(settings, params[settings.destination])],
        "HasMoreDestinations": False,
    }


def _source(params: Mapping[str, Any], created_at: datetime) -> dict[str, Any]:
    source = params.get("KinesisStreamSourceConfiguration")
    if source is None:
        return {}
    return {"Source": {"KinesisStreamSourceDescription": {**source, "DeliveryStartTimestamp": created_at}}}


def _destination(settings: Settings, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if settings.copying is None:
        extended = {**_completed(settings, wanted), "S3BackupMode": wanted.get("S3BackupMode", "Disabled")}
        plain = ("RoleARN", "BucketARN", "Prefix", "ErrorOutputPrefix", "BufferingHints", "CompressionFormat")
        rest = ("EncryptionConfiguration", "CloudWatchLoggingOptions")
        return {
            "DestinationId": _DESTINATION_ID,
            "S3DestinationDescription": {k: extended[k] for k in (*plain, *rest) if k in extended},
            "ExtendedS3DestinationDescription": extended,
        }
    shown = {
        k: v for k, v in wanted.items() if k not in ("Password", "S3Configuration", "S3BackupConfiguration")
    }
    shown["S3DestinationDescription"] = _completed(settings, wanted["S3Configuration"])
    shown["RetryOptions"] = {"DurationInSeconds": settings.copying.retry_seconds}
    return {"DestinationId": _DESTINATION_ID, "RedshiftDestinationDescription": shown}


def _completed(settings: Settings, s3: Mapping[str, Any]) -> dict[str, Any]:
    bucket = settings.bucket
    return {
        **s3,
        "BufferingHints": {"SizeInMBs": bucket.size_bytes // MIB, "IntervalInSeconds": bucket.seconds},
        "CompressionFormat": s3.get("CompressionFormat", "UNCOMPRESSED"),
        "EncryptionConfiguration": s3.get("EncryptionConfiguration", {"NoEncryptionConfig": "NoEncryption"}),
        "CloudWatchLoggingOptions": s3.get("CloudWatchLoggingOptions", {"Enabled": False}),
    }
