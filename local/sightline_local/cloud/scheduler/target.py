"""Calling the target of a schedule under the schedule's role, again and again if it must be."""

import json
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.clock import Timetable
from sightline_local.cloud.clients import Clients
from sightline_local.functions.destinations import queue_url
from sightline_local.iam import TrustDenied
from sightline_local.iam.lending import LentRole

_logger = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 900.0
# What no repetition mends; AWS hands such an event to the dead-letter queue at once.
_FINAL = frozenset(("AccessDeniedException", "ResourceNotFoundException", "RequestTooLargeException"))


@dataclass(frozen=True, slots=True)
class _Call:
    """One invocation that is due."""

    schedule_arn: str
    target: dict[str, Any]
    role: LentRole
    due: datetime
    execution_id: str
    attempt: int = 1

    def payload(self) -> bytes:
        """The target's Input with its context attributes, or the event that Scheduler sends without one."""
        text = self.target.get("Input")
        if text is None:
            return json.dumps(self._event()).encode()
        known = {
            "schedule-arn": self.schedule_arn,
            "scheduled-time": _iso(self.due),
            "execution-id": self.execution_id,
            "attempt-number": str(self.attempt),
        }
        for name, value in known.items():
            text = text.replace(f"<aws.scheduler.{name}>", value)
        return str(text).encode()

    def _event(self) -> dict[str, Any]:
        region, account = self.schedule_arn.split(":")[3:5]
        return {
            "version": "0",
            "id": self.execution_id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": _iso(self.due),
            "region": region,
            "resources": [self.schedule_arn],
            "detail": "{}",
        }


class TargetCalls:
    """Lambda accepts the event or not; what the function does with it is Lambda's business."""

    def __init__(self, clients: Clients, timetable: Timetable) -> None:
        self._clients = clients
        self._timetable = timetable
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="scheduler")

    def begin(self, schedule_arn: str, target: dict[str, Any], role: LentRole, due: datetime) -> None:
        """Return at once; the call is made on another thread."""
        self._queue(_Call(schedule_arn, target, role, due, str(uuid.uuid4())))

    def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _queue(self, call: _Call) -> None:
        try:
            self._executor.submit(self._attempt, call)
        except RuntimeError:
            _logger.debug("the runtime stops: %s is not called any more", call.target["Arn"])

    def _attempt(self, call: _Call) -> None:
        try:
            client = self._clients.client("lambda", call.role.credentials())
            client.invoke(FunctionName=call.target["Arn"], InvocationType="Event", Payload=call.payload())
        except ClientError as error:
            self._failed(call, error.response["Error"]["Code"], error.response["Error"]["Message"])
        except TrustDenied as error:
            self._failed(call, "AccessDeniedException", str(error))
        except BotoCoreError as error:
            self._failed(call, "InternalFailure", str(error))

    def _failed(self, call: _Call, code: str, message: str) -> None:
        policy = call.target["RetryPolicy"]
        pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** (call.attempt - 1), _LONGEST_PAUSE_SECONDS)
        age = (self._timetable.clock.now() - call.due).total_seconds() + pause
        exhausted = None
        if call.attempt > policy["MaximumRetryAttempts"]:
            exhausted = "MaximumRetryAttempts"
        elif age > policy["MaximumEventAgeInSeconds"]:
            exhausted = "MaximumEventAgeInSeconds"
        if code not in _FINAL and exhausted is None:
            again = replace(call, attempt=call.attempt + 1)
            self._timetable.after(pause, lambda: self._queue(again))
            return
        self._bury(call, code, message, exhausted)

    def _bury(self, call: _Call, code: str, message: str, exhausted: str | None) -> None:
        queue_arn = call.target.get("DeadLetterConfig", {}).get("Arn")
        if queue_arn is None:
            _logger.error("%s could not call its target: %s: %s", call.schedule_arn, code, message)
            return
        reasons = {
            "ERROR_CODE": code,
            "ERROR_MESSAGE": message,
            "EXECUTION_ID": call.execution_id,
            "RETRY_ATTEMPTS": str(call.attempt - 1),
            "SCHEDULED_TIME": _iso(call.due),
            "SCHEDULE_ARN": call.schedule_arn,
            "TARGET_ARN": call.target["Arn"],
            **({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {}),
        }
        attributes = {name: {"DataType": "String", "StringValue": text} for name, text in reasons.items()}
        body = call.payload().decode()
        try:
            client = self._clients.client("sqs", call.role.credentials())
            url = queue_url(client, queue_arn)
            client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        except (ClientError, BotoCoreError, TrustDenied) as error:
            _logger.error("%s could not reach its dead-letter queue: %s", call.schedule_arn, error)  # noqa: TRY400


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
