"""HTTP events of API Gateway through the door of watchlist_api."""

import base64
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sightline.watchlist.dynamo import DynamoCatalogues
from sightline.watchlist.model import MAX_WATCHLISTS, Catalogue, Watchlist
from tests.builders import a_lambda_context, an_http_event
from tests.fakes.rekognition import FakeRekognition
from tests.fakes.tables import create_watchlist_tables

Answer = tuple[int, dict[str, Any]]
Send = Callable[..., Answer]
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + (640).to_bytes(4) + (480).to_bytes(4) + b"\x08\x02\x00\x00\x00"
)


@pytest.fixture
def rekognition() -> FakeRekognition:
    return FakeRekognition()


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "PEOPLE_TABLE": "people",
        "FACES_TABLE": "faces",
        "WATCHLISTS_TABLE": "watchlists",
        "COLLECTION_ID": "sightline-people",
        "PHOTOS_BUCKET": "photos",
        "KEEP_PHOTOS": "true",
        "MIN_FACE_PX": "50",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_watchlist_tables(client)
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="photos")
        yield client


@pytest.fixture
def send(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    dynamodb: Any,
    rekognition: FakeRekognition,
    event: Callable[[str], dict[str, Any]],
) -> Iterator[Send]:
    """send("read_person", body={...}, rawPath=...) → status, body"""
    del dynamodb
    handler = importlib.import_module("functions.watchlist_api.handler")
    handler.enrolment.cache_clear()
    monkeypatch.setenv("KEEP_PHOTOS", getattr(request, "param", "true"))
    rekognition.attach(handler.enrolment().collection.client)

    def send_event(name: str, *, body: object = None, **changes: Any) -> Answer:
        sent = an_http_event(event(f"watchlist_api/{name}"), body=body, **changes)
        response = handler.lambda_handler(sent, a_lambda_context("watchlist_api"))
        if response["statusCode"] >= 400:
            assert response["headers"]["Content-Type"] == "application/problem+json"
        return response["statusCode"], json.loads(response["body"] or "{}")

    yield send_event
    handler.enrolment.cache_clear()


def an_image(content: bytes = PNG) -> dict[str, str]:
    return {"image": base64.b64encode(content).decode()}


def test_a_person_is_created_and_read_back(send: Send) -> None:
    created = send("add_person")
    repeated = send("add_person", body={"name": "Another name", "person_id": "ada"})
    read = send("read_person")

    assert created[0] == 201
    assert created[1]["name"] == "Ada Lovelace"
    assert created[1]["face_count"] == 0
    assert repeated == (200, created[1])
    assert read == (200, created[1])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Ada\nLovelace"}, "name"),
        ({"name": "Ada", "person_id": "Ada Lovelace"}, "person_id"),
        ({"name": "Ada", "watchlists": []}, "watchlists"),
    ],
)
def test_a_wrong_person_is_refused_with_the_field(send: Send, body: dict[str, Any], field: str) -> None:
    status, problem = send("add_person", body=body)

    assert status == 400
    assert [error["field"] for error in problem["errors"]] == [field]
    assert send("read_person")[0] == 404


def test_people_are_listed_a_page_at_a_time(send: Send) -> None:
    for n in range(3):
        send("add_person", body={"name": f"Person {n}", "person_id": f"p-{n}"})

    _, first = send("list_people")
    _, second = send("list_people", queryStringParameters={"limit": "2", "cursor": first["next_cursor"]})

    assert sorted(person["person_id"] for person in first["items"] + second["items"]) == ["p-0", "p-1", "p-2"]
    assert second["next_cursor"] is None


def test_a_face_is_enrolled_listed_and_removed(send: Send, rekognition: FakeRekognition) -> None:
    send("add_person")

    status, face = send("enrol_face")
    again = send("enrol_face")
    listed = send("list_faces")
    removed = send("remove_face", rawPath=f"/people/ada/faces/{face['face_id']}")
    gone = send("remove_face", rawPath=f"/people/ada/faces/{face['face_id']}")

    assert (status, face["person_id"], face["watchlist_ids"]) == (201, "ada", ["default"])
    assert face.pop("warnings") == []
    assert again == (200, face | {"warnings": []})
    assert listed == (200, {"items": [face], "next_cursor": None})
    assert (removed[0], gone[0]) == (204, 404)
    assert rekognition.collection == {}
    assert send("list_faces")[1]["items"] == []


def test_a_person_goes_with_his_faces(send: Send, dynamodb: Any, rekognition: FakeRekognition) -> None:
    send("add_person")
    send("enrol_face")
    send("enrol_face", body=an_image(PNG + b"another"))

    removed = send("remove_person")
    repeated = send("remove_person")

    assert (removed[0], repeated[0]) == (204, 404)
    assert rekognition.collection == {}
    for table in ("people", "faces"):
        assert dynamodb.scan(TableName=table)["Items"] == []


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"image": "%%%"}, 400, "The image is not base64."),
        (an_image(b"hello"), 400, "The image is not a JPEG or PNG picture."),
        (an_image(PNG + b"broken"), 400, "The image is not a JPEG or PNG picture that can be read."),
        (an_image(PNG + b"nobody"), 400, "No face is in the photo"),
        (an_image(PNG + b"couple"), 400, "Two faces are in the photo: crop it to one."),
        (an_image(PNG + bytes(5 * 2**20)), 413, "The photo has 5.0 MB; 5 MB is the most."),
    ],
)
def test_a_photo_that_will_not_do_is_refused_in_plain_words(
    send: Send, rekognition: FakeRekognition, body: dict[str, str], status: int, detail: str
) -> None:
    send("add_person")
    rekognition.faces_in = {PNG + b"nobody": 0, PNG + b"couple": 2}
    rekognition.not_pictures = {PNG + b"broken"}

    answer = send("enrol_face", body=body)

    assert answer[0] == status
    assert answer[1]["detail"].startswith(detail)
    assert rekognition.collection == {}
    assert send("list_faces")[1]["items"] == []


def test_a_blurred_photo_is_refused_with_the_reason(send: Send, rekognition: FakeRekognition) -> None:
    send("add_person")
    rekognition.unindexed = ["LOW_SHARPNESS"]

    status, problem = send("enrol_face")

    assert (status, problem["detail"]) == (
        400,
        "The face cannot be enrolled: the photo is not sharp enough.",
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ThrottlingException", 503),
        ("ProvisionedThroughputExceededException", 503),
        ("ImageTooLargeException", 413),
        ("InvalidParameterException", 400),
    ],
)
def test_what_rekognition_answers_becomes_a_problem(
    send: Send, rekognition: FakeRekognition, error: str, status: int
) -> None:
    send("add_person")
    rekognition.error = error

    assert send("enrol_face")[0] == status


def test_a_face_of_nobody_is_not_found(send: Send) -> None:
    assert send("enrol_face")[0] == 404
    assert send("list_faces")[0] == 404
    assert send("remove_person")[0] == 404


def photo_keys() -> list[str]:
    found = boto3.client("s3", region_name="us-east-1").list_objects_v2(Bucket="photos")
    return [each["Key"] for each in found.get("Contents", ())]


def upload(content: bytes, *, person_id: str = "ada", photo_id: str = "photo-0123456789abcdef") -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.put_object(Bucket="photos", Key=f"uploads/{person_id}/{photo_id}", Body=content)


def test_a_watchlist_is_created_read_changed_and_removed(send: Send) -> None:
    created = send("add_watchlist")
    repeated = send("add_watchlist")
    changed = send("change_watchlist")
    read = send("read_watchlist")
    listed = send("list_watchlists")
    removed = [send("remove_watchlist")[0] for _ in range(2)]

    assert created[0] == 201
    assert (created[1]["watchlist_id"], created[1]["expires_at"]) == (
        "shoplifting",
        "2026-12-31T23:00:00.000Z",
    )
    assert repeated == (200, created[1])
    assert changed == (200, created[1] | {"severity": "low", "expires_at": None})
    assert read == changed
    assert [each["watchlist_id"] for each in listed[1]["items"]] == ["default", "shoplifting"]
    assert removed == [204, 404]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"name": "Banned"}, "reason", "is required for a block list"),
        (
            {"name": "Guests", "kind": "guests"},
            "kind",
            "should be 'block', 'vip', 'staff', 'missing' or 'other'",
        ),
        ({"name": "Guests", "kind": "vip", "severity": "urgent"}, "severity", "should be 'low'"),
        (
            {"name": "Guests", "kind": "vip", "similarity_threshold": 0.9},
            "similarity_threshold",
            "0.9 would mean 90",
        ),
        ({"name": "Guests", "kind": "vip", "expires_at": "2026-12-31"}, "expires_at", "UTC offset"),
        ({"name": "Guests", "kind": "vip", "watchlist_id": "The Guests"}, "watchlist_id", "lower-case"),
        ({"name": "Guests", "kind": "vip", "threshold": 90}, "threshold", "is not a field"),
        ({"kind": "vip"}, "name", "is required"),
    ],
)
def test_a_wrong_watchlist_is_refused_with_the_field(
    send: Send, body: dict[str, Any], field: str, message: str
) -> None:
    status, problem = send("add_watchlist", body=body)

    assert status == 400
    assert [error["field"] for error in problem["errors"]] == [field]
    assert message in problem["errors"][0]["message"]


def test_a_list_cannot_become_a_block_list_without_a_reason(send: Send) -> None:
    send("add_watchlist", body={"watchlist_id": "shoplifting", "name": "Guests", "kind": "vip"})

    refused = send("change_watchlist", body={"kind": "block"})
    accepted = send("change_watchlist", body={"kind": "block", "reason": "Banned"})

    assert (refused[0], accepted[0]) == (400, 200)


def test_the_two_hundred_and_first_watchlist_is_refused(send: Send, dynamodb: Any) -> None:
    lists = {f"list-{n}": Watchlist(f"list-{n}", "L", kind="vip") for n in range(MAX_WATCHLISTS)}
    DynamoCatalogues(dynamodb, "watchlists").save(Catalogue(lists, 1))

    status, problem = send("add_watchlist")

    assert send("list_watchlists")[1]["next_cursor"] is not None
    assert status == 409
    assert problem["detail"] == "There are 200 watchlists, which is the most; remove one first."


def test_a_list_with_people_is_removed_only_when_they_are_taken_off(send: Send, dynamodb: Any) -> None:
    send("add_watchlist")
    send("add_person")
    send("enrol_face")
    send("change_person")

    refused = send("remove_watchlist")
    built_in = send("remove_watchlist", rawPath="/watchlists/default")
    wrong = send("remove_watchlist_with_people", queryStringParameters={"detach": "yes"})
    removed = send("remove_watchlist_with_people")

    assert (refused[0], refused[1]["detail"]) == (
        409,
        "1 person is on this list; ?detach=true takes them off it.",
    )
    assert (built_in[0], wrong[0], removed[0]) == (409, 400, 204)
    assert send("read_person")[1]["watchlist_ids"] == ["default"]
    assert dynamodb.scan(TableName="faces")["Items"][0]["watchlist_ids"] == {"L": [{"S": "default"}]}


def test_a_person_is_changed_and_so_are_the_faces_that_the_consumer_reads(send: Send, dynamodb: Any) -> None:
    send("add_watchlist")
    send("add_person")
    send("enrol_face")

    status, person = send("change_person")
    (face,) = dynamodb.scan(TableName="faces")["Items"]
    send("change_person", body={"muted_until": None, "similarity_threshold": None})
    (unmuted,) = dynamodb.scan(TableName="faces")["Items"]

    assert (status, person) == (
        200,
        send("read_person")[1] | {"muted_until": "2026-12-24T18:00:00.000Z", "similarity_threshold": 97.0},
    )
    assert face["watchlist_ids"] == {"L": [{"S": "shoplifting"}, {"S": "default"}]}
    assert face["expires_at"] == {"S": "2026-12-31T23:59:59.000Z"}
    assert face["muted_until"] == {"S": "2026-12-24T18:00:00.000Z"}
    assert face["similarity_threshold"] == {"N": "97.0"}
    assert "notes" not in face
    assert "muted_until" not in unmuted
    assert "similarity_threshold" not in unmuted


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"watchlist_ids": ["nowhere"]}, "watchlist_ids"),
        ({"watchlist_ids": ["default", "default"]}, "watchlist_ids"),
        ({"watchlist_ids": None}, "watchlist_ids"),
        ({"name": None}, "name"),
        ({"similarity_threshold": 0.9}, "similarity_threshold"),
        ({"muted_until": "tomorrow"}, "muted_until"),
        ({"person_id": "grace"}, "person_id"),
    ],
)
def test_a_wrong_change_of_a_person_changes_nothing(send: Send, body: dict[str, Any], field: str) -> None:
    _, before = send("add_person")

    status, problem = send("change_person", body=body)

    assert (status, [error["field"] for error in problem["errors"]]) == (400, [field])
    assert send("read_person")[1] == before


def test_a_person_of_an_unknown_list_is_not_created(send: Send) -> None:
    status, problem = send(
        "add_person", body={"name": "Ada", "person_id": "ada", "watchlist_ids": ["nowhere"]}
    )

    assert (status, problem["errors"][0]["message"]) == (400, "there is no watchlist nowhere")
    assert send("read_person")[0] == 404


def test_a_large_photo_goes_through_an_upload(send: Send, rekognition: FakeRekognition) -> None:
    send("add_person")
    status, begun = send("begin_upload")
    upload(PNG + bytes(6 * 2**20))

    enrolled = send("enrol_upload")
    again = send("enrol_upload")

    assert status == 201
    assert begun["photo_id"].startswith("photo-")
    assert f"/uploads/ada/{begun['photo_id']}?X-Amz-Algorithm=AWS4-HMAC-SHA256" in begun["upload_url"]
    assert enrolled[0] == 201
    assert again == (200, enrolled[1])
    assert list(rekognition.collection) == [enrolled[1]["face_id"]]
    assert photo_keys() == [f"photos/ada/{enrolled[1]['face_id']}.png"]


@pytest.mark.parametrize(
    ("content", "status", "detail"),
    [
        (b"", 400, "The image is not a JPEG or PNG picture."),
        (b"hello", 400, "The image is not a JPEG or PNG picture."),
        (PNG + bytes(15 * 2**20), 413, "The photo has 15.0 MB; 15 MB is the most."),
        (None, 404, "There is no such photo: PUT it to its upload_url first."),
    ],
)
def test_an_upload_that_will_not_do_is_refused(
    send: Send, content: bytes | None, status: int, detail: str
) -> None:
    send("add_person")
    if content is not None:
        upload(content)

    answer = send("enrol_upload")

    assert (answer[0], answer[1]["detail"]) == (status, detail)


@pytest.mark.parametrize("body", [{}, {"image": "AAAA", "photo_id": "photo-1"}, {"photo_id": "../grace"}])
def test_a_face_comes_from_either_a_photo_or_an_upload(send: Send, body: dict[str, str]) -> None:
    send("add_person")

    assert send("enrol_face", body=body)[0] == 400


def test_the_photo_goes_with_its_face_and_everything_goes_with_the_person(send: Send) -> None:
    send("add_person")
    _, first = send("enrol_face")
    _, second = send("enrol_face", body=an_image(PNG + b"another"))
    upload(PNG)
    kept = photo_keys()

    send("remove_face", rawPath=f"/people/ada/faces/{first['face_id']}")
    left = photo_keys()
    send("remove_person")

    assert set(kept) >= {f"photos/ada/{face['face_id']}.png" for face in (first, second)}
    assert left == [f"photos/ada/{second['face_id']}.png", "uploads/ada/photo-0123456789abcdef"]
    assert photo_keys() == []


@pytest.mark.parametrize("send", ["false"], indirect=True)
def test_no_photo_is_kept_when_the_stack_says_so(send: Send) -> None:
    send("add_person")

    assert send("enrol_face")[0] == 201

    assert photo_keys() == []


def test_a_face_like_somebody_elses_is_enrolled_with_a_warning(
    send: Send, rekognition: FakeRekognition
) -> None:
    send("add_person", body={"name": "Grace Hopper", "person_id": "grace"})
    send("add_person")
    rekognition.resembling = {"ada": 99.0, "grace": 93.14, "removed": 91.0}

    status, face = send("enrol_face")

    assert status == 201
    assert face["warnings"] == [
        {
            "person_id": "grace",
            "similarity": 93.1,
            "detail": "The face resembles Grace Hopper (93.1 %): the same person?",
        }
    ]
