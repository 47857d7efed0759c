"""Lambda transformation: the record contract, retries, and every way to answer wrongly."""

import io
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest

from sightline_local.cloud.firehose.processors import Transform
from sightline_local.cloud.firehose.records import DIRECT, Record
from sightline_local.cloud.firehose.transform import Transformed, Transformer
from tests.fakes.aws_clients import client_error

ARN = "arn:aws:firehose:us-east-1:123456789012:deliverystream/out"
SOURCE = "arn:aws:kinesis:us-east-1:123456789012:stream/source"
Answer = Callable[[list[dict[str, Any]]], Any]


class FakeLambda:
    """Answers each invocation by the next answer, or by the last one again."""

    def __init__(self, *answers: Answer | Exception | bytes) -> None:
        self.answers = list(answers)
        self.events: list[dict[str, Any]] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  boto3's names
        assert FunctionName == "arn:aws:lambda:us-east-1:123456789012:function:change"
        self.events.append(json.loads(Payload))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, bytes):
            return {"Payload": io.BytesIO(answer), "FunctionError": "Unhandled"}
        return {"Payload": io.BytesIO(json.dumps(answer(self.events[-1]["records"])).encode())}


def records(count: int = 2, size: int = 1) -> list[Record]:
    return [Record(DIRECT, n, b"x" * size, 1790000000.5) for n in range(1, count + 1)]


def run(fake: FakeLambda, given: list[Record], *, retries: int = 0, source: str | None = None) -> Transformed:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:change:$LATEST"
    transformer = Transformer(Transform(arn, retries), ARN, source, lambda: fake)
    return transformer(given, lambda _seconds: False)


def answering(**changes: Any) -> Answer:
    """Every record Ok and unchanged, but for the changes."""

    def answer(entries: list[dict[str, Any]]) -> Any:
        same = {"result": "Ok", "data": b64encode(b"new").decode()}
        return {"records": [{"recordId": each["recordId"], **same, **changes} for each in entries]}

    return answer


def test_the_function_gets_records_with_ids_and_arrival_and_its_answer_takes_their_place() -> None:
    fake = FakeLambda(answering(metadata={"partitionKeys": {"site": "north"}}))

    result = run(fake, records())

    assert [record.data for record in result.ok] == [b"new", b"new"]
    assert result.ok[0].keys == {"site": "north"}
    event = fake.events[0]
    assert (event["deliveryStreamArn"], event["region"]) == (ARN, "us-east-1")
    assert "sourceKinesisStreamArn" not in event
    entry = event["records"][0]
    assert b64decode(entry["data"]) == b"x"
    assert entry["approximateArrivalTimestamp"] == 1790000000500
    assert len({each["recordId"] for each in event["records"]}) == 2


def test_a_record_of_a_data_stream_says_where_it_comes_from() -> None:
    fake = FakeLambda(answering())
    run(fake, [Record("shardId-000000000000", 7, b"x", 1790000000.5, "gate-3")], source=SOURCE)
    assert fake.events[0]["sourceKinesisStreamArn"] == SOURCE
    assert fake.events[0]["records"][0]["kinesisRecordMetadata"] == {
        "sequenceNumber": "7",
        "subsequenceNumber": 0,
        "partitionKey": "gate-3",
        "shardId": "shardId-000000000000",
        "approximateArrivalTimestamp": 1790000000500,
    }


def test_dropped_and_failed_records_keep_their_data() -> None:
    assert [r.data for r in run(FakeLambda(answering(result="Dropped")), records()).dropped] == [b"x", b"x"]
    failed = run(FakeLambda(answering(result="ProcessingFailed")), records()).failed
    assert {(each.record.data, each.code) for each in failed} == {(b"x", "Lambda.ProcessingFailedStatus")}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda entries: {"records": entries[:1]}, "Lambda.MissingRecordId"),
        (lambda entries: {"records": [entries[0], entries[0]]}, "Lambda.DuplicatedRecordId"),
        (lambda _entries: {"lines": []}, "Lambda.JsonProcessingException"),
        (lambda _entries: None, "Lambda.JsonProcessingException"),
        (lambda _entries: {"records": [1]}, "Lambda.JsonProcessingException"),
        (answering(result="Fine"), "Lambda.JsonProcessingException"),
        (answering(data="*"), "Lambda.JsonProcessingException"),
        (answering(data=None), "Lambda.JsonProcessingException"),
        (answering(metadata=[]), "Lambda.JsonProcessingException"),
        (b'{"errorMessage": "no"}', "Lambda.FunctionError"),
        (b'{"errorMessage": "2026 Task timed out after 3.00 seconds"}', "Lambda.FunctionTimedOut"),
        (client_error("lambda", "Invoke", "AccessDeniedException"), "Lambda.InvokeAccessDenied"),
        (client_error("lambda", "Invoke", "ResourceNotFoundException"), "Lambda.ResourceNotFound"),
        (client_error("lambda", "Invoke", "TooManyRequestsException"), "Lambda.InvokeLimitExceeded"),
    ],
)
def test_a_wrong_answer_fails_the_whole_batch_with_aws_s_code(answer: Any, code: str) -> None:
    result = run(FakeLambda(answer), records())
    assert [failure.code for failure in result.failed] == [code, code]
    assert result.ok == result.dropped == []


def test_an_invocation_is_tried_again_as_often_as_the_stream_says() -> None:
    assert len(run(FakeLambda(b"{}", b"{}", answering()), records(), retries=2).ok) == 2
    failed = run(FakeLambda(b"{}"), records(), retries=2).failed
    assert {failure.attempts for failure in failed} == {3}


@pytest.mark.parametrize(("count", "size"), [(3, 700_000), (30_000, 10)])
def test_a_batch_keeps_to_the_buffer_size_and_to_what_lambda_takes(count: int, size: int) -> None:
    fake = FakeLambda(answering())
    result = run(fake, records(count, size))
    assert (len(result.ok), len(fake.events)) == (count, 3)
    assert max(len(json.dumps(event)) for event in fake.events) < 6_000_000
