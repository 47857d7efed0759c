"""Firehose at work: from a data stream or PutRecord, by a function or not, to objects in a bucket."""

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock
from sightline_local.cloud.firehose import FirehoseService
from sightline_local.iam import Authorizer
from sightline_local.state import Facts, FactsNotKeptError

ACCOUNT, REGION = "123456789012", "us-east-1"
TRUST = {"Principal": {"Service": "firehose.amazonaws.com"}}
SOURCE = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/source"
ON_BUCKET = {
    "Effect": "Allow",
    "Action": ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
    "Resource": "arn:aws:s3:::lake",
}
ON_OBJECTS = {
    "Effect": "Allow",
    "Action": ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
    "Resource": "arn:aws:s3:::lake/*",
}
READS = {
    "Effect": "Allow",
    "Action": ["kinesis:DescribeStream", "kinesis:GetShardIterator", "kinesis:GetRecords"],
    "Resource": SOURCE,
}
GLUE = {"Effect": "Allow", "Action": "glue:GetTable", "Resource": "*"}
INVOKES = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}
NDJSON = {"Type": "AppendDelimiterToRecord", "Parameters": []}


class Hose:
    """The small cloud with Firehose, a bucket and a data stream, and a clock that the test moves."""

    def __init__(self, cloud: Any, until: Callable[[Callable[[], Any]], Any], facts: Facts) -> None:
        self.cloud = cloud
        self.until = until
        self.facts = facts
        self.clock = Clock()
        self.s3, self.kinesis = cloud.client("s3"), cloud.client("kinesis")
        self.s3.create_bucket(Bucket="lake")
        self.kinesis.create_stream(StreamName="source", ShardCount=2)
        self.role_arn = cloud.role(ON_BUCKET, ON_OBJECTS, READS, GLUE, INVOKES, name="hose", trust=TRUST)
        self.service = self.start()
        self.service.begin()
        self.api = cloud.client("firehose")

    def start(self) -> FirehoseService:
        cloud = self.cloud
        service = FirehoseService(
            REGION,
            ACCOUNT,
            cloud.sessions,
            Authorizer(ACCOUNT, REGION),
            cloud.clients,
            streams=cloud.streams,
            clock=self.clock,
            facts=self.facts,
        )
        cloud.gateway.services["firehose"] = service
        return service

    def create(self, *processors: dict[str, Any], direct: bool = True, **s3: Any) -> None:
        source = {
            "DeliveryStreamType": "KinesisStreamAsSource",
            "KinesisStreamSourceConfiguration": {"KinesisStreamARN": SOURCE, "RoleARN": self.role_arn},
        }
        if processors:
            s3 |= {"ProcessingConfiguration": {"Enabled": True, "Processors": list(processors)}}
        self.api.create_delivery_stream(
            DeliveryStreamName="out",
            **({} if direct else source),
            ExtendedS3DestinationConfiguration={
                "BucketARN": "arn:aws:s3:::lake",
                "RoleARN": self.role_arn,
                "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60},
                **s3,
            },
        )

    def put(self, *documents: Any) -> None:
        records = [{"Data": json.dumps(document).encode()} for document in documents]
        assert self.api.put_record_batch(DeliveryStreamName="out", Records=records)["FailedPutCount"] == 0

    def put_to_source(self, *documents: Any) -> None:
        records = [{"Data": json.dumps(d).encode(), "PartitionKey": str(n)} for n, d in enumerate(documents)]
        self.kinesis.put_records(StreamName="source", Records=records)

    def later(self, seconds: int = 61) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def keys(self, prefix: str = "") -> list[str]:
        listed = self.s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in listed]

    def read(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket="lake", Key=key)["Body"].read())

    def delivered(self, prefix: str = "", count: int = 1) -> list[str]:
        """The keys of so many objects, after the buffers' time."""

        def enough() -> list[str]:
            self.later()  # records may come into a buffer after the clock was moved
            keys = self.keys(prefix)
            return keys if len(keys) >= count else []

        return list(self.until(enough))

    def documents(self, prefix: str = "") -> list[Any]:
        lines = [line for key in self.delivered(prefix) for line in self.read(key).splitlines()]
        return [json.loads(line) for line in lines]


@pytest.fixture
def hose(cloud: Any, until: Callable[[Callable[[], Any]], Any]) -> Iterator[Hose]:
    facts = Facts(cloud.folder / "facts.db")
    made = Hose(cloud, until, facts)
    yield made
    made.service.close()
    facts.close()


def test_records_of_a_data_stream_become_lines_of_one_object(hose: Hose) -> None:
    hose.put_to_source({"n": "before"})
    hose.create(NDJSON, direct=False)
    hose.put_to_source(*({"n": n} for n in range(20)))

    found = sorted(each["n"] for each in hose.documents())

    assert found == list(range(20))
    (key,) = hose.keys()
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\d\d/out-1-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-[0-9a-f-]{36}", key)


def test_nothing_is_delivered_before_the_buffer_is_full_or_old(hose: Hose) -> None:
    hose.create()
    hose.put({"n": 1})
    hose.later(30)
    assert hose.keys() == []

    hose.put({"large": "x" * 600_000})
    hose.put({"large": "x" * 600_000})

    hose.until(hose.keys)


def test_an_object_may_be_compressed_and_named_by_expressions(hose: Hose) -> None:
    hose.create(
        NDJSON,
        CompressionFormat="GZIP",
        Prefix="day=!{timestamp:yyyy-MM-dd}/",
        ErrorOutputPrefix="errors/!{firehose:error-output-type}/",
    )
    hose.put({"n": 1}, {"n": 2})

    (key,) = hose.delivered()

    assert re.fullmatch(r"day=\d{4}-\d\d-\d\d/out-1-.*\.gz", key)
    assert gzip.decompress(hose.read(key)) == b'{"n": 1}\n{"n": 2}\n'


PARTITIONED = {
    "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
    "DynamicPartitioningConfiguration": {"Enabled": True},
    "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
}


def query(text: str) -> dict[str, Any]:
    return {
        "Type": "MetadataExtraction",
        "Parameters": [
            {"ParameterName": "MetadataExtractionQuery", "ParameterValue": text},
            {"ParameterName": "JsonParsingEngine", "ParameterValue": "JQ-1.6"},
        ],
    }


def test_records_go_to_the_partition_that_a_query_names(hose: Hose) -> None:
    prefix = "dt=!{partitionKeyFromQuery:dt}/site=!{partitionKeyFromQuery:site}/"
    keys = query('{dt: (.at | strftime("%Y-%m-%d")), site: .site}')
    hose.create(NDJSON, keys, Prefix=prefix, **PARTITIONED)

    hose.put(
        {"at": 1790000000.5, "site": "north"}, {"at": 1790000001, "site": "south"}, {"at": 1, "site": None}
    )

    found = hose.delivered(count=3)
    places = sorted(key.rpartition("/")[0] for key in found)
    assert places == ["dt=2026-09-21/site=north", "dt=2026-09-21/site=south", "errors/processing-failed"]
    (error,) = hose.documents("errors/")
    assert error["errorCode"] == "DynamicPartitioning.MetadataExtractionFailed"
    assert json.loads(b64decode(error["rawData"])) == {"at": 1, "site": None}


def make_table(hose: Hose) -> None:
    glue = hose.cloud.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    columns = [("person", "string"), ("seen_at", "timestamp"), ("score", "double"), ("boxes", "array<int>")]
    described = [{"Name": name, "Type": kind} for name, kind in columns]
    table = {"Name": "sightings", "StorageDescriptor": {"Columns": described}, "PartitionKeys": []}
    glue.create_table(DatabaseName="lake", TableInput=table)


def conversion(role_arn: str) -> dict[str, Any]:
    return {
        "DataFormatConversionConfiguration": {
            "SchemaConfiguration": {
                "RoleARN": role_arn,
                "DatabaseName": "lake",
                "TableName": "sightings",
                "Region": REGION,
            },
            "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
            "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}},
        }
    }


def test_records_become_parquet_by_the_glue_table(hose: Hose) -> None:
    duckdb = pytest.importorskip("duckdb")
    make_table(hose)
    hose.create(**{**PARTITIONED, "DynamicPartitioningConfiguration": {}}, **conversion(hose.role_arn))
    hose.put({"Person": "Ada", "seen_at": 1790000000.25, "score": 98.5, "boxes": [1, None], "more": 1})
    hose.put({"person": "Bob", "score": "much"})

    keys = hose.delivered(count=2)

    failed, data = sorted(keys, key=lambda key: not key.startswith("errors/"))
    assert data.endswith(".parquet")
    file = hose.cloud.folder / "object.parquet"
    file.write_bytes(hose.read(data))
    ((person, seen_at, score, boxes),) = duckdb.sql(f"SELECT * FROM '{file}'").fetchall()
    assert (person, str(seen_at), score, boxes) == ("Ada", "2026-09-21 14:13:20.250000", 98.5, [1, None])
    assert failed.startswith("errors/format-conversion-failed/")
    error = json.loads(hose.read(failed))
    assert error["lastErrorCode"] == "DataFormatConversion.MalformedData"
    assert error["dataCatalogTable"]["tableName"] == "sightings"


TRANSFORM = """
import base64, json
def handle(event, context):
    answers = []
    for record in event["records"]:
        document = json.loads(base64.b64decode(record["data"]))
        if document.get("crash"):
            raise ValueError("no")
        document["seen"] = sorted(event)
        data = base64.b64encode(json.dumps(document).encode()).decode()
        answer = {"recordId": record["recordId"], "result": document.get("result", "Ok"), "data": data}
        if "site" in document:
            answer["metadata"] = {"partitionKeys": {"site": document["site"]}}
        answers.append(answer)
    return {"records": answers}
"""


def transform(hose: Hose, **more: str) -> dict[str, Any]:
    arn = hose.cloud.function("change", TRANSFORM)
    given = {"LambdaArn": f"{arn}:$LATEST", "BufferIntervalInSeconds": "0", "NumberOfRetries": "0", **more}
    parameters = [{"ParameterName": name, "ParameterValue": value} for name, value in given.items()]
    return {"Type": "Lambda", "Parameters": parameters}


def test_a_function_changes_drops_and_fails_records(hose: Hose) -> None:
    hose.create(transform(hose), NDJSON)
    hose.put({"n": 1}, {"n": 2, "result": "Dropped"}, {"n": 3, "result": "ProcessingFailed"})

    keys = hose.delivered(count=2)

    failed = next(key for key in keys if key.startswith("processing-failed/"))
    (good,) = [json.loads(hose.read(key)) for key in keys if key != failed]
    assert good == {"n": 1, "seen": ["deliveryStreamArn", "invocationId", "records", "region"]}
    error = json.loads(hose.read(failed))
    assert (error["errorCode"], error["attemptsMade"]) == ("Lambda.ProcessingFailedStatus", 1)
    assert json.loads(b64decode(error["rawData"])) == {"n": 3, "result": "ProcessingFailed"}


def test_a_function_that_fails_is_tried_again_and_then_its_batch_is_put_aside(hose: Hose) -> None:
    hose.create(transform(hose, NumberOfRetries="1"))
    hose.put({"n": 1}, {"n": 2, "crash": True})

    errors = hose.documents("processing-failed/")

    assert [error["errorCode"] for error in errors] == ["Lambda.FunctionError"] * 2
    assert {error["attemptsMade"] for error in errors} == {2}
    assert errors[0]["lambdaArn"].endswith(":change:$LATEST")


def test_a_function_may_name_the_partition(hose: Hose) -> None:
    hose.create(transform(hose), Prefix="site=!{partitionKeyFromLambda:site}/", **PARTITIONED)
    hose.put({"site": "north"}, {"site": "south"})
    hose.delivered("site=north/out-1-")
    hose.delivered("site=south/out-1-")


def test_a_role_that_may_not_write_is_tried_again_until_it_may(hose: Hose) -> None:
    hose.role_arn = hose.cloud.role(ON_BUCKET, name="poor", trust=TRUST)
    hose.create(NDJSON)
    hose.put({"n": 1})
    hose.later()

    policy = json.dumps({"Version": "2012-10-17", "Statement": [ON_BUCKET, ON_OBJECTS]})
    hose.cloud.client("iam").put_role_policy(RoleName="poor", PolicyName="own", PolicyDocument=policy)

    assert hose.documents() == [{"n": 1}]


def test_a_role_that_does_not_trust_firehose_is_refused(hose: Hose) -> None:
    hose.role_arn = hose.cloud.role(ON_BUCKET, ON_OBJECTS, name="of-lambda")
    with pytest.raises(ClientError, match=r"Firehose is unable to assume role .*of-lambda"):
        hose.create()


def test_a_role_that_may_not_read_the_data_stream_is_refused(hose: Hose) -> None:
    hose.role_arn = hose.cloud.role(ON_BUCKET, ON_OBJECTS, name="blind", trust=TRUST)
    with pytest.raises(ClientError, match="not authorized to perform: kinesis:DescribeStream"):
        hose.create(direct=False)


def test_what_was_put_and_not_delivered_is_delivered_after_a_start(hose: Hose) -> None:
    hose.create(NDJSON)
    hose.put({"n": 1}, {"n": 2})
    hose.service.close()

    again = hose.service = hose.start()
    assert again.restore() == []
    again.begin()

    assert hose.documents() == [{"n": 1}, {"n": 2}]
    hose.until(lambda: not hose.facts.all("firehose.record"))


def test_a_data_stream_is_read_on_from_what_was_delivered_last(hose: Hose) -> None:
    hose.create(NDJSON, direct=False)
    hose.put_to_source({"n": 1})
    assert hose.documents() == [{"n": 1}]
    hose.put_to_source({"n": 2})
    hose.service.close()
    hose.put_to_source({"n": 3})

    hose.service = hose.start()
    hose.service.restore()
    hose.service.begin()

    hose.delivered(count=2)
    assert sorted(each["n"] for each in hose.documents()) == [1, 2, 3]


def test_a_delivery_stream_is_described_listed_and_deleted(hose: Hose) -> None:
    hose.create(direct=False)
    shown = hose.api.describe_delivery_stream(DeliveryStreamName="out")["DeliveryStreamDescription"]
    assert (shown["DeliveryStreamStatus"], shown["VersionId"]) == ("ACTIVE", "1")
    assert shown["Source"]["KinesisStreamSourceDescription"]["KinesisStreamARN"] == SOURCE
    extended = shown["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert extended["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 60}
    assert hose.api.list_delivery_streams()["DeliveryStreamNames"] == ["out"]

    hose.api.delete_delivery_stream(DeliveryStreamName="out")

    with pytest.raises(ClientError, match=f"Firehose out under account {ACCOUNT} not found"):
        hose.api.describe_delivery_stream(DeliveryStreamName="out")
    assert hose.facts.all("firehose.position") == hose.facts.all("firehose.stream") == []


def test_a_stream_with_a_source_takes_no_put(hose: Hose) -> None:
    hose.create(direct=False)
    with pytest.raises(ClientError, match="not permitted on KinesisStreamAsSource"):
        hose.api.put_record(DeliveryStreamName="out", Record={"Data": b"x"})


def test_a_stream_made_at_run_time_is_there_after_a_start(hose: Hose) -> None:
    hose.create(NDJSON)
    hose.service.close()
    hose.service = hose.start()
    assert hose.api.list_delivery_streams()["DeliveryStreamNames"] == []
    hose.service.restore()
    hose.service.begin()
    hose.put({"n": 1})
    assert hose.documents() == [{"n": 1}]


def test_a_stream_that_the_template_lost_is_named_and_its_records_are_kept(hose: Hose) -> None:
    hose.facts.put("firehose.record", "gone/00000000000000000001", b"\0" * 9)
    assert hose.start().restore() == ["delivery stream gone"]
    assert len(hose.facts.all("firehose.record")) == 1


def test_shards_that_appear_later_are_read_from_their_beginning(hose: Hose) -> None:
    hose.create(NDJSON, direct=False)
    shard = hose.kinesis.list_shards(StreamName="source")["Shards"][0]
    middle = (
        int(shard["HashKeyRange"]["StartingHashKey"]) + int(shard["HashKeyRange"]["EndingHashKey"])
    ) // 2
    hose.kinesis.split_shard(
        StreamName="source", ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle)
    )
    hose.put_to_source(*({"n": n} for n in range(20)))
    assert sorted(each["n"] for each in hose.documents()) == list(range(20))


def test_a_role_that_loses_its_right_to_read_is_asked_again_later(hose: Hose) -> None:
    role = hose.role_arn = hose.cloud.role(ON_BUCKET, ON_OBJECTS, READS, name="fickle", trust=TRUST)
    hose.create(NDJSON, direct=False)
    own = hose.cloud.client("iam").get_role_policy(RoleName="fickle", PolicyName="own")["PolicyDocument"]
    less = {**own, "Statement": own["Statement"][:2]}
    change = hose.cloud.client("iam").put_role_policy
    change(RoleName=role.rpartition("/")[2], PolicyName="own", PolicyDocument=json.dumps(less))
    hose.put_to_source({"n": 1})
    hose.later()
    assert hose.keys() == []

    change(RoleName=role.rpartition("/")[2], PolicyName="own", PolicyDocument=json.dumps(own))

    assert hose.documents() == [{"n": 1}]


def test_a_put_that_cannot_be_kept_is_not_acknowledged(hose: Hose, monkeypatch: pytest.MonkeyPatch) -> None:
    hose.create()

    def full(*_: object) -> None:
        raise FactsNotKeptError("/data: no space left on the disk")

    monkeypatch.setattr(hose.facts, "put_many", full)
    with pytest.raises(ClientError, match="no space left"):
        hose.api.put_record(DeliveryStreamName="out", Record={"Data": b"x"})
