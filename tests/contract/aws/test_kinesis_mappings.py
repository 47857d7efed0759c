"""What AWS says about event source mappings from Kinesis streams, and what the runtime does."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline_local.triggers.filters import Filters

GUIDE = "https://docs.aws.amazon.com/lambda/latest/dg/"
WITH_KINESIS = pytest.mark.source(GUIDE + "with-kinesis.html")
PARAMETERS = pytest.mark.source(GUIDE + "services-kinesis-parameters.html")
ERRORS = pytest.mark.source(GUIDE + "kinesis-on-failure-destination.html")
PARTIAL = pytest.mark.source(GUIDE + "services-kinesis-batchfailurereporting.html")
FILTERING = pytest.mark.source(GUIDE + "with-kinesis-filtering.html")
RULES = pytest.mark.source(GUIDE + "invocation-eventfiltering.html")
RESHARDING = pytest.mark.source(
    "https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html"
)

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Parked: {Type: AWS::S3::Bucket}
  Dead: {Type: AWS::SQS::Queue}
  Consumer:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: consumer
      Runtime: python3.13
      Handler: consumer.handle
      CodeUri: code
      Timeout: 5
      Policies:
        - Statement:
            - {Effect: Allow, Action: ["kinesis:*", "s3:*", "sqs:*"], Resource: "*"}
Outputs:
  Parked: {Value: !Ref Parked}
  Dead: {Value: !Ref Dead}
  DeadArn: {Value: !GetAtt Dead.Arn}
"""
# Notes every event under its stream: first when it begins, again with "end" when it is through.
CONSUMER = """
import base64, json, os, time
def note(stream, content):
    with open(os.path.join(os.path.dirname(__file__), stream), "a") as file:
        file.write(json.dumps({"at": time.time(), **content}) + "\\n")
def handle(event, context):
    stream = event["Records"][0]["eventSourceARN"].rpartition("/")[2]
    records = [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]
    data = [record.decode(errors="replace") for record in records]
    note(stream, {"begin": data, "event": event})
    if any("slow" in each for each in data): time.sleep(0.4)
    if "throw" in data: raise ValueError("thrown")
    bad = [i for i, each in enumerate(data) if each.startswith("bad")]
    note(stream, {"end": data})
    number = lambda i: event["Records"][i]["kinesis"]["sequenceNumber"]
    return {"batchItemFailures": [{"itemIdentifier": number(i)} for i in bad]}
"""
REPORTS: dict[str, Any] = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}

Client = Callable[[str], Any]
Until = Callable[..., Any]


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {"code/consumer.py": CONSUMER}


class Flow:
    """A stream of its own for each test, and what the consumer saw of it."""

    def __init__(self, client: Client, name: str, code: Path) -> None:
        self.kinesis, self.mappings = client("kinesis"), client("lambda")
        self.name = name
        self.arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{name}"
        self.uuid = ""
        self._notes = code / name
        self.kinesis.create_stream(StreamName=name, ShardCount=1)

    def put(self, *data: str | bytes, key: str = "k") -> list[str]:
        """Sequence numbers of the records."""
        records = [{"Data": each, "PartitionKey": key} for each in data]
        answers = self.kinesis.put_records(StreamName=self.name, Records=records)["Records"]
        return [answer["SequenceNumber"] for answer in answers]

    def map(self, **settings: Any) -> dict[str, Any]:
        given = {"StartingPosition": "TRIM_HORIZON", **settings}
        made: dict[str, Any] = self.mappings.create_event_source_mapping(
            FunctionName="consumer", EventSourceArn=self.arn, **given
        )
        self.uuid = made["UUID"]
        return made

    def notes(self) -> list[dict[str, Any]]:
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def batches(self) -> list[list[str]]:
        return [note["begin"] for note in self.notes() if "begin" in note]

    def seen(self) -> list[str]:
        return [data for batch in self.batches() for data in batch]

    def shards(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.kinesis.list_shards(StreamName=self.name)["Shards"]
        return found

    def end(self) -> None:
        if self.uuid:
            self.mappings.delete_event_source_mapping(UUID=self.uuid)


@pytest.fixture
def flow(client: Client, runtime: Any, request: pytest.FixtureRequest) -> Iterator[Flow]:
    name = f"flow-{abs(hash(request.node.name))}"
    flow = Flow(client, name, runtime.options.template.parent / "code")
    yield flow
    flow.end()


def to(destination: str) -> dict[str, Any]:
    return {"DestinationConfig": {"OnFailure": {"Destination": destination}}}


def filtered(*patterns: Any) -> dict[str, Any]:
    return {"FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]}}


# -------------------------------------------------------------------------------------------------- events


@WITH_KINESIS
def test_the_event_has_each_record_with_its_place(flow: Flow, until: Until) -> None:
    [number] = flow.put(b"\x00hello", key="part")
    flow.map()

    [note] = until(lambda: [note for note in flow.notes() if "begin" in note])

    [record] = note["event"]["Records"]
    assert record["kinesis"]["kinesisSchemaVersion"] == "1.0"
    assert record["kinesis"]["partitionKey"] == "part"
    assert record["kinesis"]["sequenceNumber"] == number
    assert base64.b64decode(record["kinesis"]["data"]) == b"\x00hello"
    assert abs(record["kinesis"]["approximateArrivalTimestamp"] - time.time()) < 60
    assert record["eventID"] == f"shardId-000000000000:{number}"
    assert (record["eventSource"], record["eventName"]) == ("aws:kinesis", "aws:kinesis:record")
    assert (record["eventVersion"], record["awsRegion"]) == ("1.0", "us-east-1")
    assert record["eventSourceARN"] == flow.arn
    assert ":role/" in record["invokeIdentityArn"]


@PARAMETERS
def test_a_batch_has_as_many_records_as_the_batch_size_says(flow: Flow, until: Until) -> None:
    flow.put(*"abcde")
    flow.map(BatchSize=2)

    until(lambda: len(flow.seen()) == 5)

    assert flow.batches() == [["a", "b"], ["c", "d"], ["e"]]


@PARAMETERS
def test_a_batch_has_a_hundred_records_at_the_most_unless_it_is_said(flow: Flow) -> None:
    made = flow.map(StartingPosition="LATEST")

    assert (made["BatchSize"], made["MaximumBatchingWindowInSeconds"]) == (100, 0)
    assert (made["MaximumRetryAttempts"], made["MaximumRecordAgeInSeconds"]) == (-1, -1)
    assert (made["ParallelizationFactor"], made["BisectBatchOnFunctionError"]) == (1, False)


@PARAMETERS
def test_at_timestamp_begins_with_the_records_from_then_on(flow: Flow, until: Until) -> None:
    flow.put("before")
    time.sleep(0.02)
    moment = time.time()
    flow.put("after")
    flow.map(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=moment)

    until(flow.seen)

    assert flow.seen() == ["after"]


@PARAMETERS
def test_latest_begins_with_new_records(flow: Flow, until: Until) -> None:
    flow.put("before")
    flow.map(StartingPosition="LATEST")
    flow.put("after")

    until(flow.seen)

    assert flow.seen() == ["after"]


# ------------------------------------------------------------------------------------------ parallelization


@PARAMETERS
def test_batches_of_one_shard_run_at_the_same_time_with_a_parallelization_factor(
    flow: Flow, until: Until
) -> None:
    for number in range(8):
        flow.put(f"slow-{number}", key=str(number))
    flow.map(ParallelizationFactor=8, BatchSize=1)

    until(lambda: len([note for note in flow.notes() if "end" in note]) == 8)

    running = highest = 0
    for note in flow.notes():
        running += 1 if "begin" in note else -1
        highest = max(highest, running)
    assert highest >= 2
    assert sorted(flow.seen()) == [f"slow-{number}" for number in range(8)]


@PARAMETERS
def test_records_of_one_partition_key_stay_in_order_with_a_parallelization_factor(
    flow: Flow, until: Until
) -> None:
    for number in range(5):
        for key in "abcdef":
            flow.put(f"{key}{number}", key=key)
    flow.map(ParallelizationFactor=4, BatchSize=2)

    until(lambda: len(flow.seen()) == 30)

    for key in "abcdef":
        assert [data for data in flow.seen() if data[0] == key] == [f"{key}{number}" for number in range(5)]


@PARAMETERS
def test_a_key_that_fails_holds_up_no_other_lane(flow: Flow, until: Until) -> None:
    keys = [str(number) for number in range(16)]
    flow.put("throw", key="0")
    for key in keys:
        flow.put(f"of-{key}", key=key)
    flow.map(ParallelizationFactor=10, BatchSize=1)

    until(lambda: len(set(flow.seen()) - {"throw"}) >= 10)

    assert "of-0" not in flow.seen()


# ------------------------------------------------------------------------------------------------ filtering


@FILTERING
def test_only_records_whose_data_matches_a_filter_reach_the_function(flow: Flow, until: Until) -> None:
    flow.put('{"City": "Seattle"}', '{"City": "Berlin"}', "no json", '{"City": "Seattle", "n": 2}')
    flow.map(**filtered({"data": {"City": ["Seattle"]}}))

    until(lambda: len(flow.seen()) == 2)

    assert flow.seen() == ['{"City": "Seattle"}', '{"City": "Seattle", "n": 2}']


@FILTERING
def test_the_iterator_moves_past_records_that_no_filter_wants(flow: Flow, until: Until) -> None:
    flow.put(*['{"want": false}'] * 30)
    flow.map(BatchSize=2, **filtered({"data": {"want": [True]}}))
    flow.put('{"want": true}')

    until(flow.seen)

    assert flow.batches() == [['{"want": true}']]


@RULES
def test_filters_are_alternatives(flow: Flow, until: Until) -> None:
    flow.put('{"n": 1}', '{"n": 2}', '{"n": 3}')
    flow.map(**filtered({"data": {"n": [1]}}, {"data": {"n": [3]}}))

    until(lambda: len(flow.seen()) == 2)

    assert flow.seen() == ['{"n": 1}', '{"n": 3}']


@RULES
@pytest.mark.parametrize(
    ("rule", "passing", "stopped"),
    [
        ([None], None, "x"),
        ([""], "", "x"),
        (["Alice"], "Alice", "alice"),
        ([{"equals-ignore-case": "Alice"}], "ALICE", "Bob"),
        (["New York", "Boston"], "Boston", "Berlin"),
        ([{"anything-but": ["Berlin"]}], "Boston", "Berlin"),
        ([{"numeric": ["=", 100]}], 100, 101),
        ([{"numeric": [">", 10, "<=", 20]}], 20, 10),
        ([{"prefix": "us-"}], "us-east-1", "eu-west-1"),
        ([{"suffix": ".png"}], "a.png", "a.jpg"),
        ([1], [3, 1], [2]),
        ([300], 300, 300.0),
    ],
)
def test_a_filter_rule_compares_as_the_guide_says(rule: Any, passing: Any, stopped: Any) -> None:
    filters = Filters([json.dumps({"data": {"value": rule}})], "data")

    assert filters.passes(json.dumps({"value": passing}))
    assert not filters.passes(json.dumps({"value": stopped}))


@RULES
def test_exists_looks_at_leaves_only() -> None:
    there = Filters([json.dumps({"data": {"person": {"address": [{"exists": True}]}}})], "data")

    assert there.passes('{"person": {"address": "a"}}')
    assert not there.passes('{"person": {"address": {"street": "s"}}}')
    assert not there.passes('{"person": {}}')


@RULES
def test_a_mapping_has_five_filters_at_the_most(flow: Flow, refusal: Callable[..., Any]) -> None:
    refused = refusal(flow.map, **filtered(*[{"data": {"n": [number]}} for number in range(6)]))

    assert refused.response["Error"]["Code"] == "InvalidParameterValueException"


@FILTERING
@pytest.mark.parametrize("pattern", [{"data": ["text"]}, {"partitionKey": ["k"]}, {"data": {"n": []}}])
def test_a_stream_is_filtered_by_json_in_its_data_only(
    flow: Flow, refusal: Callable[..., Any], pattern: Any
) -> None:
    refused = refusal(flow.map, **filtered(pattern))

    assert refused.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "Invalid filter pattern definition" in str(refused)


# ---------------------------------------------------------------------------------------------- resharding


@RESHARDING
def test_the_children_of_a_split_shard_are_read_after_their_parent(flow: Flow, until: Until) -> None:
    flow.put("slow-1", "slow-2")
    flow.kinesis.split_shard(
        StreamName=flow.name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(2**127)
    )
    until(lambda: len(flow.shards()) == 3)
    flow.put("child")
    flow.map(BatchSize=1)

    until(lambda: "child" in flow.seen())

    assert flow.seen() == ["slow-1", "slow-2", "child"]


@RESHARDING
def test_the_child_of_merged_shards_is_read_after_both(flow: Flow, until: Until) -> None:
    halves = {"ShardToSplit": "shardId-000000000000", "NewStartingHashKey": str(2**127)}
    flow.kinesis.split_shard(StreamName=flow.name, **halves)
    until(lambda: len(flow.shards()) == 3)
    for key in "abcdef":
        flow.put(f"slow-{key}", key=key)
    pair = {"ShardToMerge": "shardId-000000000001", "AdjacentShardToMerge": "shardId-000000000002"}
    flow.kinesis.merge_shards(StreamName=flow.name, **pair)
    until(lambda: len(flow.shards()) == 4)
    flow.put("child")
    flow.map()

    until(lambda: "child" in flow.seen())

    assert flow.seen()[-1] == "child"
    assert sorted(flow.seen()[:-1]) == [f"slow-{key}" for key in "abcdef"]


@RESHARDING
def test_a_mapping_follows_its_stream_through_a_split(flow: Flow, until: Until) -> None:
    flow.map()
    flow.put("before")
    until(flow.seen)
    flow.kinesis.update_shard_count(StreamName=flow.name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")

    flow.put("left", key="a")
    flow.put("right", key="b")

    until(lambda: sorted(flow.seen()) == ["before", "left", "right"])


# --------------------------------------------------------------------------------------------------- errors


@PARTIAL
def test_after_a_partial_failure_the_batch_is_tried_again_from_the_lowest_failed_record(
    flow: Flow, until: Until
) -> None:
    flow.put("a", "bad-1", "b", "bad-2")
    flow.map(MaximumRetryAttempts=1, **REPORTS)

    until(lambda: len(flow.batches()) >= 2)

    assert flow.batches()[:2] == [["a", "bad-1", "b", "bad-2"], ["bad-1", "b", "bad-2"]]


@ERRORS
def test_bisecting_parts_a_failed_batch_in_two_and_uses_up_no_retry(flow: Flow, until: Until) -> None:
    flow.put("a", "throw", "c", "d")
    flow.map(BisectBatchOnFunctionError=True, MaximumRetryAttempts=0)

    until(lambda: flow.seen()[-1:] == ["d"] and len(flow.batches()) >= 5)

    assert flow.batches() == [["a", "throw", "c", "d"], ["a", "throw"], ["a"], ["throw"], ["c", "d"]]


@ERRORS
def test_a_queue_gets_where_the_given_up_records_are(
    flow: Flow, until: Until, client: Client, runtime: Any
) -> None:
    numbers = flow.put("throw", "b")
    flow.map(MaximumRetryAttempts=1, **to(runtime.outputs["DeadArn"]))

    sqs, url = client("sqs"), runtime.outputs["Dead"]
    [message] = until(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    document = json.loads(message["Body"])
    assert document.keys() == {
        *("requestContext", "responseContext", "version", "timestamp", "KinesisBatchInfo")
    }
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert document["requestContext"]["approximateInvokeCount"] == 2
    assert document["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    batch = document["KinesisBatchInfo"]
    assert (batch["shardId"], batch["batchSize"]) == ("shardId-000000000000", 2)
    assert (batch["startSequenceNumber"], batch["endSequenceNumber"]) == (numbers[0], numbers[1])
    assert batch["streamArn"] == flow.arn


@ERRORS
def test_a_bucket_gets_the_whole_event_under_the_documented_key(
    flow: Flow, until: Until, client: Client, runtime: Any
) -> None:
    flow.put("throw")
    flow.map(MaximumRetryAttempts=0, **to(f"arn:aws:s3:::{runtime.outputs['Parked']}"))

    s3, bucket = client("s3"), runtime.outputs["Parked"]
    listed = until(
        lambda: s3.list_objects_v2(Bucket=bucket, Prefix=f"aws/lambda/{flow.uuid}/").get("Contents")
    )

    [key] = [item["Key"] for item in listed]
    assert key.split("/")[:4] == ["aws", "lambda", flow.uuid, "shardId-000000000000"]
    document = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    [record] = json.loads(document["payload"])["Records"]
    assert base64.b64decode(record["kinesis"]["data"]) == b"throw"


@PARAMETERS
def test_a_function_that_keeps_failing_holds_its_shard_without_limits(flow: Flow, until: Until) -> None:
    flow.put("throw")
    flow.map()
    until(lambda: len(flow.batches()) >= 3)

    flow.put("behind")

    assert "behind" not in flow.seen()


@pytest.mark.source("https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html")
def test_tumbling_windows_are_refused_by_name_here(flow: Flow, refusal: Callable[..., Any]) -> None:
    refused = refusal(flow.map, TumblingWindowInSeconds=30)

    assert "TumblingWindowInSeconds" in str(refused)
