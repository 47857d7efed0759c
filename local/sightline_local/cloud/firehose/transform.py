"""Changing records by a Lambda function.

https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html
"""

import binascii
import json
import uuid
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.cloud.firehose.failures import Failure
from sightline_local.cloud.firehose.processors import Transform
from sightline_local.cloud.firehose.records import DIRECT, Record
from sightline_local.iam import TrustDenied

_REQUEST_LIMIT_BYTES = 6 * 1000 * 1000
_RECORD_OVERHEAD_BYTES = 480
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
# https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-logs.html
_MESSAGES = {
    "Lambda.AssumeRoleAccessDenied": "Access was denied. Ensure that the trust policy for the provided IAM "
    "role allows Amazon Data Firehose to assume the role.",
    "Lambda.InvokeAccessDenied": "Access was denied. Ensure that the access policy allows access to the "
    "Lambda function.",
    "Lambda.ResourceNotFound": "The specified Lambda function does not exist. Use a different function that "
    "does exist.",
    "Lambda.InvokeLimitExceeded": "The Lambda concurrent execution limit is exceeded. Increase the "
    "concurrent execution limit.",
    "Lambda.FunctionTimedOut": "The Lambda function timed out. Increase the Timeout setting in the Lambda "
    "function.",
    "Lambda.FunctionError": "The Lambda function was successfully invoked but it returned an error result.",
    "Lambda.JsonProcessingException": "There was an error parsing returned records from the Lambda function. "
    "Ensure that the returned records follow the status model required by Amazon Data Firehose.",
    "Lambda.MissingRecordId": "One or more record Ids were not returned. Ensure that the Lambda function "
    "returns all received record Ids.",
    "Lambda.DuplicatedRecordId": "Multiple records were returned with the same record ID. Ensure that the "
    "Lambda function returns unique record IDs for each record.",
    "Lambda.ProcessingFailedStatus": "ProcessingFailed status set for record",
    "Lambda.ConnectionFailed": "The Lambda function could not be reached.",
}
_CODES = {
    "AccessDeniedException": "Lambda.InvokeAccessDenied",
    "ResourceNotFoundException": "Lambda.ResourceNotFound",
    "TooManyRequestsException": "Lambda.InvokeLimitExceeded",
}

Pause = Callable[[float], bool]  # waits; True when the stream is to stop


class NotTransformed(Exception):  # noqa: N818  what happened
    """Nothing of the batch was processed; `code` is AWS's."""

    def __init__(self, code: str) -> None:
        super().__init__(_MESSAGES.get(code, code))
        self.code = code


@dataclass(slots=True)
class Transformed:
    """What became of records."""

    ok: list[Record] = field(default_factory=list)
    dropped: list[Record] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)


class Transformer:
    """Calls the function of one delivery stream."""

    def __init__(
        self,
        transform: Transform,
        stream_arn: str,
        source_arn: str | None,
        lambda_client: Callable[[], Any],  # with the stream's role; TrustDenied
    ) -> None:
        self.transform = transform
        self._function = transform.lambda_arn.removesuffix(":$LATEST")
        self._client = lambda_client
        self._frame = {
            "deliveryStreamArn": stream_arn,
            "region": stream_arn.split(":")[3],
            **({"sourceKinesisStreamArn": source_arn} if source_arn else {}),
        }

    def __call__(self, records: Sequence[Record], pause: Pause) -> Transformed:
        """Every record, in one of three ways; none is lost."""
        result = Transformed()
        for batch in _batches(records, self.transform.size_bytes):
            self._transform(batch, result, pause)
        return result

    def _transform(self, batch: list[Record], result: Transformed, pause: Pause) -> None:
        """Try as often as the stream says; what cannot be processed goes to the failures, all of it."""
        seconds = _FIRST_PAUSE_SECONDS
        for attempt in range(1, self.transform.retries + 2):
            try:
                self._sort(batch, self._answers(batch), result)
            except NotTransformed as error:
                if attempt > self.transform.retries or pause(seconds):
                    failed = (Failure(record, error.code, str(error), attempt) for record in batch)
                    result.failed += failed
                    return
                seconds = min(seconds * 2, _LONGEST_PAUSE_SECONDS)
            else:
                return

    def _answers(self, batch: Sequence[Record]) -> dict[str, dict[str, Any]]:
        """The function's answer by record id, complete."""
        event = {"invocationId": str(uuid.uuid4()), **self._frame, "records": [_entry(r) for r in batch]}
        given = _records_of(self._invoke(json.dumps(event).encode()))
        answers = {str(each.get("recordId")): each for each in given}
        if len(answers) < len(given):
            raise NotTransformed("Lambda.DuplicatedRecordId")
        if any(record.id not in answers for record in batch):
            raise NotTransformed("Lambda.MissingRecordId")
        return answers

    def _invoke(self, event: bytes) -> bytes:
        try:
            answer = self._client().invoke(FunctionName=self._function, Payload=event)
            payload: bytes = answer["Payload"].read()
        except ClientError as error:
            code = _CODES.get(error.response["Error"]["Code"], "Lambda.ConnectionFailed")
            raise NotTransformed(code) from error
        except TrustDenied as error:
            raise NotTransformed("Lambda.AssumeRoleAccessDenied") from error
        except BotoCoreError as error:
            raise NotTransformed("Lambda.ConnectionFailed") from error
        if "FunctionError" in answer:
            timed_out = b"Task timed out" in payload
            raise NotTransformed("Lambda.FunctionTimedOut" if timed_out else "Lambda.FunctionError")
        return payload

    def _sort(self, batch: Sequence[Record], answers: dict[str, dict[str, Any]], into: Transformed) -> None:
        read = [(record, answers[record.id], _read(record, answers[record.id])) for record in batch]
        for record, answer, changed in read:
            if answer["result"] == "Ok":
                into.ok.append(changed)
            elif answer["result"] == "Dropped":
                into.dropped.append(record)
            else:
                code = "Lambda.ProcessingFailedStatus"
                into.failed.append(Failure(record, code, _MESSAGES[code]))


def _batches(records: Sequence[Record], most_bytes: int) -> Iterator[list[Record]]:
    """In order, each of the stream's buffer size and within what a synchronous invocation takes."""
    batch: list[Record] = []
    size = encoded = 0
    for record in records:
        needed = len(record.data) * 4 // 3 + _RECORD_OVERHEAD_BYTES + len(record.partition_key or "")
        if batch and (size + len(record.data) > most_bytes or encoded + needed > _REQUEST_LIMIT_BYTES):
            yield batch
            batch, size, encoded = [], 0, 0
        batch.append(record)
        size += len(record.data)
        encoded += needed
    if batch:
        yield batch


def _entry(record: Record) -> dict[str, Any]:
    arrived = int(record.arrived_at * 1000)
    entry: dict[str, Any] = {"recordId": record.id, "approximateArrivalTimestamp": arrived}
    entry["data"] = b64encode(record.data).decode()
    if record.lane != DIRECT:
        entry["kinesisRecordMetadata"] = {
            "sequenceNumber": str(record.sequence),
            "subsequenceNumber": 0,
            "partitionKey": record.partition_key,
            "shardId": record.lane,
            "approximateArrivalTimestamp": arrived,
        }
    return entry


def _records_of(payload: bytes) -> list[dict[str, Any]]:
    try:
        records = json.loads(payload)["records"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotTransformed("Lambda.JsonProcessingException") from error
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise NotTransformed("Lambda.JsonProcessingException")
    return records


def _read(record: Record, answer: dict[str, Any]) -> Record:
    """The record as the function changed it."""
    if answer.get("result") not in ("Ok", "Dropped", "ProcessingFailed"):
        raise NotTransformed("Lambda.JsonProcessingException")
    if answer["result"] != "Ok":
        return record
    try:
        data = b64decode(answer["data"], validate=True)
        keys = answer.get("metadata", {}).get("partitionKeys", {})
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise NotTransformed("Lambda.JsonProcessingException") from error
    return replace(record, data=data, keys=keys)
