"""Kinesis Data Streams as Java speaks to them: SubscribeToShard, HTTP/2, CBOR."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import cbor2
import pytest
from botocore.eventstream import EventStreamBuffer

from sightline_local.runtime import Runtime
from tests.fakes.http2 import Http2Client

API = "https://docs.aws.amazon.com/kinesis/latest/APIReference"
GUIDE = "https://docs.aws.amazon.com/streams/latest/dev"
EVENT_STREAM = "https://smithy.io/2.0/aws/amazon-eventstream.html"
JAVA = "https://github.com/aws/aws-sdk-java-v2/blob/master/core/protocols/aws-cbor-protocol"
SHARD = "shardId-000000000000"
CBOR = "application/x-amz-cbor-1.1"

Client = Callable[[str], Any]
Refusal = Callable[..., Any]
Subscribe = Callable[..., Any]


@pytest.fixture(scope="module")
def kinesis(client: Client) -> Any:
    return client("kinesis")


@pytest.fixture(scope="module")
def new_name() -> Callable[[], str]:
    numbers = count()
    return lambda: f"stream-{next(numbers)}"


@pytest.fixture
def stream(kinesis: Any, new_name: Callable[[], str]) -> str:
    """The name of a new stream with one shard."""
    name = new_name()
    kinesis.create_stream(StreamName=name, ShardCount=1)
    return name


@pytest.fixture
def consumer(kinesis: Any, stream: str) -> str:
    """Its ARN."""
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    registered = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName="reader")
    return str(registered["Consumer"]["ConsumerARN"])


@pytest.fixture
def java(runtime: Runtime) -> Callable[..., Any]:
    """`java(operation, request)`: as the Java SDK asks, by HTTP/2 and in CBOR; status, headers, body."""

    def ask(
        operation: str, request: dict[str, Any], key: str = "local", **more: str
    ) -> tuple[str, dict[str, str], Any]:
        with Http2Client(urlsplit(runtime.aws_url).port or 0) as client:
            signed = f"AWS4-HMAC-SHA256 Credential={key}/20261122/us-east-1/kinesis/aws4_request, Signature=0"
            head = {"x_amz_target": f"Kinesis_20131202.{operation}", "content_type": CBOR, **more}
            body = cbor2.dumps(request)
            stream = client.ask("/", method="POST", body=body, authorization=signed, **head)
            answer = client.answer(stream)
        assert answer.is_whole
        return answer.headers[":status"], answer.headers, bytes(answer.body)

    return ask


@pytest.fixture
def subscribe() -> Iterator[Subscribe]:
    """`subscribe(kinesis, consumer, position)`: the events of the stream's first shard."""
    opened = []

    def make(kinesis: Any, consumer: str, kind: str = "TRIM_HORIZON", **more: Any) -> Iterator[Any]:
        start = {"Type": kind, **more}
        answer = kinesis.subscribe_to_shard(ConsumerARN=consumer, ShardId=SHARD, StartingPosition=start)
        opened.append(answer["EventStream"])
        return (event["SubscribeToShardEvent"] for event in answer["EventStream"])

    yield make
    for each in opened:
        each.close()


def plain(body: bytes) -> Any:
    """A time as the number in its tag."""
    return cbor2.loads(body, semantic_decoders={1: lambda value, _immutable: value})


def put(kinesis: Any, stream: str, *texts: str) -> None:
    entries = [{"Data": text.encode(), "PartitionKey": "k"} for text in texts]
    kinesis.put_records(StreamName=stream, Records=entries)


def texts(event: dict[str, Any]) -> list[str]:
    return [record["Data"].decode() for record in event["Records"]]


# -------------------------------------------------------------------------------------------- subscriptions


@pytest.mark.source(f"{API}/API_SubscribeToShard.html")
def test_records_are_pushed_to_a_subscriber_as_they_come(
    subscribe: Subscribe, kinesis: Any, stream: str, consumer: str
) -> None:
    put(kinesis, stream, "a", "b")
    events = subscribe(kinesis, consumer)

    before = next(events)
    put(kinesis, stream, "c")

    assert (texts(before), texts(next(events))) == (["a", "b"], ["c"])
    assert before["MillisBehindLatest"] == 0


@pytest.mark.source(f"{API}/API_StartingPosition.html")
def test_a_subscription_begins_where_it_is_told(
    subscribe: Subscribe, kinesis: Any, stream: str, new_name: Callable[[], str]
) -> None:
    put(kinesis, stream, "a", "b")
    arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
    first = kinesis.get_records(
        ShardIterator=kinesis.get_shard_iterator(
            StreamName=stream, ShardId=SHARD, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
    )["Records"][0]

    def begins(kind: str, **position: Any) -> list[str]:
        made = kinesis.register_stream_consumer(StreamARN=arn, ConsumerName=new_name())["Consumer"]
        return texts(next(subscribe(kinesis, made["ConsumerARN"], kind, **position)))

    assert begins("AT_SEQUENCE_NUMBER", SequenceNumber=first["SequenceNumber"]) == ["a", "b"]
    assert begins("AFTER_SEQUENCE_NUMBER", SequenceNumber=first["SequenceNumber"]) == ["b"]
    assert begins("AT_TIMESTAMP", Timestamp=first["ApproximateArrivalTimestamp"]) == ["a", "b"]
    assert begins("LATEST") == []


@pytest.mark.source(f"{API}/API_SubscribeToShardEvent.html")
def test_the_last_event_of_a_split_shard_names_its_children(
    subscribe: Subscribe, kinesis: Any, stream: str, consumer: str
) -> None:
    put(kinesis, stream, "a")
    kinesis.split_shard(StreamName=stream, ShardToSplit=SHARD, NewStartingHashKey=str(2**127))

    *_, last = subscribe(kinesis, consumer)

    assert texts(last) == ["a"]
    assert [child["ShardId"][-1] for child in last["ChildShards"]] == ["1", "2"]


@pytest.mark.source(f"{API}/API_SubscribeToShard.html")
def test_a_second_subscription_within_five_seconds_is_refused(
    subscribe: Subscribe, kinesis: Any, consumer: str, refusal: Refusal
) -> None:
    subscribe(kinesis, consumer)

    error = refusal(lambda: subscribe(kinesis, consumer))

    assert error.response["Error"]["Code"] == "ResourceInUseException"


@pytest.mark.source(f"{API}/API_SubscribeToShard.html")
def test_only_a_registered_consumer_may_subscribe(
    subscribe: Subscribe, kinesis: Any, consumer: str, refusal: Refusal
) -> None:
    kinesis.deregister_stream_consumer(ConsumerARN=consumer)

    error = refusal(lambda: subscribe(kinesis, consumer))

    assert error.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.source(f"{GUIDE}/controlling-access.html")
def test_a_role_subscribes_with_the_right_to_the_consumer_not_with_that_to_the_stream(
    subscribe: Subscribe,
    kinesis: Any,
    consumer: str,
    client_with: Callable[..., Client],
    refusal: Refusal,
) -> None:
    stream_arn, _, _ = consumer.partition("/consumer")
    put(kinesis, stream_arn.rpartition("/")[2], "a")
    given = {"Effect": "Allow", "Action": "kinesis:SubscribeToShard"}
    on_stream = client_with({**given, "Resource": stream_arn})("kinesis")
    on_consumer = client_with({**given, "Resource": consumer})("kinesis")

    error = refusal(lambda: subscribe(on_stream, consumer))

    assert error.response["Error"]["Code"] == "AccessDeniedException"
    assert texts(next(subscribe(on_consumer, consumer))) == ["a"]


# -------------------------------------------------------------------------------------------- HTTP/2 and CBOR


@pytest.mark.source(JAVA)
def test_records_go_in_and_out_in_cbor_by_http_2(kinesis: Any, stream: str, java: Callable[..., Any]) -> None:
    entries = [{"Data": b"\x00\xff", "PartitionKey": "ü"}]
    _, _, placed = java("PutRecords", {"StreamName": stream, "Records": entries})
    begin = {"StreamName": stream, "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
    _, _, iterator = java("GetShardIterator", begin)

    status, headers, got = java("GetRecords", plain(iterator))

    (record,) = plain(got)["Records"]
    assert (status, headers["content-type"]) == ("200", CBOR)
    assert (record["Data"], record["PartitionKey"]) == (b"\x00\xff", "ü")
    assert record["SequenceNumber"] == plain(placed)["Records"][0]["SequenceNumber"]
    arrived = kinesis.get_records(ShardIterator=plain(iterator)["ShardIterator"])["Records"][0]
    assert record["ApproximateArrivalTimestamp"] == round(
        arrived["ApproximateArrivalTimestamp"].timestamp() * 1000
    )


@pytest.mark.source(JAVA)
def test_a_time_in_a_cbor_request_is_in_milliseconds(
    kinesis: Any, stream: str, java: Callable[..., Any]
) -> None:
    put(kinesis, stream, "a")
    created = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
    moment = cbor2.CBORTag(1, round(created["StreamCreationTimestamp"].timestamp() * 1000))

    _, _, body = java(
        "ListShards", {"StreamName": stream, "ShardFilter": {"Type": "AT_TIMESTAMP", "Timestamp": moment}}
    )

    assert [shard["ShardId"] for shard in plain(body)["Shards"]] == [SHARD]


@pytest.mark.source(JAVA)
@pytest.mark.parametrize(
    ("key", "code"),
    [("local", "ResourceNotFoundException"), ("nobody", "UnrecognizedClientException")],
)
def test_an_error_is_in_cbor_too(java: Callable[..., Any], key: str, code: str) -> None:
    status, headers, body = java("DescribeStream", {"StreamName": "none"}, key)

    assert (status, headers["content-type"], plain(body)["__type"]) == ("400", CBOR, code)


@pytest.mark.source(JAVA)
def test_a_role_without_the_right_is_denied_in_cbor_too(
    stream: str, client: Client, role_with: Callable[..., str], java: Callable[..., Any]
) -> None:
    lent = client("sts").assume_role(RoleArn=role_with(), RoleSessionName="java")["Credentials"]

    status, _, body = java(
        "DescribeStream",
        {"StreamName": stream},
        lent["AccessKeyId"],
        x_amz_security_token=lent["SessionToken"],
    )

    assert (status, plain(body)["__type"]) == ("400", "AccessDeniedException")


@pytest.mark.source(EVENT_STREAM)
def test_the_events_of_a_cbor_request_are_in_cbor(
    kinesis: Any, stream: str, consumer: str, java: Callable[..., Any]
) -> None:
    put(kinesis, stream, "a")
    kinesis.split_shard(StreamName=stream, ShardToSplit=SHARD, NewStartingHashKey=str(2**127))
    start = {"Type": "TRIM_HORIZON"}

    _, headers, body = java(
        "SubscribeToShard", {"ConsumerARN": consumer, "ShardId": SHARD, "StartingPosition": start}
    )

    buffer = EventStreamBuffer()
    buffer.add_data(body)
    first, event = buffer
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert first.headers[":event-type"] == "initial-response"  # type: ignore[index]
    assert plain(event.payload)["Records"][0]["Data"] == b"a"


@pytest.mark.source(f"{API}/API_PutRecord.html#API_PutRecord_RequestSyntax")
def test_a_dry_run_puts_nothing(
    subscribe: Subscribe, kinesis: Any, stream: str, consumer: str, refusal: Refusal
) -> None:
    error = refusal(kinesis.put_record, StreamName=stream, Data=b"x", PartitionKey="k", DryRun=True)

    assert error.response["Error"]["Code"] == "DryRunOperationException"
    assert texts(next(subscribe(kinesis, consumer))) == []
