"""HTTP requests → alerts and what became of them, sightings, journeys."""

import time
from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from sightline.aws import client
from sightline.clock import utc_now
from sightline.errors import UnavailableError
from sightline.evidence.s3 import EvidenceLinks, presigning_client
from sightline.history.dynamo import DynamoKeptSightings
from sightline.history.model import JourneyVisit
from sightline.history.request import read_journey_window
from sightline.history.request import read_search as read_sighting_search
from sightline.history.service import SightingHistory
from sightline.paging import PageRequest, read_page_request
from sightline.problems import Answer, answer, answer_errors_as_problems, read_body
from sightline.review.dynamo import DynamoAlerts
from sightline.review.model import AlertRecord
from sightline.review.request import AcknowledgeRequest, ResolveRequest, read_search
from sightline.review.service import AlertReview
from sightline.settings import Settings

logger = Logger()
app = APIGatewayHttpResolver()
answer_errors_as_problems(app)


class AlertsApiSettings(Settings):
    """The function's environment."""

    alerts_table: str
    alerts_days: int
    sightings_table: str
    sightings_days: int
    evidence_bucket: str


@cache
def alerts() -> AlertReview:
    """With `history` and `evidence` the only place that knows concrete classes."""
    settings = AlertsApiSettings.from_env()
    table = DynamoAlerts(client("dynamodb"), settings.alerts_table)
    return AlertReview(table, utc_now, kept=timedelta(days=settings.alerts_days))


@cache
def history() -> SightingHistory:
    settings = AlertsApiSettings.from_env()
    kept = timedelta(days=settings.sightings_days)
    table = settings.sightings_table
    return SightingHistory(DynamoKeptSightings(client("dynamodb"), table, kept, utc_now, time.sleep))


@cache
def evidence() -> EvidenceLinks:
    return EvidenceLinks(presigning_client(), AlertsApiSettings.from_env().evidence_bucket)


@app.get("/alerts")
def list_alerts() -> Answer:
    page = alerts().page(read_search(_query()), _page_request())
    return answer(HTTPStatus.OK, page.to_json(AlertRecord.to_json))


@app.get("/alerts/<alert_id>")
def read_alert(alert_id: str) -> Answer:
    told = alerts().alert(alert_id).to_json()
    try:
        told["evidence"] = told.get("evidence", {}) | evidence().links(alert_id)
    except UnavailableError as error:  # the alert matters more than its pictures
        logger.warning("no links to the evidence", reason=error.detail)
    return answer(HTTPStatus.OK, told)


@app.post("/alerts/<alert_id>/acknowledge")
def acknowledge(alert_id: str) -> Answer:
    has_body = bool(app.current_event.body)
    request = read_body(app.current_event, AcknowledgeRequest) if has_body else AcknowledgeRequest()
    alert = alerts().acknowledge(alert_id, by=_caller(), note=request.note)
    logger.info("alert acknowledged", alert_id=alert_id)
    return answer(HTTPStatus.OK, alert.to_json())


@app.post("/alerts/<alert_id>/resolve")
def resolve(alert_id: str) -> Answer:
    request = read_body(app.current_event, ResolveRequest)
    alert = alerts().resolve(alert_id, verdict=request.verdict, by=_caller(), note=request.note)
    logger.info("alert resolved", alert_id=alert_id, verdict=request.verdict)
    return answer(HTTPStatus.OK, alert.to_json())


@app.get("/sightings")
def list_sightings() -> Answer:
    page = history().page(read_sighting_search(_query()), _page_request())
    return answer(HTTPStatus.OK, page.to_json(lambda row: row))


@app.get("/people/<person_id>/journey")
def read_journey(person_id: str) -> Answer:
    page = history().journey(person_id, read_journey_window(_query()), _page_request())
    return answer(HTTPStatus.OK, page.to_json(JourneyVisit.to_json))


def _query() -> dict[str, str]:
    return dict(app.current_event.query_string_parameters)


def _page_request() -> PageRequest:
    query = _query()
    return read_page_request(query.get("limit"), query.get("cursor"))


def _caller() -> str:
    """Who the token belongs to: people know the user name, a machine's token has only a subject."""
    authorizer = app.current_event.request_context.authorizer
    claims = (authorizer.jwt_claim if authorizer else None) or {}
    return str(claims.get("username") or claims["sub"])


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
