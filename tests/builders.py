"""Valid domain objects: a test overrides what matters to it."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sightline.clock import to_iso
from sightline.devices.model import Action, Desired, Device, Location, State, Vote
from sightline.review.model import AlertRecord
from sightline.sightings.model import Box, DetectedFace, DeviceFacts, Frame, Match, Sighting
from sightline.watchlist.model import Face, Person

VIDEO_STREAM_ARN = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/sightline-gate-3/1795348800000"
FACE_STREAM_ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/sightline-faces-gate-3"


def a_device(**changes: Any) -> Device:
    """A device that runs, as its owner wants it to."""
    at = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    device = Device(
        device_id="gate-3",
        name="Gate 3",
        site="Harbour",
        location=Location(latitude=53.54, longitude=9.98),
        time_zone="Europe/Berlin",
        engine="stream-processor",
        similarity_threshold=92.5,
        retention_hours=48,
        desired=Desired.RUNNING,
        state=State.RUNNING,
        state_reason=None,
        video_stream_arn=VIDEO_STREAM_ARN,
        face_stream_arn=FACE_STREAM_ARN,
        created_at=at,
        updated_at=at,
        action=Action.START,
        generation=1795348800000,
        requested_at=at,
        vote=Vote(1, 1),
    )
    return replace(device, **changes)


def a_stopped_device(**changes: Any) -> Device:
    return a_device(**{"desired": Desired.STOPPED, "state": State.STOPPED, "action": Action.STOP, **changes})


def a_lambda_context(
    function_name: str, region: str = "us-east-1", account: str = "123456789012"
) -> SimpleNamespace:
    """What Lambda passes beside the event."""
    return SimpleNamespace(
        function_name=function_name,
        memory_limit_in_mb=512,
        invoked_function_arn=f"arn:aws:lambda:{region}:{account}:function:{function_name}",
        aws_request_id="c6af9ac6-7b61-4e6e-9a41-93e8deadbeef",
    )


def an_http_event(sample: dict[str, Any], *, body: object = None, **changes: Any) -> dict[str, Any]:
    """A sample event of API Gateway with another body, and other fields; its path stands in two places."""
    sent = sample | changes
    if body is not None:
        sent["body"] = json.dumps(body)
    if "rawPath" in changes:
        sent["requestContext"]["http"]["path"] = changes["rawPath"]
    return sent


SEEN_AT = datetime(2026, 11, 22, 13, 2, 7, tzinfo=UTC)
SEQUENCE = "49590338271490256608559692538361571095921575989136588"


def a_person(**changes: Any) -> Person:
    return replace(Person("ada", "Ada Lovelace", datetime(2026, 11, 1, tzinfo=UTC)), **changes)


def a_face(person_id: str = "ada", *, face_id: str | None = None, name: str | None = None) -> Face:
    """An enrolled face; without a face id the person's first."""
    return Face(
        face_id or f"face-of-{person_id}",
        person_id,
        name or {"ada": "Ada Lovelace", "grace": "Grace Hopper"}.get(person_id, person_id.title()),
        ("default",),
        datetime(2026, 11, 1, tzinfo=UTC),
    )


def device_facts(**changes: Any) -> DeviceFacts:
    """What a sighting knows of `a_device()`."""
    location = Location(latitude=53.54, longitude=9.98)
    facts = DeviceFacts(
        "gate-3", "Gate 3", "Harbour", location, "Europe/Berlin", "stream-processor", 92.5, vote=Vote(1, 1)
    )
    return replace(facts, **changes)


def a_sighting(
    at_seconds: float = 0.0,
    *,
    person: Face | None = None,
    device: DeviceFacts | None = None,
    similarity_percent: float = 99.0,
    number: str = "",
) -> Sighting:
    """Seen so many seconds after SEEN_AT; `number` tells apart sightings of one moment."""
    enrolled, place = person or a_face(), device or device_facts()
    frame = Frame(VIDEO_STREAM_ARN, f"9134{int(at_seconds * 1000)}{number}", 0.0, SEEN_AT, SEEN_AT)
    match = Match(similarity_percent, enrolled.face_id, enrolled.person_id)
    face = DetectedFace(0, Box(0.4, 0.4, 0.1, 0.2), 99.9, None, None, None, (match,))
    sighting_id = f"si-{place.device_id}-{enrolled.person_id}-{at_seconds}{number}"
    moment = SEEN_AT + timedelta(seconds=at_seconds)
    return Sighting(sighting_id, moment, place, enrolled, match, face, frame)


def a_match(
    person_id: str = "ada", *, similarity: float = 99.0, face_id: str | None = None
) -> dict[str, Any]:
    """One of the MatchedFaces of a face record."""
    face = {
        "BoundingBox": {"Height": 0.55, "Width": 0.74, "Left": 0.1, "Top": 0.2},
        "FaceId": face_id or f"face-of-{person_id}",
        "Confidence": 99.99,
        "ImageId": "70e09693-2114-57e1-807c-50b6d61fa4dc",
        "ExternalImageId": person_id,
    }
    return {"Similarity": similarity, "Face": face}


def a_face_record(
    at_seconds: float = 0.0,
    *faces: list[dict[str, Any]],
    video_stream_arn: str = VIDEO_STREAM_ARN,
    **more: Any,
) -> bytes:
    """A face record of the moment SEEN_AT + seconds; each of `faces` is the MatchedFaces of one face."""
    whole = int(at_seconds // 2) * 2
    found = [
        {
            "DetectedFace": {
                "BoundingBox": {"Height": 0.075, "Width": 0.05625, "Left": 0.42, "Top": 0.4},
                "Confidence": 99.975174,
                "Landmarks": [{"X": 0.44, "Y": 0.43, "Type": "eyeLeft"}],
                "Pose": {"Pitch": 2.9, "Roll": -6.8, "Yaw": 23.8},
                "Quality": {"Brightness": 40.5, "Sharpness": 96.0},
            },
            "MatchedFaces": matches,
        }
        for matches in faces
    ]
    video = {
        "StreamArn": video_stream_arn,
        "FragmentNumber": f"9134385233228968279671853261444575{whole:013d}",
        "ServerTimestamp": SEEN_AT.timestamp() + whole + 0.25,
        "ProducerTimestamp": SEEN_AT.timestamp() + whole,
        "FrameOffsetInSeconds": round(at_seconds - whole, 3),
    }
    record = {
        "InputInformation": {"KinesisVideo": video},
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": found,
    }
    return json.dumps({**record, **more}).encode()


def a_kinesis_event(
    *payloads: bytes, face_stream_arn: str = FACE_STREAM_ARN, first: int = 1, shard: int = 0
) -> dict[str, Any]:
    """What Lambda hands to the consumer: the payloads with consecutive sequence numbers."""
    shard_id = f"shardId-{shard:012d}"
    numbers = [f"{SEQUENCE}{number:03d}" for number in range(first, first + len(payloads))]
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "1",
                    "sequenceNumber": number,
                    "data": base64.b64encode(payload).decode(),
                    "approximateArrivalTimestamp": SEEN_AT.timestamp() + 0.5,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{shard_id}:{number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/sightline-ConsumeFaceRecordsRole",
                "awsRegion": "us-east-1",
                "eventSourceARN": face_stream_arn,
            }
            for number, payload in zip(numbers, payloads, strict=True)
        ]
    }


def an_alert_record(number: int = 1, **changes: Any) -> AlertRecord:
    """A sent alert about Ada at gate-3; each number is a minute later."""
    seen_at = SEEN_AT + timedelta(minutes=number)
    record = AlertRecord(
        alert_id=f"al-{number:032x}",
        state="sent",
        seen_at=seen_at,
        raised_at=seen_at + timedelta(seconds=1),
        sent_at=seen_at + timedelta(seconds=1.2),
        device_id="gate-3",
        person_id="ada",
        watchlist_id="default",
        severity="high",
        body={},
    )
    record = replace(record, **changes)
    body = {
        "alert_id": record.alert_id,
        "person": {"id": record.person_id, "name": "Ada Lovelace"},
        "device": {"id": record.device_id, "name": "Gate 3", "site": "Harbour", "location": None},
        "watchlist": {"id": record.watchlist_id, "name": "Watchlist", "severity": record.severity},
        "similarity": 99.5,
        "seen_at": to_iso(record.seen_at),
    }
    return replace(record, body=record.body or body)


def an_alert_item(record: AlertRecord) -> dict[str, Any]:
    """The item of AlertsTable, as the consumer writes it."""
    texts = {
        "alert_id": record.alert_id,
        "alert_state": record.state,
        "raised_at": to_iso(record.raised_at),
        "sent_at": record.sent_at and to_iso(record.sent_at),
        "seen_at": to_iso(record.seen_at),
        "day": to_iso(record.seen_at)[:10],
        "device_id": record.device_id,
        "person_id": record.person_id,
        "watchlist_id": record.watchlist_id,
        "severity": record.severity,
        "body": json.dumps(record.body),
    }
    return {name: {"S": text} for name, text in texts.items() if text is not None}


def a_sighting_row(
    at_seconds: float = 0.0, *, person_id: str | None = "ada", device_id: str = "gate-3", **changes: Any
) -> dict[str, Any]:
    """A row of the sightings stream, so many seconds after SEEN_AT."""
    row = a_sighting(at_seconds).to_row(visit_id="vi-1", recorded_at=SEEN_AT + timedelta(seconds=at_seconds))
    sighting_id = f"si-{device_id}-{person_id}-{at_seconds}"
    return row | {"sighting_id": sighting_id, "person_id": person_id, "device_id": device_id} | changes
