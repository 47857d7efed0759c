"""Kinesis events through the door of consume_face_records."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.builders import SEQUENCE, a_face_record, a_kinesis_event, a_match

Event = Callable[[str], dict[str, Any]]
Consume = Callable[[dict[str, Any]], list[str]]
ADA = a_match("ada", face_id="ed1b560f-d6af-5158-989a-ff586c931545")


def test_the_documented_record_becomes_an_alert(aws: Any, consume: Consume, event: Event) -> None:
    assert consume(event("consume_face_records/documented_record")) == []

    (envelope,) = aws.alerts()
    alert = json.loads(envelope["Message"])
    assert envelope["Subject"] == "Ada Lovelace (Watchlist) seen at Gate 3, 06:56:35"
    assert alert["person"] == {"id": "ada", "name": "Ada Lovelace"}
    assert alert["seen_at"] == "2017-11-13T05:56:35.193Z"
    assert alert["similarity"] == 88.86396
    assert alert["evidence"]["fragment_number"] == "91343852333289682796718532614445757584843717598"
    assert envelope["MessageAttributes"] == {
        "site": {"Type": "String", "Value": "Harbour"},
        "device_id": {"Type": "String", "Value": "gate-3"},
        "watchlist_id": {"Type": "String", "Value": "default"},
        "severity": {"Type": "String", "Value": "high"},
        "similarity": {"Type": "Number", "Value": "88.86396"},
    }
    (row,) = aws.rows()
    assert (row["key"], row["person_id"], row["visit_id"]) == ("gate-3", "ada", alert["visit_id"])
    assert aws.visit()["alert_state"] == {"S": "sent"}


@pytest.mark.parametrize("case", ["empty_frames", "unmatched_face"])
def test_frames_without_a_match_leave_nothing_behind(
    aws: Any, consume: Consume, event: Event, case: str
) -> None:
    assert consume(event(f"consume_face_records/{case}")) == []

    assert (aws.alerts(), aws.rows(), aws.parked()) == ([], [], {})


@pytest.mark.parametrize("case", ["known_face", "numbers_of_java"])
def test_a_known_face_alerts_once_however_often_it_is_delivered(
    aws: Any, consume: Consume, event: Event, case: str
) -> None:
    for _ in range(2):
        assert consume(event(f"consume_face_records/{case}")) == []

    assert len(aws.alerts()) == 1
    assert len(aws.rows()) == 1


def test_two_people_in_a_frame_are_two_alerts(aws: Any, consume: Consume, event: Event) -> None:
    assert consume(event("consume_face_records/two_people")) == []

    assert {json.loads(each["Message"])["person"]["id"] for each in aws.alerts()} == {"ada", "grace"}


def test_the_one_of_ten_that_is_no_json_is_parked_and_stops_nobody(
    aws: Any, consume: Consume, event: Event
) -> None:
    assert consume(event("consume_face_records/one_of_ten_is_no_json")) == []

    assert len(aws.alerts()) == 1
    assert len(aws.rows()) == 9
    ((key, parked),) = aws.parked().items()
    assert key == f"parked/sightline-faces-gate-3/{SEQUENCE}005.json"
    assert base64.b64decode(parked["payload"]) == b"\x00\xffthis is no JSON"
    assert parked["reason"].startswith("not a face record: ")


def test_while_the_topic_is_gone_the_batch_comes_again_and_then_alerts(aws: Any, consume: Consume) -> None:
    event = a_kinesis_event(a_face_record(0), a_face_record(1, [ADA]), b"?", a_face_record(2, [ADA]))
    aws.sns.delete_topic(TopicArn=aws.topic_arn)

    refused = [consume(event) for _ in range(3)]
    pending = aws.visit()["alert_state"]
    aws.sns.create_topic(Name="alerts")
    queue_arn = "arn:aws:sqs:us-east-1:123456789012:inbox"
    aws.sns.subscribe(TopicArn=aws.topic_arn, Protocol="sqs", Endpoint=queue_arn)
    repaired = consume(event)

    assert refused == [[f"{SEQUENCE}002"]] * 3
    assert pending == {"S": "pending"}
    assert repaired == []
    assert len(aws.alerts()) == 1
    assert len(aws.parked()) == 1


def test_an_event_without_records_is_nothing(consume: Consume) -> None:
    assert consume({"Records": []}) == []


def test_metrics_are_counted_and_nobody_is_named_in_the_logs(
    consume: Consume, event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    consume(event("consume_face_records/one_of_ten_is_no_json"))

    written = capsys.readouterr().out
    counted = next(json.loads(line) for line in written.splitlines() if '"_aws"' in line)
    assert {name: counted[name] for name in ("FaceRecords", "Sightings", "AlertsSent", "RecordsParked")} == {
        "FaceRecords": [10],
        "Sightings": [9],
        "AlertsSent": [1],
        "RecordsParked": [1],
    }
    assert counted["UnknownFaces"] == [0]
    for secret in ("Ada", "Lovelace", "ed1b560f"):
        assert secret not in written


def clients_of(function: ModuleType) -> list[Any]:
    consumer = function.consumer()
    adapters = [consumer.roster.roster, consumer.visitors.sink, consumer.stream, consumer.parked]
    return [adapter.client for adapter in adapters]


def test_a_hundred_frames_of_one_person_in_ten_batches_cost_fourteen_calls(
    aws: Any, consume: Consume, function: ModuleType
) -> None:
    calls = Counter[str]()
    for client in clients_of(function):
        client.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))

    for batch in range(10):
        frames = [a_face_record(batch + n / 10, [ADA]) for n in range(10)]
        assert consume(a_kinesis_event(*frames, first=batch * 10 + 1)) == []

    assert calls == {"PutRecords": 10, "BatchGetItem": 1, "TransactWriteItems": 2, "Publish": 1}
    assert len(aws.rows()) == 100
    assert len(aws.alerts()) == 1
