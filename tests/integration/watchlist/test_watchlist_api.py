"""HTTP events of API Gateway through the door of watchlist_api."""

import base64
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.builders import a_lambda_context
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
        "COLLECTION_ID": "sightline-people",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_watchlist_tables(client)
        yield client


@pytest.fixture
def send(
    dynamodb: Any, rekognition: FakeRekognition, event: Callable[[str], dict[str, Any]]
) -> Iterator[Send]:
    """send("read_person", body={...}, rawPath=...) → status, body"""
    del dynamodb
    handler = importlib.import_module("functions.watchlist_api.handler")
    handler.enrolment.cache_clear()
    rekognition.attach(handler.enrolment().collection.client)

    def send_event(name: str, *, body: object = None, **changes: Any) -> Answer:
        sent = event(f"watchlist_api/{name}") | changes
        if body is not None:
            sent["body"] = json.dumps(body)
        if "rawPath" in changes:
            sent["requestContext"]["http"]["path"] = changes["rawPath"]
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
    assert again == (200, face)
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
