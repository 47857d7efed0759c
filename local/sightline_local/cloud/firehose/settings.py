"""What a delivery stream was asked to do, read from the request that creates it.

Everything that the local runtime does not carry out is refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sightline_local.cloud.firehose.conversion_settings import Conversion, read_conversion
from sightline_local.cloud.firehose.prefix import LAMBDA, QUERY, InvalidPrefix, Prefix, read_prefixes
from sightline_local.cloud.firehose.processors import Processing, read_processing
from sightline_local.cloud.firehose.refusals import invalid, not_emulated
from sightline_local.cloud.firehose.warehouse import Copying, read_copying

LogPlace = tuple[str, str] | None  # log group and log stream
MIB = 1 << 20
_DESTINATIONS = ("ExtendedS3DestinationConfiguration", "RedshiftDestinationConfiguration")
_SMALLEST_MIB = 64  # of buffers with conversion or partitions
_SHORTEST_SECONDS = 60  # of buffers with partitions


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where objects go, when, and how they are named and packed."""

    role_arn: str
    name: str
    prefix: Prefix
    error_prefix: Prefix
    size_bytes: int
    seconds: int
    gzip: bool
    extension: str
    zone: ZoneInfo
    is_partitioned: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """A delivery stream, before it runs."""

    name: str
    source_arn: str | None
    source_role_arn: str | None
    destination: str  # the name of the configuration's member
    bucket: Bucket
    processing: Processing
    conversion: Conversion | None
    copying: Copying | None
    bucket_log: LogPlace
    destination_log: LogPlace  # the bucket's when that is the destination

    def role_arns(self) -> list[str]:
        """Every role that the stream will assume."""
        arns = [self.source_role_arn, self.bucket.role_arn]
        if self.conversion:
            arns.append(self.conversion.role_arn)
        if self.copying:
            arns += [self.copying.role_arn, self.copying.secret_role_arn]
        return list(dict.fromkeys(arn for arn in arns if arn))


def read_settings(params: Mapping[str, Any]) -> Settings:
    """ServiceError InvalidArgumentException for what AWS or the local runtime refuses."""
    name = _destination(params)
    wanted = params[name]
    s3 = wanted.get("S3Configuration", wanted)
    source_arn, source_role = _source(params)
    processing = read_processing(wanted.get("ProcessingConfiguration", {}))
    conversion = read_conversion(wanted.get("DataFormatConversionConfiguration", {}))
    partitioned = bool(wanted.get("DynamicPartitioningConfiguration", {}).get("Enabled"))
    if wanted.get("S3BackupMode", "Disabled") != "Disabled":
        raise not_emulated("S3BackupMode Enabled")
    if name == _DESTINATIONS[1]:
        _check_plain(s3)
    bucket = _bucket(s3, conversion, partitioned=partitioned)
    _check_partitions(bucket, processing)
    return Settings(
        name=params["DeliveryStreamName"],
        source_arn=source_arn,
        source_role_arn=source_role,
        destination=name,
        bucket=bucket,
        processing=processing,
        conversion=conversion,
        copying=read_copying(wanted) if name == _DESTINATIONS[1] else None,
        bucket_log=_log_place(s3),
        destination_log=_log_place(wanted),
    )


def _log_place(wanted: Mapping[str, Any]) -> LogPlace:
    logging = wanted.get("CloudWatchLoggingOptions", {})
    if not logging.get("Enabled"):
        return None
    return logging.get("LogGroupName", ""), logging.get("LogStreamName", "")


def _destination(params: Mapping[str, Any]) -> str:
    given = [name for name in params if name.endswith("DestinationConfiguration")]
    if len(given) != 1:
        raise invalid("Exactly one destination configuration is supported for a Firehose")
    if given[0] not in _DESTINATIONS:
        raise not_emulated(given[0])
    if params.get("DeliveryStreamEncryptionConfigurationInput"):
        raise not_emulated("DeliveryStreamEncryptionConfigurationInput")
    return given[0]


def _source(params: Mapping[str, Any]) -> tuple[str | None, str | None]:
    kind = params.get("DeliveryStreamType", "DirectPut")
    source = params.get("KinesisStreamSourceConfiguration")
    if kind not in ("DirectPut", "KinesisStreamAsSource"):
        raise not_emulated(f"DeliveryStreamType {kind}")
    if (kind == "KinesisStreamAsSource") != bool(source):
        raise invalid(
            "KinesisSourceStreamConfig is only applicable for KinesisStreamAsSource stream type."
            if source
            else "KinesisStreamSourceConfiguration is required for KinesisStreamAsSource stream type."
        )
    return (source["KinesisStreamARN"], source["RoleARN"]) if source else (None, None)


def _bucket(s3: Mapping[str, Any], conversion: Conversion | None, *, partitioned: bool) -> Bucket:
    hints = s3.get("BufferingHints", {})
    is_large = conversion is not None or partitioned
    size = hints.get("SizeInMBs", 128 if conversion else _SMALLEST_MIB if partitioned else 5)
    seconds = hints.get("IntervalInSeconds", 300)
    if is_large and size < _SMALLEST_MIB:
        feature = "data format conversion" if conversion else "Dynamic Partitioning"
        raise invalid(f"BufferingHints.SizeInMBs must be at least {_SMALLEST_MIB} when {feature} is enabled.")
    if partitioned and seconds < _SHORTEST_SECONDS:
        raise invalid(
            f"BufferingHints.IntervalInSeconds must be at least {_SHORTEST_SECONDS} seconds when Dynamic "
            "Partitioning is enabled."
        )
    packing = s3.get("CompressionFormat", "UNCOMPRESSED")
    if packing not in ("UNCOMPRESSED", "GZIP"):
        raise not_emulated(f"CompressionFormat {packing}")
    if conversion and packing != "UNCOMPRESSED":
        raise invalid("CompressionFormat must be UNCOMPRESSED when data format conversion is enabled.")
    try:
        prefix, errors = read_prefixes(s3.get("Prefix"), s3.get("ErrorOutputPrefix"), partitioned=partitioned)
        zone = ZoneInfo(s3.get("CustomTimeZone") or "UTC")
    except InvalidPrefix as error:
        raise invalid(str(error)) from error
    except ZoneInfoNotFoundError as error:
        raise invalid(f"CustomTimeZone {s3['CustomTimeZone']} is not supported") from error
    default = ".parquet" if conversion else ".gz" if packing == "GZIP" else ""
    return Bucket(
        role_arn=s3["RoleARN"],
        name=s3["BucketARN"].rpartition(":")[2],
        prefix=prefix,
        error_prefix=errors,
        size_bytes=size * MIB,
        seconds=seconds,
        gzip=packing == "GZIP",
        extension=s3.get("FileExtension") or default,
        zone=zone,
        is_partitioned=partitioned,
    )


def _check_plain(s3: Mapping[str, Any]) -> None:
    """What a warehouse's bucket may not have."""
    if "!{" in s3.get("Prefix", ""):
        raise invalid("Prefix cannot contain expressions when the destination is Redshift")
    if s3.get("ErrorOutputPrefix"):
        raise invalid("ErrorOutputPrefix must be null when the destination is Redshift")


def _check_partitions(bucket: Bucket, processing: Processing) -> None:
    spaces = {namespace for namespace, _ in bucket.prefix.partition_keys()}
    if (processing.query is not None) and not bucket.is_partitioned:
        raise invalid("MetadataExtraction processor is applicable only when Dynamic Partitioning is enabled.")
    if QUERY in spaces and processing.query is None:
        raise invalid("MetadataExtraction processor is required for partitionKeyFromQuery namespace.")
    if LAMBDA in spaces and processing.transform is None:
        raise invalid("Lambda processor is required for partitionKeyFromLambda namespace.")
