"""Writing face records: in order, until each one is there."""

import json
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from sightline_local.cloud.rekognition.face_stream import FaceStream
from sightline_local.cloud.rekognition.role_session import ProcessorFailedError

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/faces-gate"
OK: dict[str, Any] = {"SequenceNumber": "1"}
BUSY = {"ErrorCode": "ProvisionedThroughputExceededException"}


class FakeKinesis:
    """Answers one put after the other as told, and keeps what it was sent."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.puts: list[list[int]] = []

    def client(self, _service: str) -> "FakeKinesis":
        return self

    def put_records(self, *, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert StreamName == "faces-gate"
        self.puts.append([json.loads(record["Data"])["n"] for record in Records])
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Records": answer}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "PutRecords")


def write(kinesis: FakeKinesis, count: int) -> None:
    role: Any = kinesis
    face_stream = FaceStream(role, ARN, partition_key="gate", stopping=Event(), retry_seconds=0.001)
    face_stream.put([{"n": n} for n in range(count)])


def test_only_the_records_that_failed_are_written_again() -> None:
    kinesis = FakeKinesis([OK, BUSY, OK, BUSY], [OK, OK])

    write(kinesis, 4)

    assert kinesis.puts == [[0, 1, 2, 3], [1, 3]]


@pytest.mark.parametrize(
    "outage", [refusal("LimitExceededException"), EndpointConnectionError(endpoint_url="http://x")]
)
def test_an_outage_is_waited_out(outage: Exception) -> None:
    kinesis = FakeKinesis(outage, [OK])

    write(kinesis, 1)

    assert kinesis.puts == [[0], [0]]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", "Access denied to Kinesis Data"),
        ("ResourceNotFoundException", "Stream faces-gate under account 123456789012 not found"),
    ],
)
def test_what_does_not_go_away_by_waiting_fails_the_processor(code: str, message: str) -> None:
    with pytest.raises(ProcessorFailedError, match=message):
        write(FakeKinesis(refusal(code)), 1)


def checked(kinesis: FakeKinesis) -> None:
    role: Any = kinesis
    FaceStream(role, ARN, partition_key="gate", stopping=Event()).check()


def test_the_check_is_an_empty_put_whose_emptiness_is_refused_last() -> None:
    kinesis = FakeKinesis(refusal("ValidationException"))

    checked(kinesis)

    assert kinesis.puts == [[]]


def test_a_denial_or_a_missing_stream_is_found_before_the_first_record() -> None:
    with pytest.raises(ProcessorFailedError, match="Access denied to Kinesis Data"):
        checked(FakeKinesis(refusal("AccessDeniedException")))
    with pytest.raises(ProcessorFailedError, match="Stream faces-gate under account 123456789012 not found"):
        checked(FakeKinesis(refusal("ResourceNotFoundException")))
