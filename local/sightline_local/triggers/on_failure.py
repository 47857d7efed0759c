"""Where records go that a mapping gave up: a bucket gets the event, a queue or topic only its place.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sightline_local.triggers.delivery import Attempted
from sightline_local.triggers.mapping import MappingSettings

ClientOf = Callable[[str], Any]  # service → boto3 client with the function's role

# What the function's role needs per kind of destination.
ACTIONS_BY_SERVICE = {
    "s3": ("s3:ListBucket", "s3:PutObject"),
    "sqs": ("sqs:SendMessage",),
    "sns": ("sns:Publish",),
}


def service_of(destination_arn: str) -> str:
    return destination_arn.split(":")[2]


def document(settings: MappingSettings, part: Attempted, condition: str, now: datetime) -> dict[str, Any]:
    """The invocation record, without the payload."""
    first, last = part.records[0], part.records[-1]
    response = {"statusCode": 200, "executedVersion": "$LATEST"}
    if part.last.function_error:
        response["functionError"] = "Unhandled"
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": settings.function_arn,
            "condition": condition,
            "approximateInvokeCount": part.invocations,
        },
        "responseContext": response,
        "version": "1.0",
        "timestamp": _iso(now),
        "KinesisBatchInfo": {
            "shardId": first.shard_id,
            "startSequenceNumber": str(first.sequence),
            "endSequenceNumber": str(last.sequence),
            "approximateArrivalOfFirstRecord": _iso(datetime.fromtimestamp(round(first.arrived_at, 3), UTC)),
            "approximateArrivalOfLastRecord": _iso(datetime.fromtimestamp(round(last.arrived_at, 3), UTC)),
            "batchSize": len(part.records),
            "streamArn": settings.source_arn,
        },
    }


def send(content: dict[str, Any], event: bytes, settings: MappingSettings, client_of: ClientOf) -> None:
    """Write a document to the mapping's destination, if it has one; AWS's errors pass through."""
    destination = settings.on_failure
    if destination is None:
        return
    name = destination.rpartition(":")[2]
    match service_of(destination):
        case "s3":
            key = object_key(settings.uuid, content)
            body = json.dumps({**content, "payload": event.decode()}).encode()
            client_of("s3").put_object(Bucket=name, Key=key, Body=body)
        case "sqs":
            client = client_of("sqs")
            url = f"{client.meta.endpoint_url}/{destination.split(':')[4]}/{name}"
            client.send_message(QueueUrl=url, MessageBody=json.dumps(content))
        case _:
            client_of("sns").publish(TopicArn=destination, Message=json.dumps(content))


def object_key(mapping_uuid: str, content: dict[str, Any]) -> str:
    """`aws/lambda/UUID/SHARD/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID`"""
    shard_id, moment = content["KinesisBatchInfo"]["shardId"], datetime.fromisoformat(content["timestamp"])
    return f"aws/lambda/{mapping_uuid}/{shard_id}/{moment:%Y/%m/%d}/{moment:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
