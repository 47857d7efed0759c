"""HTTP requests → who is where now."""

from datetime import timedelta
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from sightline.aws import client
from sightline.clock import utc_now
from sightline.paging import read_page_request
from sightline.presence.dynamo_walk import DynamoKeptPresences
from sightline.presence.request import read_search
from sightline.presence.service import PresenceBook
from sightline.problems import Answer, answer, answer_errors_as_problems
from sightline.settings import Settings

logger = Logger()
app = APIGatewayHttpResolver()
answer_errors_as_problems(app)


class PresenceApiSettings(Settings):
    """The function's environment."""

    presence_table: str
    presence_minutes: int


@cache
def book() -> PresenceBook:
    """The only place that knows concrete classes."""
    settings = PresenceApiSettings.from_env()
    table = DynamoKeptPresences(client("dynamodb"), settings.presence_table, utc_now)
    return PresenceBook(table, utc_now, timedelta(minutes=settings.presence_minutes))


@app.get("/presence")
def list_presence() -> Answer:
    query = dict(app.current_event.query_string_parameters)
    request = read_page_request(query.get("limit"), query.get("cursor"))
    page = book().page(read_search(query), request)
    return answer(HTTPStatus.OK, page.to_json(lambda presence: presence))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
