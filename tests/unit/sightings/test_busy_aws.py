"""The consumer's adapters when AWS takes only part of a request, or none."""

from typing import Any

import pytest

from sightline.errors import UnavailableError
from sightline.sightings.dynamo import PAUSES_SECONDS, DynamoRoster
from sightline.sightings.kinesis import KinesisSightingStream
from sightline.sightings.model import Row
from tests.fakes.aws_clients import FakeAws

ROWS = [Row(f"si-{n}", "gate-3", b"{}") for n in range(3)]
TAKEN = {"SequenceNumber": "1", "ShardId": "shardId-0"}
BUSY = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
FACE = {
    "face_id": {"S": "f-1"},
    "person_id": {"S": "ada"},
    "person_name": {"S": "Ada"},
    "watchlist_ids": {"L": [{"S": "default"}]},
    "enrolled_at": {"S": "2026-11-01T00:00:00.000Z"},
}


def test_only_the_rows_that_were_not_taken_go_again() -> None:
    aws = FakeAws()
    pauses: list[float] = []
    aws.answers["kinesis", "PutRecords"] = [
        {"FailedRecordCount": 1, "Records": [TAKEN, BUSY, TAKEN]},
        {"FailedRecordCount": 0, "Records": [TAKEN]},
    ]
    stream = KinesisSightingStream(aws.client("kinesis"), "sightings", pause=pauses.append)

    refused = stream.put(ROWS)

    assert refused == frozenset()
    assert [len(parameters["Records"]) for _, _, parameters in aws.calls] == [3, 1]
    assert pauses == [0.1]


def test_rows_that_are_never_taken_are_named() -> None:
    aws = FakeAws()
    aws.answers["kinesis", "PutRecords"] = lambda parameters: {
        "Records": [BUSY if record["PartitionKey"] else TAKEN for record in parameters["Records"]]
    }
    stream = KinesisSightingStream(aws.client("kinesis"), "sightings", pause=lambda _: None)

    assert stream.put(ROWS) == {"si-0", "si-1", "si-2"}
    assert len(aws.calls) == 4


def test_a_stream_that_is_gone_takes_no_row() -> None:
    aws = FakeAws()
    aws.answers["kinesis", "PutRecords"] = "ResourceNotFoundException"
    stream = KinesisSightingStream(aws.client("kinesis"), "sightings", pause=lambda _: None)

    assert stream.put(ROWS) == {"si-0", "si-1", "si-2"}
    assert len(aws.calls) == 1


def test_keys_that_were_left_out_are_asked_for_again() -> None:
    aws = FakeAws()
    pauses: list[float] = []
    left_out = {"faces": {"Keys": [{"face_id": {"S": "f-1"}}], "ConsistentRead": True}}
    aws.answers["dynamodb", "BatchGetItem"] = [
        {"Responses": {"devices": []}, "UnprocessedKeys": left_out},
        {"Responses": {"faces": [FACE]}, "UnprocessedKeys": {}},
    ]
    roster = DynamoRoster(aws.client("dynamodb"), "devices", "faces", pause=pauses.append)

    known = roster.look_up(frozenset({"gate-3"}), frozenset({"f-1"}))

    assert list(known.faces) == ["f-1"]
    assert aws.calls[1][2]["RequestItems"] == left_out
    assert pauses == [PAUSES_SECONDS[0]]


def test_keys_that_are_always_left_out_mean_later() -> None:
    aws = FakeAws()
    aws.answers["dynamodb", "BatchGetItem"] = lambda parameters: {
        "Responses": {},
        "UnprocessedKeys": parameters["RequestItems"],
    }
    roster = DynamoRoster(aws.client("dynamodb"), "devices", "faces", pause=lambda _: None)

    with pytest.raises(UnavailableError, match="throttled"):
        roster.look_up(frozenset({"gate-3"}), frozenset())


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "AccessDeniedException", "ResourceNotFoundException"]
)
def test_a_table_that_refuses_means_later_whatever_it_says(code: str) -> None:
    aws: Any = FakeAws()
    aws.answers["dynamodb", "BatchGetItem"] = code
    roster = DynamoRoster(aws.client("dynamodb"), "devices", "faces", pause=lambda _: None)

    with pytest.raises(UnavailableError, match=f"refused: {code}"):
        roster.look_up(frozenset({"gate-3"}), frozenset())
