"""Where the end of an asynchronous invocation is told: dead-letter queues and destinations.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
import logging
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.functions.asynchronous import SUCCESS, AsyncSettings
from sightline_local.functions.kept_events import AsyncInvocation

_logger = logging.getLogger(__name__)
_ERROR_MESSAGE_LIMIT = 1024

ClientOf = Callable[[str, str], Any]  # (function, service) → boto3 client with the function's role


class Destinations:
    """Put `tell` into `AsyncInvocations.on_end`."""

    def __init__(self, client: ClientOf, arn_of: Callable[[str], str], now: Callable[[], datetime]) -> None:
        self._client = client
        self._arn_of = arn_of
        self._now = now

    def tell(self, invocation: AsyncInvocation, settings: AsyncSettings, condition: str) -> None:
        """Send the record and, for a failure, the event itself to the dead-letter target."""
        destination = settings.on_success if condition == SUCCESS else settings.on_failure
        try:
            if destination:
                self._send(invocation, destination, condition)
            if settings.dead_letter and condition != SUCCESS:
                self._bury(invocation, settings.dead_letter)
        except (ClientError, BotoCoreError) as error:
            _logger.error("%s: the record of an event is lost: %s", invocation.function_name, error)  # noqa: TRY400
            return
        if condition != SUCCESS and not destination and not settings.dead_letter:
            _logger.error("asynchronous invocation of %s dropped: %s", invocation.function_name, condition)

    def _send(self, invocation: AsyncInvocation, destination: str, condition: str) -> None:
        record = self._record(invocation, condition)
        text, service = json.dumps(record), destination.split(":")[2]
        client = self._client(invocation.function_name, service)
        if service == "sqs":
            client.send_message(QueueUrl=queue_url(client, destination), MessageBody=text)
        elif service == "sns":
            client.publish(TopicArn=destination, Message=text)
        elif service == "s3":
            key = _object_key(invocation.function_name, self._now())
            client.put_object(Bucket=destination.rpartition(":")[2], Key=key, Body=text.encode())
        else:
            client.invoke(FunctionName=destination, InvocationType="Event", Payload=text.encode())

    def _record(self, invocation: AsyncInvocation, condition: str) -> dict[str, Any]:
        result = invocation.last
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": _iso(self._now()),
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": f"{self._arn_of(invocation.function_name)}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": invocation.failures + (condition == SUCCESS),
            },
            "requestPayload": json.loads(invocation.payload),
        }
        if result is not None:
            failed = {"functionError": "Unhandled"} if result.error else {}
            record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", **failed}
            record["responsePayload"] = json.loads(result.payload or b"null")
        return record

    def _bury(self, invocation: AsyncInvocation, target: str) -> None:
        """The event as it came; why it is here is in the attributes."""
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": invocation.request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200" if invocation.last else "429"},
            "ErrorMessage": {"DataType": "String", "StringValue": _error_message(invocation)},
        }
        service = target.split(":")[2]
        client = self._client(invocation.function_name, service)
        body = invocation.payload.decode()
        if service == "sqs":
            url = queue_url(client, target)
            client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        else:
            client.publish(TopicArn=target, Message=body, MessageAttributes=attributes)


def queue_url(client: Any, queue_arn: str) -> str:
    """The URL of a queue in the emulated cloud."""
    account, name = queue_arn.split(":")[4:6]
    return f"{client.meta.endpoint_url}/{account}/{name}"


def _error_message(invocation: AsyncInvocation) -> str:
    """The first kilobyte of what the function said."""
    if invocation.last is None:
        return "The function could not be called"
    try:
        said = json.loads(invocation.last.payload)
    except ValueError:
        said = {}
    message = said.get("errorMessage") if isinstance(said, dict) else None
    return str(message or "Unhandled")[:_ERROR_MESSAGE_LIMIT]


def _object_key(function_name: str, moment: datetime) -> str:
    day = f"{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}"
    return f"aws/lambda/async/{function_name}/{day}-{uuid.uuid4()}"


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
