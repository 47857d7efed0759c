"""HTTP requests → watchlists, people and their faces."""

from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from sightline.aws import client
from sightline.clock import to_iso, utc_now
from sightline.errors import FieldError, RejectedError
from sightline.paging import PageRequest, read_page_request
from sightline.problems import Answer, answer, answer_errors_as_problems, read_body
from sightline.settings import Settings
from sightline.watchlist.dynamo import DynamoCatalogues, DynamoFaces, DynamoPeople
from sightline.watchlist.lists import Watchlists
from sightline.watchlist.model import Face, Person, Watchlist
from sightline.watchlist.photo import read_photo
from sightline.watchlist.rekognition import RekognitionCollection
from sightline.watchlist.request import (
    AddPersonRequest,
    AddWatchlistRequest,
    ChangePersonRequest,
    ChangeWatchlistRequest,
    EnrolFaceRequest,
)
from sightline.watchlist.s3 import S3Photos, S3Uploads
from sightline.watchlist.service import Enrolled, Enrolment

logger = Logger()
app = APIGatewayHttpResolver()
answer_errors_as_problems(app)


class WatchlistApiSettings(Settings):
    """The function's environment."""

    people_table: str
    faces_table: str
    watchlists_table: str
    collection_id: str
    photos_bucket: str
    keep_photos: bool
    min_face_px: int


@cache
def enrolment() -> Enrolment:
    """The only place that knows concrete classes."""
    settings = WatchlistApiSettings.from_env()
    dynamodb = client("dynamodb")
    # The regional name of the bucket: the global one answers PUTs to a young bucket with a redirect.
    s3 = client("s3", signature_version="s3v4", s3={"addressing_style": "virtual"})
    return Enrolment(
        people=DynamoPeople(dynamodb, settings.people_table),
        faces=DynamoFaces(dynamodb, settings.faces_table),
        collection=RekognitionCollection(
            client("rekognition"), settings.collection_id, settings.photos_bucket
        ),
        photos=S3Photos(s3, settings.photos_bucket, settings.keep_photos),
        uploads=S3Uploads(s3, settings.photos_bucket),
        catalogues=DynamoCatalogues(dynamodb, settings.watchlists_table),
        clock=utc_now,
        new_id=lambda: uuid4().hex[:16],
        min_face_px=settings.min_face_px,
    )


def watchlists() -> Watchlists:
    return Watchlists(enrolment().catalogues, enrolment())


@app.post("/watchlists")
def add_watchlist() -> Answer:
    request = read_body(app.current_event, AddWatchlistRequest)
    watchlist_id = request.watchlist_id or f"list-{uuid4().hex[:16]}"
    watchlist, is_new = watchlists().add(Watchlist(watchlist_id, **request.about("watchlist_id")))
    return answer(_created_or_ok(is_new), watchlist.to_json())


@app.get("/watchlists")
def list_watchlists() -> Answer:
    return answer(HTTPStatus.OK, watchlists().page(_page_request()).to_json(Watchlist.to_json))


@app.get("/watchlists/<watchlist_id>")
def read_watchlist(watchlist_id: str) -> Answer:
    return answer(HTTPStatus.OK, watchlists().get(watchlist_id).to_json())


@app.patch("/watchlists/<watchlist_id>")
def change_watchlist(watchlist_id: str) -> Answer:
    changes = read_body(app.current_event, ChangeWatchlistRequest).about()
    return answer(HTTPStatus.OK, watchlists().change(watchlist_id, changes).to_json())


@app.delete("/watchlists/<watchlist_id>")
def remove_watchlist(watchlist_id: str) -> Answer:
    detach = app.current_event.query_string_parameters.get("detach")
    watchlists().remove(watchlist_id, detach=_is_true("detach", detach))
    logger.info("watchlist removed", watchlist_id=watchlist_id)
    return Response(HTTPStatus.NO_CONTENT)


@app.post("/people")
def add_person() -> Answer:
    request = read_body(app.current_event, AddPersonRequest)
    about = request.about("name", "person_id")
    person, is_new = enrolment().add_person(request.name, request.person_id, **about)
    return answer(_created_or_ok(is_new), person.to_json())


@app.get("/people")
def list_people() -> Answer:
    return answer(HTTPStatus.OK, enrolment().people_page(_page_request()).to_json(Person.to_json))


@app.get("/people/<person_id>")
def read_person(person_id: str) -> Answer:
    return answer(HTTPStatus.OK, enrolment().person(person_id).to_json())


@app.patch("/people/<person_id>")
def change_person(person_id: str) -> Answer:
    changes = read_body(app.current_event, ChangePersonRequest).about()
    return answer(HTTPStatus.OK, enrolment().change_person(person_id, changes).to_json())


@app.delete("/people/<person_id>")
def remove_person(person_id: str) -> Answer:
    enrolment().remove_person(person_id)
    logger.info("person removed")
    return Response(HTTPStatus.NO_CONTENT)


@app.post("/people/<person_id>/photos")
def begin_upload(person_id: str) -> Answer:
    upload = enrolment().begin_upload(person_id)
    body = {"photo_id": upload.photo_id, "upload_url": upload.url, "expires": to_iso(upload.expires_at)}
    return answer(HTTPStatus.CREATED, body)


@app.post("/people/<person_id>/faces")
def enrol_face(person_id: str) -> Answer:
    request = read_body(app.current_event, EnrolFaceRequest)
    enrolled = _enrolled(person_id, request)
    logger.info("face enrolled", is_new=enrolled.is_new, warnings=len(enrolled.resemblances))
    warnings = [each.to_json() for each in enrolled.resemblances]
    return answer(_created_or_ok(enrolled.is_new), enrolled.face.to_json() | {"warnings": warnings})


@app.get("/people/<person_id>/faces")
def list_faces(person_id: str) -> Answer:
    return answer(HTTPStatus.OK, enrolment().faces_page(person_id, _page_request()).to_json(Face.to_json))


@app.delete("/people/<person_id>/faces/<face_id>")
def remove_face(person_id: str, face_id: str) -> Answer:
    enrolment().remove_face(person_id, face_id)
    logger.info("face removed")
    return Response(HTTPStatus.NO_CONTENT)


def _enrolled(person_id: str, request: EnrolFaceRequest) -> Enrolled:
    if request.photo_id is not None and request.image is None:
        return enrolment().enrol_upload(person_id, request.photo_id)
    if request.image is not None and request.photo_id is None:
        return enrolment().enrol_face(person_id, read_photo(request.image))
    wrong = FieldError("image", "or photo_id is required, and not both")
    raise RejectedError("The request is not valid.", [wrong])


def _created_or_ok(is_new: bool) -> HTTPStatus:
    return HTTPStatus.CREATED if is_new else HTTPStatus.OK


def _is_true(name: str, text: str | None) -> bool:
    if text not in {None, "true", "false"}:
        raise RejectedError("The query is not valid.", [FieldError(name, "must be true or false")])
    return text == "true"


def _page_request() -> PageRequest:
    query = app.current_event.query_string_parameters
    return read_page_request(query.get("limit"), query.get("cursor"))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
