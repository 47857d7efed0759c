"""Amazon Data Firehose: what it reads, how it changes, groups, names and delivers records."""

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime

Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
Until = Callable[..., Any]

DOCS = "https://docs.aws.amazon.com/firehose/latest/"
SOURCE = f"{DOCS}dev/writing-with-kinesis-streams.html"
DELIVERY = f"{DOCS}dev/basic-deliver.html"
PREFIXES = f"{DOCS}dev/s3-prefixes.html"
NAMES = f"{DOCS}dev/s3-object-name.html"
PARTITIONS = f"{DOCS}dev/dynamic-partitioning.html"
TRANSFORM = f"{DOCS}dev/data-transformation-status-model.html"
TRANSFORM_FAILS = f"{DOCS}dev/data-transformation-failure-handling.html"
PARQUET = f"{DOCS}dev/record-format-conversion.html"
ACCESS = f"{DOCS}dev/controlling-access.html"
LIMITS = f"{DOCS}dev/limits.html"
API = f"{DOCS}APIReference/"

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Lake: {Type: AWS::S3::Bucket, Properties: {BucketName: lake}}
  Source: {Type: AWS::Kinesis::Stream, Properties: {Name: source, ShardCount: 2}}
  Database:
    Type: AWS::Glue::Database
    Properties: {CatalogId: !Ref AWS::AccountId, DatabaseInput: {Name: lake}}
  Sightings:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: sightings
        TableType: EXTERNAL_TABLE
        PartitionKeys: [{Name: dt, Type: string}, {Name: site, Type: string}]
        StorageDescriptor:
          Columns:
            - {Name: person, Type: string}
            - {Name: seen_at, Type: timestamp}
            - {Name: score, Type: double}
          Location: !Sub 's3://${Lake}/sightings/'
  Errors: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: hose}}
  ErrorsOfDelivery:
    Type: AWS::Logs::LogStream
    Properties: {LogGroupName: !Ref Errors, LogStreamName: delivery}
  Change:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: change, CodeUri: change, Handler: app.handler, Runtime: python3.13}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: hose
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: {Service: firehose.amazonaws.com}
            Action: sts:AssumeRole
            Condition:
              StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}
              ArnLike: {aws:SourceArn: !Sub 'arn:aws:firehose:*:${AWS::AccountId}:deliverystream/*'}
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Effect: Allow
                Action:
                  - s3:AbortMultipartUpload
                  - s3:GetBucketLocation
                  - s3:GetObject
                  - s3:ListBucket
                  - s3:ListBucketMultipartUploads
                  - s3:PutObject
                Resource: [!GetAtt Lake.Arn, !Sub '${Lake.Arn}/*']
              - Effect: Allow
                Action:
                  - kinesis:DescribeStream
                  - kinesis:GetShardIterator
                  - kinesis:GetRecords
                  - kinesis:ListShards
                Resource: !GetAtt Source.Arn
              - {Effect: Allow, Action: lambda:InvokeFunction, Resource: !Sub '${Change.Arn}*'}
              - Effect: Allow
                Action: [glue:GetTable, glue:GetTableVersion, glue:GetTableVersions]
                Resource:
                  - !Sub 'arn:aws:glue:${AWS::Region}:${AWS::AccountId}:catalog'
                  - !Sub 'arn:aws:glue:${AWS::Region}:${AWS::AccountId}:database/lake'
                  - !Sub 'arn:aws:glue:${AWS::Region}:${AWS::AccountId}:table/lake/sightings'
  Deployed:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      DeliveryStreamName: deployed
      DeliveryStreamType: KinesisStreamAsSource
      KinesisStreamSourceConfiguration: {KinesisStreamARN: !GetAtt Source.Arn, RoleARN: !GetAtt Role.Arn}
      ExtendedS3DestinationConfiguration:
        BucketARN: !GetAtt Lake.Arn
        RoleARN: !GetAtt Role.Arn
        BufferingHints: {SizeInMBs: 64, IntervalInSeconds: '60'}
        Prefix: sightings/dt=!{partitionKeyFromQuery:dt}/site=!{partitionKeyFromQuery:site}/
        ErrorOutputPrefix: deployed-errors/!{firehose:error-output-type}/
        DynamicPartitioningConfiguration: {Enabled: true}
        ProcessingConfiguration:
          Enabled: true
          Processors:
            - Type: MetadataExtraction
              Parameters:
                - ParameterName: MetadataExtractionQuery
                  ParameterValue: '{dt: (.seen_at | strftime("%Y-%m-%d")), site: .site}'
                - {ParameterName: JsonParsingEngine, ParameterValue: JQ-1.6}
        DataFormatConversionConfiguration:
          Enabled: 'true'
          SchemaConfiguration:
            CatalogId: !Ref AWS::AccountId
            DatabaseName: !Ref Database
            TableName: !Ref Sightings
            Region: !Ref AWS::Region
            RoleARN: !GetAtt Role.Arn
          InputFormatConfiguration: {Deserializer: {OpenXJsonSerDe: {}}}
          OutputFormatConfiguration: {Serializer: {ParquetSerDe: {}}}
Outputs:
  Change: {Value: !GetAtt Change.Arn}
  Role: {Value: !GetAtt Role.Arn}
  Source: {Value: !GetAtt Source.Arn}
"""

FUNCTION = """
import base64, json
def handler(event, context):
    answers = []
    for record in event["records"]:
        document = json.loads(base64.b64decode(record["data"]))
        wanted = document.get("result", "Ok")
        if wanted == "crash":
            raise ValueError("as it was asked for")
        if wanted != "forget":
            data = base64.b64encode(json.dumps({"changed": document["n"]}).encode()).decode()
            answers.append({"recordId": record["recordId"], "result": wanted, "data": data})
    return {"records": answers}
"""

NDJSON = {
    "Type": "AppendDelimiterToRecord",
    "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}],
}
FAILED = "!{firehose:error-output-type}/"
LOGGED = {"Enabled": True, "LogGroupName": "hose", "LogStreamName": "delivery"}


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> Mapping[str, str]:
    return {"change/app.py": FUNCTION}


class Hose:
    """A delivery stream of one test: its objects lie under its own name in the bucket."""

    def __init__(self, name: str, runtime: Runtime, client: Client, clock: Clock, until: Until) -> None:
        self.name = name
        self.outputs = runtime.outputs
        self.api, self.s3, self.kinesis = client("firehose"), client("s3"), client("kinesis")
        self.clock = clock
        self.until = until

    def request(self, *processors: dict[str, Any], **s3: Any) -> dict[str, Any]:
        if processors:
            s3["ProcessingConfiguration"] = {"Enabled": True, "Processors": list(processors)}
        return {
            "DeliveryStreamName": self.name,
            "ExtendedS3DestinationConfiguration": {
                "BucketARN": "arn:aws:s3:::lake",
                "RoleARN": self.outputs["Role"],
                "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
                "Prefix": f"{self.name}/",
                **s3,
            },
        }

    def create(self, *processors: dict[str, Any], from_source: bool = False, **s3: Any) -> None:
        given = self.request(*processors, **s3)
        if from_source:
            source = {"KinesisStreamARN": self.outputs["Source"], "RoleARN": self.outputs["Role"]}
            given["DeliveryStreamType"] = "KinesisStreamAsSource"
            given["KinesisStreamSourceConfiguration"] = source
        self.api.create_delivery_stream(**given)

    def put(self, *texts: Any) -> None:
        records = [{"Data": text if isinstance(text, bytes) else json.dumps(text).encode()} for text in texts]
        for start in range(0, len(records), 500):
            self.api.put_record_batch(DeliveryStreamName=self.name, Records=records[start : start + 500])

    def put_to_source(self, document: Any) -> None:
        self.kinesis.put_record(StreamName="source", Data=json.dumps(document).encode(), PartitionKey="k")

    def later(self, seconds: int = 61) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def minutes_until(self, condition: Callable[[], Any]) -> Any:
        """Let the time of the buffers pass until it is so."""

        def after_a_minute() -> Any:
            self.later()
            return condition()

        return self.until(after_a_minute)

    def keys(self, prefix: str | None = None) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix or self.name)
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket="lake", Key=key)["Body"].read())

    def delivered(self, prefix: str | None = None) -> list[str]:
        """What is there after the buffers' time."""
        return list(self.minutes_until(lambda: self.keys(prefix)))

    def errors(self, prefix: str) -> list[Any]:
        """The documents about records that failed."""
        return [json.loads(line) for key in self.delivered(prefix) for line in self.read(key).splitlines()]


@pytest.fixture
def hose(
    request: pytest.FixtureRequest, runtime: Runtime, client: Client, clock: Clock, until: Until
) -> Iterator[Hose]:
    made = Hose(request.node.name.removeprefix("test_")[:60], runtime, client, clock, until)
    yield made
    if made.name in made.api.list_delivery_streams(Limit=100)["DeliveryStreamNames"]:
        made.api.delete_delivery_stream(DeliveryStreamName=made.name)


@pytest.fixture
def poor_role(role_with: Callable[..., str], client: Client) -> Mapping[str, Any]:
    """A role for Firehose that may only write its log, until it is told that it may write objects."""
    logs = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    arn = role_with(logs, trust={"Principal": {"Service": "firehose.amazonaws.com"}})
    lake = ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"]
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": lake}]}

    def may_write() -> None:
        client("iam").put_role_policy(
            RoleName=arn.rpartition("/")[2], PolicyName="lake", PolicyDocument=json.dumps(policy)
        )

    return {"arn": arn, "may write": may_write}


@pytest.fixture
def denials(client: Client, hose: Hose) -> Callable[[], list[Any]]:
    """What the log of errors says about the stream of this test."""

    def read() -> list[Any]:
        events = client("logs").get_log_events(logGroupName="hose", logStreamName="delivery")["events"]
        told = [json.loads(event["message"]) for event in events]
        return [each for each in told if each["deliveryStreamARN"].endswith(f"/{hose.name}")]

    return read


# ---------------------------------------------------------------- source


@pytest.mark.source(SOURCE)
def test_a_data_stream_is_read_from_latest(hose: Hose) -> None:
    hose.put_to_source({"n": "before"})
    hose.create(NDJSON, from_source=True)
    hose.put_to_source({"n": "after"})
    (key,) = hose.delivered()
    assert hose.read(key) == b'{"n": "after"}\n'


@pytest.mark.source(SOURCE)
def test_a_delivery_stream_with_a_source_takes_no_put_record(hose: Hose, refusal: Refusal) -> None:
    error = refusal(hose.api.put_record, DeliveryStreamName="deployed", Record={"Data": b"x"})
    assert error.response["Error"]["Code"] == "InvalidArgumentException"


@pytest.mark.source(LIMITS)
def test_a_record_has_at_most_1000_kib_and_a_batch_4_mib(hose: Hose, refusal: Refusal) -> None:
    hose.create()
    put, batch = hose.api.put_record, hose.api.put_record_batch
    put(DeliveryStreamName=hose.name, Record={"Data": b"x" * 1_024_000})
    assert "1024000" in str(refusal(put, DeliveryStreamName=hose.name, Record={"Data": b"x" * 1_024_001}))
    five = [{"Data": b"x" * 900_000}] * 5
    assert "4 MB" in str(refusal(batch, DeliveryStreamName=hose.name, Records=five))


@pytest.mark.source(f"{API}API_PutRecordBatch.html")
def test_a_batch_has_at_most_500_records(hose: Hose, refusal: Refusal) -> None:
    hose.create()
    many = [{"Data": b"x"}] * 501
    error = refusal(hose.api.put_record_batch, DeliveryStreamName=hose.name, Records=many)
    assert "less than or equal to 500" in str(error)


# ---------------------------------------------------------------- delivery and names


@pytest.mark.source(DELIVERY)
def test_records_are_concatenated_without_a_delimiter_unless_one_is_asked_for(hose: Hose) -> None:
    hose.create()
    hose.put({"n": 1}, {"n": 2})
    (key,) = hose.delivered()
    assert hose.read(key) == b'{"n": 1}{"n": 2}'


@pytest.mark.source(f"{DOCS}dev/dynamic-partitioning-new-line-delimiter.html")
def test_a_delimiter_follows_every_record(hose: Hose) -> None:
    hose.create(NDJSON)
    hose.put({"n": 1}, {"n": 2})
    (key,) = hose.delivered()
    assert hose.read(key) == b'{"n": 1}\n{"n": 2}\n'


@pytest.mark.source(f"{API}API_BufferingHints.html")
def test_what_comes_first_delivers_the_size_or_the_interval(hose: Hose) -> None:
    hose.create()
    hose.put(b"a" * 600_000)
    hose.later(59)
    assert hose.keys() == []
    hose.put(b"b" * 600_000)
    (full,) = hose.until(hose.keys)
    assert len(hose.read(full)) == 1_200_000

    hose.put(b"c")
    hose.later(61)
    hose.until(lambda: len(hose.delivered()) == 2)


@pytest.mark.source(NAMES)
def test_an_object_is_named_by_stream_version_time_and_a_random_string(hose: Hose) -> None:
    hose.create(CompressionFormat="GZIP")
    hose.put({"n": 1})
    (key,) = hose.delivered()
    time, uuid = r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d", r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"
    assert re.fullmatch(rf"{hose.name}/\d{{4}}/\d\d/\d\d/\d\d/{hose.name}-1-{time}-{uuid}\.gz", key)
    assert gzip.decompress(hose.read(key)) == b'{"n": 1}'


@pytest.mark.source(PREFIXES)
def test_a_timestamp_in_a_prefix_is_the_arrival_of_the_oldest_record(hose: Hose) -> None:
    hose.create(Prefix=f"{hose.name}/!{{timestamp:yyyy-MM-dd-HH-mm}}/", ErrorOutputPrefix=FAILED)
    arrived = hose.clock.now()
    hose.put({"n": 1})
    hose.later(30)
    hose.put({"n": 2})
    (key,) = hose.delivered()
    assert abs((arrived - arrived.strptime(key.split("/")[1] + "Z", "%Y-%m-%d-%H-%M%z")).total_seconds()) < 61


@pytest.mark.source(PREFIXES)
def test_a_prefix_with_expressions_needs_an_error_prefix_with_the_error_s_type(
    hose: Hose, refusal: Refusal
) -> None:
    expression = "!{timestamp:yyyy}/"
    for errors in ({}, {"ErrorOutputPrefix": "errors/!{timestamp:yyyy}/"}):
        error = refusal(hose.api.create_delivery_stream, **hose.request(Prefix=expression, **errors))
        assert "ErrorOutputPrefix" in error.response["Error"]["Message"]


@pytest.mark.source(f"{DOCS}dev/basic-deliver.html#retry")
def test_a_bucket_that_refuses_is_tried_again(
    hose: Hose, poor_role: Mapping[str, Any], denials: Callable[[], list[Any]]
) -> None:
    hose.create(NDJSON, RoleARN=poor_role["arn"], CloudWatchLoggingOptions=LOGGED)
    hose.put({"n": 1})
    hose.minutes_until(denials)
    assert hose.keys() == []
    poor_role["may write"]()
    (key,) = hose.delivered()
    assert hose.read(key) == b'{"n": 1}\n'


@pytest.mark.source(f"{DOCS}dev/monitoring-with-cloudwatch-logs.html")
def test_errors_of_delivery_are_written_to_the_log_stream(
    hose: Hose, poor_role: Mapping[str, Any], denials: Callable[[], list[Any]]
) -> None:
    hose.create(RoleARN=poor_role["arn"], CloudWatchLoggingOptions=LOGGED)
    hose.put({"n": 1})
    told = hose.minutes_until(denials)[0]
    assert told["errorCode"] == "S3.AccessDenied"
    assert told["deliveryStreamARN"].endswith(f":deliverystream/{hose.name}")
    assert told["message"].startswith("Access was denied. Ensure that the trust policy")


# ---------------------------------------------------------------- access


@pytest.mark.source(f"{ACCESS}#firehose-assume-role")
def test_a_data_stream_needs_a_role_that_may_read_it(
    hose: Hose, role_with: Callable[..., str], refusal: Refusal
) -> None:
    blind = role_with(trust={"Principal": {"Service": "firehose.amazonaws.com"}})
    given = hose.request() | {
        "DeliveryStreamType": "KinesisStreamAsSource",
        "KinesisStreamSourceConfiguration": {"KinesisStreamARN": hose.outputs["Source"], "RoleARN": blind},
    }
    error = refusal(hose.api.create_delivery_stream, **given)
    assert error.response["Error"]["Code"] == "InvalidArgumentException"
    assert "kinesis:DescribeStream" in error.response["Error"]["Message"]


@pytest.mark.source(ACCESS)
def test_a_role_that_does_not_trust_firehose_cannot_be_used(
    hose: Hose, role_with: Callable[..., str], refusal: Refusal
) -> None:
    role = role_with(trust={"Principal": {"Service": "lambda.amazonaws.com"}})
    error = refusal(hose.api.create_delivery_stream, **hose.request(RoleARN=role))
    assert "unable to assume role" in error.response["Error"]["Message"]


@pytest.mark.source(
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisfirehose.html"
)
def test_putting_and_creating_need_permission_on_the_delivery_stream(
    hose: Hose, client_with: Callable[..., Client], refusal: Refusal
) -> None:
    hose.create()
    arn = f"arn:aws:firehose:us-east-1:123456789012:deliverystream/{hose.name}"
    api = client_with({"Effect": "Allow", "Action": "firehose:PutRecord", "Resource": arn})("firehose")
    assert api.put_record(DeliveryStreamName=hose.name, Record={"Data": b"x"})["RecordId"]
    error = refusal(api.put_record, DeliveryStreamName="deployed", Record={"Data": b"x"})
    assert error.response["Error"]["Code"] == "AccessDeniedException"

    creates = {"Effect": "Allow", "Action": "firehose:CreateDeliveryStream", "Resource": "*"}
    error = refusal(client_with(creates)("firehose").create_delivery_stream, **hose.request())
    assert "iam:PassRole" in error.response["Error"]["Message"]


# ---------------------------------------------------------------- transformation


def lambda_processor(hose: Hose, **parameters: str) -> dict[str, Any]:
    given = {"LambdaArn": hose.outputs["Change"], "BufferIntervalInSeconds": "0", **parameters}
    listed = [{"ParameterName": name, "ParameterValue": value} for name, value in given.items()]
    return {"Type": "Lambda", "Parameters": listed}


@pytest.mark.source(TRANSFORM)
def test_ok_records_are_replaced_dropped_ones_gone_and_failed_ones_kept_apart(hose: Hose) -> None:
    hose.create(lambda_processor(hose))
    hose.put({"n": 1}, {"n": 2, "result": "Dropped"}, {"n": 3, "result": "ProcessingFailed"})

    (error,) = hose.errors(f"{hose.name}/processing-failed/")

    (good,) = [key for key in hose.delivered() if "/processing-failed/" not in key]
    assert hose.read(good) == b'{"changed": 1}'
    assert set(error) == {
        *("attemptsMade", "arrivalTimestamp", "errorCode", "errorMessage", "attemptEndingTimestamp"),
        *("rawData", "lambdaArn"),
    }
    assert json.loads(b64decode(error["rawData"])) == {"n": 3, "result": "ProcessingFailed"}


@pytest.mark.source(TRANSFORM)
def test_a_record_id_that_is_not_returned_is_a_failure(hose: Hose) -> None:
    hose.create(lambda_processor(hose, NumberOfRetries="0"))
    hose.put({"n": 1}, {"n": 2, "result": "forget"})
    codes = {error["errorCode"] for error in hose.errors(f"{hose.name}/processing-failed/")}
    assert codes == {"Lambda.MissingRecordId"}


@pytest.mark.source(TRANSFORM_FAILS)
def test_an_invocation_is_tried_three_times_more_and_then_its_batch_is_skipped(hose: Hose) -> None:
    hose.create(lambda_processor(hose))
    hose.put({"n": 1, "result": "crash"})
    (error,) = hose.errors(f"{hose.name}/processing-failed/")
    assert (error["attemptsMade"], error["errorCode"]) == (4, "Lambda.FunctionError")


# ---------------------------------------------------------------- partitions


def partitioned(hose: Hose, query: str, prefix: str) -> dict[str, Any]:
    processor = {
        "Type": "MetadataExtraction",
        "Parameters": [
            {"ParameterName": "MetadataExtractionQuery", "ParameterValue": query},
            {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"},
        ],
    }
    return hose.request(
        processor,
        NDJSON,
        BufferingHints={"SizeInMBs": 64, "IntervalInSeconds": 60},
        DynamicPartitioningConfiguration={"Enabled": True},
        Prefix=f"{hose.name}/{prefix}",
        ErrorOutputPrefix=f"{hose.name}/errors/{FAILED}",
    )


@pytest.mark.source(PARTITIONS)
def test_records_with_the_same_evaluated_prefix_lie_in_one_object(hose: Hose) -> None:
    given = partitioned(hose, "{site: .site, gate: .gate}", "!{partitionKeyFromQuery:site}/")
    hose.api.create_delivery_stream(**given)
    hose.put({"site": "a", "gate": 1}, {"site": "a", "gate": 2}, {"site": "b", "gate": 1})
    hose.until(lambda: len(hose.delivered()) == 2)
    (key,) = hose.keys(f"{hose.name}/a/{hose.name}-1-")
    assert len(hose.read(key).splitlines()) == 2


@pytest.mark.source(f"{DOCS}dev/dynamic-partitioning-error-handling.html")
def test_a_record_whose_keys_cannot_be_extracted_goes_to_the_error_prefix(hose: Hose) -> None:
    given = partitioned(hose, "{site: .site}", "!{partitionKeyFromQuery:site}/")
    hose.api.create_delivery_stream(**given)
    hose.put({"site": None}, {"other": 1}, {"site": ""}, b"no json")
    errors = hose.errors(f"{hose.name}/errors/processing-failed/")
    assert [error["errorCode"] for error in errors] == ["DynamicPartitioning.MetadataExtractionFailed"] * 4


@pytest.mark.source(f"{DOCS}dev/dynamic-partitioning.html#dynamic-partitioning-buffering")
def test_beyond_500_active_partitions_records_go_to_the_error_prefix(
    hose: Hose, poor_role: Mapping[str, Any], denials: Callable[[], list[Any]]
) -> None:
    given = partitioned(hose, "{n: .n}", "!{partitionKeyFromQuery:n}/")
    changes = {"RoleARN": poor_role["arn"], "CloudWatchLoggingOptions": LOGGED}
    given["ExtendedS3DestinationConfiguration"] |= changes
    hose.api.create_delivery_stream(**given)
    hose.put(*({"n": n} for n in range(502)))
    hose.minutes_until(denials)  # a partition that cannot be delivered stays active
    poor_role["may write"]()
    errors = hose.errors(f"{hose.name}/errors/processing-failed/")
    assert [json.loads(b64decode(error["rawData"]))["n"] for error in errors] == [500, 501]


@pytest.mark.source(PARTITIONS)
def test_dynamic_partitioning_needs_an_error_prefix_and_keys_in_the_prefix(
    hose: Hose, refusal: Refusal
) -> None:
    for change, named in ((("ErrorOutputPrefix", ""), "ErrorOutputPrefix"), (("Prefix", "plain/"), "Prefix")):
        given = partitioned(hose, "{n: .n}", "!{partitionKeyFromQuery:n}/")
        given["ExtendedS3DestinationConfiguration"][change[0]] = change[1]
        assert named in str(refusal(hose.api.create_delivery_stream, **given))


# ---------------------------------------------------------------- Parquet


@pytest.mark.source(PARQUET)
def test_json_becomes_parquet_by_the_glue_table_and_what_does_not_fit_is_put_aside(
    hose: Hose, tmp_path: Any
) -> None:
    duckdb = pytest.importorskip("duckdb")
    hose.put_to_source({"Person": "Ada", "seen_at": 1790000000.25, "score": 98.5, "site": "north"})
    hose.put_to_source({"person": "Bob", "seen_at": 1790000000, "score": "much", "site": "north"})

    (error,) = hose.errors("deployed-errors/format-conversion-failed/")

    (key,) = hose.keys("sightings/dt=2026-09-21/site=north/deployed-1-")
    assert key.endswith(".parquet")
    file = tmp_path / "object.parquet"
    file.write_bytes(hose.read(key))
    ((person, seen_at, score),) = duckdb.sql(f"SELECT * FROM '{file}'").fetchall()
    assert (person, str(seen_at), score) == ("Ada", "2026-09-21 14:13:20.250000", 98.5)
    assert set(error) == {
        *("attemptsMade", "arrivalTimestamp", "lastErrorCode", "lastErrorMessage", "attemptEndingTimestamp"),
        *("rawData", "sequenceNumber", "subSequenceNumber", "dataCatalogTable"),
    }
    assert error["dataCatalogTable"]["tableName"] == "sightings"


def converted(hose: Hose, **s3: Any) -> dict[str, Any]:
    schema = {"RoleARN": hose.outputs["Role"], "DatabaseName": "lake", "TableName": "sightings"}
    conversion = {
        "SchemaConfiguration": {**schema, "Region": "us-east-1"},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
    }
    hints = {"SizeInMBs": 64, "IntervalInSeconds": 60}
    return hose.request(**{"BufferingHints": hints, "DataFormatConversionConfiguration": conversion, **s3})


@pytest.mark.source(PARQUET)
def test_conversion_needs_64_mib_and_no_compression_of_its_own(hose: Hose, refusal: Refusal) -> None:
    create = hose.api.create_delivery_stream
    assert "at least 64" in str(refusal(create, **converted(hose, BufferingHints={"SizeInMBs": 63})))
    assert "UNCOMPRESSED" in str(refusal(create, **converted(hose, CompressionFormat="GZIP")))


@pytest.mark.source(f"{ACCESS}#using-iam-glue")
def test_conversion_needs_a_table_that_the_role_may_read(
    hose: Hose, role_with: Callable[..., str], refusal: Refusal
) -> None:
    given = converted(hose)
    schema = given["ExtendedS3DestinationConfiguration"]["DataFormatConversionConfiguration"]
    blind = role_with(trust={"Principal": {"Service": "firehose.amazonaws.com"}})
    schema["SchemaConfiguration"]["RoleARN"] = blind
    assert "Access was denied when calling Glue" in str(refusal(hose.api.create_delivery_stream, **given))
    schema["SchemaConfiguration"] |= {"RoleARN": hose.outputs["Role"], "TableName": "nothing"}
    assert "InvalidArgumentException" in str(refusal(hose.api.create_delivery_stream, **given))


# ---------------------------------------------------------------- the API itself


@pytest.mark.source(f"{API}API_CreateDeliveryStream.html")
def test_a_name_is_taken_once(hose: Hose, refusal: Refusal) -> None:
    hose.create()
    error = refusal(hose.api.create_delivery_stream, **hose.request())
    assert error.response["Error"]["Code"] == "ResourceInUseException"


@pytest.mark.source(f"{API}API_DeleteDeliveryStream.html")
def test_a_deleted_stream_is_not_found_any_more(hose: Hose, refusal: Refusal) -> None:
    hose.create()
    hose.api.delete_delivery_stream(DeliveryStreamName=hose.name)
    for call in (hose.api.describe_delivery_stream, hose.api.delete_delivery_stream):
        error = refusal(call, DeliveryStreamName=hose.name)
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.source(f"{API}API_DescribeDeliveryStream.html")
def test_a_stream_is_described_with_its_source_and_its_completed_destination(hose: Hose) -> None:
    shown = hose.api.describe_delivery_stream(DeliveryStreamName="deployed")["DeliveryStreamDescription"]
    assert (shown["DeliveryStreamType"], shown["DeliveryStreamStatus"]) == ("KinesisStreamAsSource", "ACTIVE")
    assert shown["Source"]["KinesisStreamSourceDescription"]["RoleARN"] == hose.outputs["Role"]
    (destination,) = shown["Destinations"]
    extended = destination["ExtendedS3DestinationDescription"]
    assert extended["CompressionFormat"] == "UNCOMPRESSED"
    assert extended["EncryptionConfiguration"] == {"NoEncryptionConfig": "NoEncryption"}
