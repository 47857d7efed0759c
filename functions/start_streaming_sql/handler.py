"""CloudFormation's custom resource: a Flink application that runs while the stack is there."""

import time
from typing import Any

from aws_lambda_powertools import Logger

from sightline.aws import client
from sightline.custom_resource import answer
from sightline.errors import DomainError
from sightline.streaming.kinesisanalyticsv2 import FlinkApplication
from sightline.streaming.service import Operation

logger = Logger()


def operation(application: str) -> Operation:
    """The only place that knows concrete classes."""
    return Operation(FlinkApplication(client("kinesisanalyticsv2"), application), time.sleep)


def failure_of(request_type: str, application: str) -> str | None:
    """Do what CloudFormation asks; why it could not be done."""
    try:
        if request_type == "Delete":
            operation(application).stop()
        else:
            operation(application).run()
    except DomainError as error:
        return str(error)
    except Exception as error:  # without an answer CloudFormation would wait for an hour
        logger.exception("the application is not as it should be")
        return f"{type(error).__name__}: {error}"
    return None


def lambda_handler(event: dict[str, Any], _context: Any) -> None:
    application = event["ResourceProperties"]["Application"]
    failure = failure_of(event["RequestType"], application)
    if failure:
        logger.error("the application is not as it should be", extra={"reason": failure})
    answer(event, resource_id=f"running-{application}", failure=failure)
