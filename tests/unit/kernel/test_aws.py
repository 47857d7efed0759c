from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from sightline.aws import busy_means_unavailable
from sightline.errors import UnavailableError


def refusal(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "GetItem")


@pytest.mark.parametrize(
    "error",
    [
        refusal("ThrottlingException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("InternalServerError", 500),
        refusal("WhateverIsNew", 503),
        EndpointConnectionError(endpoint_url="https://x"),
        ConnectTimeoutError(endpoint_url="https://x"),
        ReadTimeoutError(endpoint_url="https://x"),
    ],
)
def test_a_service_that_is_busy_or_away_is_unavailable(error: Exception) -> None:
    with pytest.raises(UnavailableError, match="DynamoDB"), busy_means_unavailable("DynamoDB"):
        raise error


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ValidationException", "ConditionalCheckFailedException"]
)
def test_every_other_refusal_passes(code: str) -> None:
    with pytest.raises(ClientError), busy_means_unavailable("DynamoDB"):
        raise refusal(code)
