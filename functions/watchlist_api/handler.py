"""HTTP requests → people and faces of the watchlist."""

from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from sightline.aws import client
from sightline.clock import utc_now
from sightline.paging import PageRequest, read_page_request
from sightline.problems import Answer, answer, answer_errors_as_problems, read_body
from sightline.settings import Settings
from sightline.watchlist.dynamo import DynamoFaces, DynamoPeople
from sightline.watchlist.model import Face, Person
from sightline.watchlist.photo import read_photo
from sightline.watchlist.rekognition import RekognitionCollection
from sightline.watchlist.request import AddPersonRequest, EnrolFaceRequest
from sightline.watchlist.service import Enrolment

logger = Logger()
app = APIGatewayHttpResolver()
answer_errors_as_problems(app)


class WatchlistApiSettings(Settings):
    """The function's environment."""

    people_table: str
    faces_table: str
    collection_id: str


@cache
def enrolment() -> Enrolment:
    """The only place that knows concrete classes."""
    settings = WatchlistApiSettings.from_env()
    dynamodb = client("dynamodb")
    return Enrolment(
        people=DynamoPeople(dynamodb, settings.people_table),
        faces=DynamoFaces(dynamodb, settings.faces_table),
        collection=RekognitionCollection(client("rekognition"), settings.collection_id),
        clock=utc_now,
        new_person_id=lambda: f"person-{uuid4().hex[:16]}",
    )


@app.post("/people")
def add_person() -> Answer:
    request = read_body(app.current_event, AddPersonRequest)
    person, is_new = enrolment().add_person(request.name, request.person_id)
    return answer(_created_or_ok(is_new), person.to_json())


@app.get("/people")
def list_people() -> Answer:
    return answer(HTTPStatus.OK, enrolment().people_page(_page_request()).to_json(Person.to_json))


@app.get("/people/<person_id>")
def read_person(person_id: str) -> Answer:
    return answer(HTTPStatus.OK, enrolment().person(person_id).to_json())


@app.delete("/people/<person_id>")
def remove_person(person_id: str) -> Answer:
    enrolment().remove_person(person_id)
    logger.info("person removed")
    return Response(HTTPStatus.NO_CONTENT)


@app.post("/people/<person_id>/faces")
def enrol_face(person_id: str) -> Answer:
    photo = read_photo(read_body(app.current_event, EnrolFaceRequest).image)
    face, is_new = enrolment().enrol_face(person_id, photo)
    logger.info("face enrolled", is_new=is_new, photo_bytes=len(photo.content))
    return answer(_created_or_ok(is_new), face.to_json())


@app.get("/people/<person_id>/faces")
def list_faces(person_id: str) -> Answer:
    return answer(HTTPStatus.OK, enrolment().faces_page(person_id, _page_request()).to_json(Face.to_json))


@app.delete("/people/<person_id>/faces/<face_id>")
def remove_face(person_id: str, face_id: str) -> Answer:
    enrolment().remove_face(person_id, face_id)
    logger.info("face removed")
    return Response(HTTPStatus.NO_CONTENT)


def _created_or_ok(is_new: bool) -> HTTPStatus:
    return HTTPStatus.CREATED if is_new else HTTPStatus.OK


def _page_request() -> PageRequest:
    query = app.current_event.query_string_parameters
    return read_page_request(query.get("limit"), query.get("cursor"))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
