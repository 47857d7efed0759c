"""What a delivery stream may be asked for: AWS's limits, and refusals by name of what is not emulated."""

from typing import Any

import pytest

from sightline_local.cloud.firehose.settings import MIB, read_settings
from sightline_local.cloud.service import ServiceError

ROLE = "arn:aws:iam::123456789012:role/hose"
S3 = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"}
FAILED = "errors/!{firehose:error-output-type}/"
BY_QUERY = {
    "DynamicPartitioningConfiguration": {"Enabled": True},
    "Prefix": "!{partitionKeyFromQuery:x}/",
    "ErrorOutputPrefix": FAILED,
}
SCHEMA = {"RoleARN": ROLE, "DatabaseName": "lake", "TableName": "sightings"}
CONVERSION = {
    "SchemaConfiguration": SCHEMA,
    "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
    "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
}
QUERY = {
    "Type": "MetadataExtraction",
    "Parameters": [
        {"ParameterName": "MetadataExtractionQuery", "ParameterValue": "{x: .x}"},
        {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"},
    ],
}


def of(*processors: dict[str, Any], **s3: Any) -> dict[str, Any]:
    if processors:
        s3["ProcessingConfiguration"] = {"Enabled": True, "Processors": list(processors)}
    return {"DeliveryStreamName": "out", "ExtendedS3DestinationConfiguration": {**S3, **s3}}


def to_warehouse(**changes: Any) -> dict[str, Any]:
    wanted = {
        "RoleARN": ROLE,
        "ClusterJDBCURL": "jdbc:redshift://w.1.us-east-1.redshift-serverless.amazonaws.com:5439/dev",
        "CopyCommand": {"DataTableName": "t", "DataTableColumns": "a, b", "CopyOptions": "JSON 'auto'"},
        "Username": "loader",
        "Password": "secret-1",
        "S3Configuration": {**S3, "Prefix": "stage/"},
        **changes,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    return {"DeliveryStreamName": "out", "RedshiftDestinationConfiguration": given}


def test_defaults_are_aws_s() -> None:
    plain = read_settings(of())
    assert (plain.bucket.size_bytes, plain.bucket.seconds, plain.bucket.extension) == (5 * MIB, 300, "")
    parquet = read_settings(of(DataFormatConversionConfiguration=CONVERSION))
    assert (parquet.bucket.size_bytes, parquet.bucket.extension) == (128 * MIB, ".parquet")
    function = [{"ParameterName": "LambdaArn", "ParameterValue": "arn:f"}]
    transform = read_settings(of({"Type": "Lambda", "Parameters": function})).processing.transform
    assert transform is not None
    assert (transform.retries, transform.size_bytes, transform.seconds) == (3, MIB, 60)


def test_a_delimiter_is_a_line_feed_unless_told_otherwise() -> None:
    plain = read_settings(of({"Type": "AppendDelimiterToRecord"})).processing
    given = [{"ParameterName": "Delimiter", "ParameterValue": "\\n--"}]
    own = read_settings(of({"Type": "AppendDelimiterToRecord", "Parameters": given})).processing
    assert (plain.delimiter, own.delimiter) == (b"\n", b"\n--")


def test_a_processing_that_is_not_enabled_does_nothing() -> None:
    request = of(ProcessingConfiguration={"Enabled": False, "Processors": [QUERY]})
    assert read_settings(request).processing.query is None


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        (of(CompressionFormat="Snappy"), "does not emulate CompressionFormat Snappy"),
        (of(S3BackupMode="Enabled"), "does not emulate S3BackupMode Enabled"),
        (of({"Type": "RecordDeAggregation"}), "does not emulate the processor RecordDeAggregation"),
        (of({"Type": "Decompression"}), "does not emulate the processor Decompression"),
        (
            {"DeliveryStreamName": "out", "SplunkDestinationConfiguration": {}},
            "does not emulate SplunkDestinationConfiguration",
        ),
        ({**of(), "DeliveryStreamType": "MSKAsSource"}, "does not emulate DeliveryStreamType MSKAsSource"),
        (
            of(
                DataFormatConversionConfiguration={
                    **CONVERSION,
                    "InputFormatConfiguration": {"Deserializer": {"HiveJsonSerDe": {}}},
                }
            ),
            "does not emulate a Deserializer other than OpenXJsonSerDe",
        ),
        (
            of(
                DataFormatConversionConfiguration={
                    **CONVERSION,
                    "OutputFormatConfiguration": {"Serializer": {"OrcSerDe": {}}},
                }
            ),
            "does not emulate a Serializer other than ParquetSerDe",
        ),
        (of(CustomTimeZone="Mars/Olympus"), "CustomTimeZone Mars/Olympus is not supported"),
        ({"DeliveryStreamName": "out"}, "Exactly one destination"),
        ({**of(), **to_warehouse()}, "Exactly one destination"),
        ({**of(), "DeliveryStreamType": "KinesisStreamAsSource"}, "is required for KinesisStreamAsSource"),
        (
            of(DataFormatConversionConfiguration=CONVERSION, BufferingHints={"SizeInMBs": 63}),
            "must be at least 64 when data format conversion is enabled",
        ),
        (
            of(QUERY, **BY_QUERY, BufferingHints={"SizeInMBs": 5}),
            "must be at least 64 when Dynamic Partitioning is enabled",
        ),
        (
            of(QUERY, **BY_QUERY, BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 0}),
            "IntervalInSeconds must be at least 60",
        ),
        (
            of(DataFormatConversionConfiguration=CONVERSION, CompressionFormat="GZIP"),
            "CompressionFormat must be UNCOMPRESSED",
        ),
        (of(**BY_QUERY), "MetadataExtraction processor is required"),
        (of(QUERY), "only when Dynamic Partitioning is enabled"),
        (of(QUERY, QUERY, **BY_QUERY), "Only one processor of type MetadataExtraction"),
        (
            of(QUERY, **{**BY_QUERY, "Prefix": "!{partitionKeyFromLambda:x}/"}),
            "Lambda processor is required",
        ),
        (of({"Type": "Lambda"}), "needs LambdaArn"),
        (
            of(
                {
                    "Type": "Lambda",
                    "Parameters": [
                        {"ParameterName": "LambdaArn", "ParameterValue": "arn:f"},
                        {"ParameterName": "BufferSizeInMBs", "ParameterValue": "4"},
                    ],
                }
            ),
            "BufferSizeInMBs must be between 0.2 and 3",
        ),
        (
            of({"Type": "Lambda", "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "x"}]}),
            "does not emulate the parameter Delimiter of the processor Lambda",
        ),
        (to_warehouse(S3Configuration={**S3, "Prefix": "!{timestamp:yyyy}/"}), "cannot contain expressions"),
        (to_warehouse(S3Configuration={**S3, "ErrorOutputPrefix": FAILED}), "must be null"),
        (to_warehouse(Password=None), "Either Username and Password"),
        (
            to_warehouse(SecretsManagerConfiguration={"Enabled": True, "SecretARN": "arn:s"}),
            "Either Username and Password",
        ),
    ],
)
def test_what_aws_or_the_local_runtime_does_not_do_is_refused_by_name(
    request_: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ServiceError) as refusal:
        read_settings(request_)
    assert refusal.value.code == "InvalidArgumentException"
    assert problem in refusal.value.message


def test_copy_is_written_as_firehose_documents_it() -> None:
    copying = read_settings(to_warehouse()).copying
    assert copying is not None
    assert copying.statement("s3://lake/manifests/m") == (
        f"COPY t (a, b) FROM 's3://lake/manifests/m' CREDENTIALS 'aws_iam_role={ROLE}' MANIFEST JSON 'auto';"
    )
    assert copying.retry_seconds == 3600


def test_passwords_are_not_shown() -> None:
    assert "secret-1" not in repr(read_settings(to_warehouse()))
