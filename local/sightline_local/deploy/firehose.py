"""AWS::KinesisFirehose: delivery streams to S3 and Redshift."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, Shape, StructureShape

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ListOf, OneOf, ResourceType, Schema
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource

_LOGGING: Schema = {"Enabled": CARRIED, "LogGroupName": CARRIED, "LogStreamName": CARRIED}
_HINTS: Schema = {"IntervalInSeconds": CARRIED, "SizeInMBs": CARRIED}
_PROCESSORS: Schema = {
    "Enabled": CARRIED,
    "Processors": ListOf(
        {
            "Parameters": ListOf({"ParameterName": CARRIED, "ParameterValue": CARRIED}),
            "Type": OneOf(("Lambda", "MetadataExtraction", "AppendDelimiterToRecord")),
        }
    ),
}
_BUCKET: dict[str, Schema] = {
    "BucketARN": CARRIED,
    "BufferingHints": _HINTS,
    "CloudWatchLoggingOptions": _LOGGING,
    "CompressionFormat": OneOf(("UNCOMPRESSED", "GZIP")),
    "EncryptionConfiguration": WITHOUT_EFFECT,  # objects stay in this process's memory
    "ErrorOutputPrefix": CARRIED,
    "Prefix": CARRIED,
    "RoleARN": CARRIED,
}
_CONVERSION: Schema = {
    "Enabled": CARRIED,
    "InputFormatConfiguration": {
        "Deserializer": {
            "OpenXJsonSerDe": {
                "CaseInsensitive": CARRIED,
                "ColumnToJsonKeyMappings": CARRIED,
                "ConvertDotsInJsonKeysToUnderscores": CARRIED,
            }
        }
    },
    "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": CARRIED}}},
    "SchemaConfiguration": {
        "CatalogId": CARRIED,
        "DatabaseName": CARRIED,
        "Region": CARRIED,
        "RoleARN": CARRIED,
        "TableName": CARRIED,
        "VersionId": CARRIED,
    },
}


def _make_stream(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("DeliveryStreamName") or site.physical_name(resource.logical_id)
    given = {key: value for key, value in properties.items() if key != "Tags"}
    request = _typed({**given, "DeliveryStreamName": name}, _request())
    arn = site.client("firehose").create_delivery_stream(**request)["DeliveryStreamARN"]
    return Made(name, {"Arn": arn})


@cache
def _request() -> Shape:
    model = botocore.session.get_session().get_service_model("firehose")
    shape = model.operation_model("CreateDeliveryStream").input_shape
    assert shape is not None  # the operation has parameters
    return shape


def _typed(value: Any, shape: Shape) -> Any:
    """A template may write numbers and booleans as texts; the API's names are CloudFormation's."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        members = shape.members
        return {name: _typed(v, members[name]) if name in members else v for name, v in value.items()}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_typed(item, shape.member) for item in value]
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if shape.type_name == "integer" and isinstance(value, str):
        return int(value)
    return str(value) if shape.type_name == "string" else value


DELIVERY_STREAM = ResourceType(
    name="AWS::KinesisFirehose::DeliveryStream",
    accepts={
        "DeliveryStreamName": CARRIED,
        "DeliveryStreamType": OneOf(("DirectPut", "KinesisStreamAsSource")),
        "ExtendedS3DestinationConfiguration": {
            **_BUCKET,
            "CustomTimeZone": CARRIED,
            "DataFormatConversionConfiguration": _CONVERSION,
            "DynamicPartitioningConfiguration": {
                "Enabled": CARRIED,
                "RetryOptions": WITHOUT_EFFECT,  # no step of it fails and then succeeds
            },
            "FileExtension": CARRIED,
            "ProcessingConfiguration": _PROCESSORS,
            "S3BackupMode": OneOf(("Disabled",)),
        },
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": CARRIED, "RoleARN": CARRIED},
        "RedshiftDestinationConfiguration": {
            "CloudWatchLoggingOptions": _LOGGING,
            "ClusterJDBCURL": CARRIED,
            "CopyCommand": {"CopyOptions": CARRIED, "DataTableColumns": CARRIED, "DataTableName": CARRIED},
            "Password": CARRIED,
            "ProcessingConfiguration": _PROCESSORS,
            "RetryOptions": {"DurationInSeconds": CARRIED},
            "RoleARN": CARRIED,
            "S3BackupMode": OneOf(("Disabled",)),
            "S3Configuration": _BUCKET,
            "SecretsManagerConfiguration": {"Enabled": CARRIED, "RoleARN": CARRIED, "SecretARN": CARRIED},
            "Username": CARRIED,
        },
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_stream,
    attributes=frozenset({"Arn"}),
)
