"""What the HTTP doors share: bodies parsed on the way in, errors as RFC 9457 problems on the way out."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as UnknownRouteError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from pydantic import BaseModel, ValidationError

from sightline.errors import (
    ConflictError,
    DomainError,
    FieldError,
    NotFoundError,
    RejectedError,
    TooLargeError,
    UnavailableError,
)

Body = TypeVar("Body", bound=BaseModel)
Answer = Response[str]

STATUS_OF: dict[type[DomainError], HTTPStatus] = {
    RejectedError: HTTPStatus.BAD_REQUEST,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def answer(status: HTTPStatus, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON response."""
    return Response(status, "application/json", json.dumps(body, ensure_ascii=False), headers)


def problem(
    status: HTTPStatus,
    detail: str,
    errors: tuple[FieldError, ...] = (),
    retry_after_seconds: int | None = None,
) -> Answer:
    """A problem document; `errors` only when single fields are to blame."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
    }
    if errors:
        document["errors"] = [{"field": each.field, "message": each.message} for each in errors]
    headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
    return Response(status, "application/problem+json", json.dumps(document, ensure_ascii=False), headers)


def answer_errors_as_problems(app: APIGatewayHttpResolver) -> None:
    """Every domain error and every unknown route of this door becomes a problem; bugs stay bugs (500)."""

    @app.exception_handler(list(STATUS_OF))
    def refuse(error: DomainError) -> Answer:
        errors = error.errors if isinstance(error, RejectedError) else ()
        status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
        return problem(status, error.detail, errors, error.retry_after_seconds)

    @app.not_found
    def unknown_route(_: UnknownRouteError) -> Answer:
        return problem(HTTPStatus.NOT_FOUND, "There is no such route.")


def read_body(event: APIGatewayProxyEventV2, shape: type[Body]) -> Body:
    """The JSON object of the request as `shape`; whatever is wrong with it becomes one RejectedError."""
    try:
        content = json.loads(event.decoded_body or "")
    except ValueError:  # not JSON, not UTF-8, not base64
        raise RejectedError("The request body is not JSON.") from None
    if not isinstance(content, dict):
        raise RejectedError("The request body must be a JSON object.")
    try:
        return shape.model_validate(content)
    except ValidationError as error:
        raise rejected(error) from None


def rejected(error: ValidationError) -> RejectedError:
    """Pydantic's findings in our words, without the values that were sent (they may be photos or secrets)."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return RejectedError(
        "The request is not valid.",
        [
            FieldError(".".join(str(part) for part in each["loc"]), _message(each["type"], each["msg"]))
            for each in found
        ],
    )


def _message(kind: str, message: str) -> str:
    plain = {"missing": "is required", "extra_forbidden": "is not a field of this resource"}
    return plain.get(kind, message.removeprefix("Value error, ").replace("Input should be", "should be"))
