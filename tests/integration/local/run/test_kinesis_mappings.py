"""Event source mappings from Kinesis: a tiny handler that notes what it is given."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

READ_STREAMS = {
    "Effect": "Allow",
    "Action": [
        "kinesis:DescribeStream",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
    ],
    "Resource": "arn:aws:kinesis:us-east-1:123456789012:stream/faces*",
}
PARK = {
    "Effect": "Allow",
    "Action": ["s3:PutObject", "s3:ListBucket", "sqs:SendMessage"],
    "Resource": [
        "arn:aws:s3:::parked",
        "arn:aws:s3:::parked/*",
        "arn:aws:sqs:us-east-1:123456789012:dead",
    ],
}
HANDLER = """
import base64, json
def handle(event, context):
    records = [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
    with open("seen", "a") as file: file.write(json.dumps(records) + "\\n")
    bad = [i for i, data in enumerate(records) if data.startswith("poison")]
    if bad and records[bad[0]] == "poison-throw": raise ValueError("poison")
    number = lambda i: event["Records"][i]["kinesis"]["sequenceNumber"]
    return {"batchItemFailures": [{"itemIdentifier": number(i)} for i in bad]}
"""
PARTIAL: dict[str, Any] = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


@pytest.fixture
def faces(cloud: Any) -> Any:
    """A stream, and a function that may read it."""
    cloud.client("kinesis").create_stream(StreamName="faces", ShardCount=1)
    cloud.client("s3").create_bucket(Bucket="parked")
    cloud.client("sqs").create_queue(QueueName="dead")
    cloud.function("consume", HANDLER, READ_STREAMS, PARK)
    return cloud


def put(cloud: Any, *data: str, stream: str = "faces") -> None:
    records = [{"Data": each.encode(), "PartitionKey": each} for each in data]
    cloud.client("kinesis").put_records(StreamName=stream, Records=records)


def create(cloud: Any, stream: str = "faces", **settings: Any) -> str:
    given = {"StartingPosition": "TRIM_HORIZON", "FunctionName": "consume", **settings}
    created = cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=cloud.arn("kinesis", f"stream/{stream}"), **given
    )
    uuid: str = created["UUID"]
    return uuid


def batches(cloud: Any) -> list[list[str]]:
    path = cloud.folder / "consume" / "seen"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def seen(cloud: Any) -> list[str]:
    return [data for batch in batches(cloud) for data in batch]


def parked(cloud: Any) -> list[dict[str, Any]]:
    s3 = cloud.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="parked").get("Contents", [])]
    return [json.loads(s3.get_object(Bucket="parked", Key=key)["Body"].read()) for key in keys]


def to_bucket() -> dict[str, Any]:
    return {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::parked"}}}


def result(cloud: Any, uuid: str) -> str:
    got = cloud.client("lambda").get_event_source_mapping(UUID=uuid)
    text: str = got["LastProcessingResult"]
    return text


def test_what_was_put_before_and_after_is_delivered_in_order(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, "a", "b")
    create(faces)
    until(lambda: len(seen(faces)) == 2)

    put(faces, "c")

    until(lambda: len(seen(faces)) == 3)
    assert seen(faces) == ["a", "b", "c"]


def test_a_put_wakes_the_mapping_at_once(faces: Any, until: Callable[..., Any]) -> None:
    create(faces)
    put(faces, "warm up")
    until(lambda: seen(faces))
    time.sleep(0.1)

    began = time.monotonic()
    put(faces, "now")
    until(lambda: len(seen(faces)) == 2)

    assert time.monotonic() - began < 0.7


def test_a_batch_has_batch_size_records_at_the_most(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, *"abcdefg")
    create(faces, BatchSize=3)

    until(lambda: len(seen(faces)) == 7)
    assert batches(faces) == [["a", "b", "c"], ["d", "e", "f"], ["g"]]


def test_a_batching_window_gathers_records(faces: Any, until: Callable[..., Any]) -> None:
    create(faces, MaximumBatchingWindowInSeconds=1)

    for data in "abc":
        put(faces, data)

    until(lambda: seen(faces))
    assert batches(faces) == [["a", "b", "c"]]


def test_latest_begins_with_what_comes_next(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, "old")
    create(faces, StartingPosition="LATEST")
    put(faces, "new")

    until(lambda: seen(faces))
    assert seen(faces) == ["new"]


def test_a_moment_begins_with_what_came_after_it(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, "old")
    time.sleep(0.05)
    moment = time.time()
    time.sleep(0.05)
    put(faces, "new")

    create(faces, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=moment)

    until(lambda: seen(faces))
    assert seen(faces) == ["new"]


def test_only_the_poison_record_is_parked_and_the_others_arrive_once(
    faces: Any, until: Callable[..., Any]
) -> None:
    put(faces, "a", "b", "poison", "c", "d")
    create(faces, BisectBatchOnFunctionError=True, MaximumRetryAttempts=1, **PARTIAL, **to_bucket())

    until(lambda: parked(faces))
    until(lambda: seen(faces)[-2:] == ["c", "d"])
    [document] = parked(faces)
    records = json.loads(document["payload"])["Records"]
    assert [base64.b64decode(record["kinesis"]["data"]) for record in records] == [b"poison"]
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["KinesisBatchInfo"]["batchSize"] == 1
    firsts = [batch[0] for batch in batches(faces)]
    assert firsts.count("a") == 1


def test_an_exception_fails_the_whole_batch(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, "a", "poison-throw", "b")
    create(faces, MaximumRetryAttempts=1, **to_bucket())

    until(lambda: parked(faces))
    [document] = parked(faces)
    assert document["KinesisBatchInfo"]["batchSize"] == 3
    assert document["responseContext"]["functionError"] == "Unhandled"
    assert document["requestContext"]["approximateInvokeCount"] == 2
    assert batches(faces) == [["a", "poison-throw", "b"]] * 2


def test_a_queue_gets_where_the_records_are(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, "poison-throw")
    destination = {"OnFailure": {"Destination": faces.arn("sqs", "dead")}}
    create(faces, MaximumRetryAttempts=0, DestinationConfig=destination)
    sqs = faces.client("sqs")
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]

    [message] = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))

    body = json.loads(message["Body"])
    batch = body["KinesisBatchInfo"]
    assert batch["startSequenceNumber"] == batch["endSequenceNumber"]
    assert "payload" not in body


def test_an_answer_that_reports_nothing_is_success_without_partial_responses(
    faces: Any, until: Callable[..., Any]
) -> None:
    put(faces, "poison", "a")
    uuid = create(faces)

    until(lambda: result(faces, uuid) == "OK")
    assert batches(faces) == [["poison", "a"]]


def test_without_limits_a_failing_record_holds_its_shard(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, "poison-throw")
    uuid = create(faces)
    until(lambda: len(batches(faces)) >= 3)

    put(faces, "behind it")

    time.sleep(0.3)
    assert "behind it" not in seen(faces)
    assert result(faces, uuid) == "PROBLEM: Function call failed"


def test_a_shard_that_is_stuck_holds_up_no_other(cloud: Any, until: Callable[..., Any]) -> None:
    cloud.client("kinesis").create_stream(StreamName="faces", ShardCount=2)
    cloud.function("consume", HANDLER, READ_STREAMS)
    kinesis = cloud.client("kinesis")

    def put_into(shard: int, data: str) -> None:
        half = str(shard * 2**127)
        kinesis.put_record(StreamName="faces", Data=data.encode(), PartitionKey="k", ExplicitHashKey=half)

    put_into(0, "poison-throw")
    create(cloud)
    until(lambda: "poison-throw" in seen(cloud))
    put_into(1, "free")

    until(lambda: "free" in seen(cloud))


def test_a_mapping_that_is_deleted_reads_no_more(faces: Any, until: Callable[..., Any]) -> None:
    uuid = create(faces)
    put(faces, "a")
    until(lambda: seen(faces))
    client = faces.client("lambda")

    assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"

    put(faces, "b")
    time.sleep(0.3)
    assert seen(faces) == ["a"]
    assert client.list_event_source_mappings(FunctionName="consume")["EventSourceMappings"] == []
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_event_source_mapping(UUID=uuid)


def test_deleting_ends_a_delivery_that_keeps_failing(faces: Any, until: Callable[..., Any]) -> None:
    put(faces, "poison-throw")
    uuid = create(faces)
    until(lambda: len(batches(faces)) >= 2)

    faces.client("lambda").delete_event_source_mapping(UUID=uuid)

    time.sleep(0.2)
    before = len(batches(faces))
    time.sleep(1)
    assert len(batches(faces)) == before


def test_a_stream_that_goes_is_a_problem_and_no_crash(faces: Any, until: Callable[..., Any]) -> None:
    uuid = create(faces)
    put(faces, "a")
    until(lambda: seen(faces))

    faces.client("kinesis").delete_stream(StreamName="faces")

    until(lambda: result(faces, uuid).startswith("PROBLEM: Stream"))
    assert faces.client("lambda").delete_event_source_mapping(UUID=uuid)


def test_a_mapping_that_is_disabled_goes_on_where_it_was(faces: Any, until: Callable[..., Any]) -> None:
    uuid = create(faces)
    put(faces, "a")
    until(lambda: result(faces, uuid) == "OK")
    client = faces.client("lambda")

    client.update_event_source_mapping(UUID=uuid, Enabled=False)
    put(faces, "b")
    time.sleep(0.3)
    assert seen(faces) == ["a"]
    assert client.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    client.update_event_source_mapping(UUID=uuid, Enabled=True)

    until(lambda: len(seen(faces)) == 2)
    assert seen(faces) == ["a", "b"]


def test_a_mapping_is_described_with_all_its_settings(faces: Any) -> None:
    uuid = create(faces, BatchSize=7, MaximumRecordAgeInSeconds=60, **PARTIAL, **to_bucket())

    got = faces.client("lambda").get_event_source_mapping(UUID=uuid)

    assert got["State"] == "Enabled"
    assert (got["BatchSize"], got["MaximumRecordAgeInSeconds"], got["MaximumRetryAttempts"]) == (7, 60, -1)
    assert got["FunctionArn"] == faces.arn("lambda", "function:consume")
    assert got["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert got["DestinationConfig"]["OnFailure"]["Destination"] == "arn:aws:s3:::parked"


def test_the_same_mapping_twice_is_a_conflict(faces: Any) -> None:
    uuid = create(faces)

    with pytest.raises(ClientError, match=f"ResourceConflictException.*{uuid}"):
        create(faces)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"BatchSize": 10_001}, "ValidationException"),
        ({"MaximumRetryAttempts": 10_001}, "ValidationException"),
        ({"FunctionName": "nobody"}, "ResourceNotFoundException.*Function not found"),
        ({"stream": "faces-nowhere"}, "InvalidParameterValueException.*not found"),
        ({"stream": "other"}, "InvalidParameterValueException.*Cannot access stream"),
        ({"StartingPosition": "AT_TIMESTAMP"}, "InvalidParameterValueException"),
        ({"ParallelizationFactor": 11}, "ValidationException"),
        ({"TumblingWindowInSeconds": 5}, "does not emulate TumblingWindowInSeconds"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "plain"}]}}, "Invalid filter pattern definition"),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, "does not emulate ScalingConfig"),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::elsewhere"}}},
            "s3:ListBucket on resource: arn:aws:s3:::elsewhere",
        ),
    ],
    ids=str,
)
def test_a_mapping_that_cannot_be_is_refused(faces: Any, settings: dict[str, Any], message: str) -> None:
    faces.client("kinesis").create_stream(StreamName="other", ShardCount=1)

    with pytest.raises(ClientError, match=message):
        create(faces, **settings)
    assert faces.client("lambda").list_event_source_mappings()["EventSourceMappings"] == []


def test_a_role_that_loses_its_permission_reads_no_more(faces: Any, until: Callable[..., Any]) -> None:
    uuid = create(faces)
    put(faces, "a")
    until(lambda: seen(faces))

    faces.client("iam").delete_role_policy(RoleName="consume-role", PolicyName="own")
    put(faces, "b")

    until(lambda: "kinesis:GetRecords" in result(faces, uuid))
    assert seen(faces) == ["a"]


MAP_ONLY_CONSUME = {
    "Effect": "Allow",
    "Action": ["lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping"],
    "Resource": "*",
    "Condition": {
        "ArnEquals": {"lambda:FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:consume"}
    },
}


def test_a_policy_may_name_the_one_function_that_is_mapped(faces: Any) -> None:
    faces.function("other", HANDLER, READ_STREAMS)
    client = faces.client("lambda", faces.session(MAP_ONLY_CONSUME))
    stream = {"EventSourceArn": faces.arn("kinesis", "stream/faces"), "StartingPosition": "LATEST"}
    others = create(faces, FunctionName="other")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        client.create_event_source_mapping(FunctionName="other", **stream)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        client.delete_event_source_mapping(UUID=others)
    mine = client.create_event_source_mapping(FunctionName="consume", **stream)
    assert client.delete_event_source_mapping(UUID=mine["UUID"])
