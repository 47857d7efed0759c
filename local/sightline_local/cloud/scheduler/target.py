"""Calling the target of a schedule under the schedule's role, again and again if it must be."""

import json
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.clock import Timetable
from sightline_local.cloud.clients import Clients
from sightline_local.cloud.scheduler.kept_schedules import DueCall, KeptCalls
from sightline_local.functions.destinations import queue_url
from sightline_local.iam import TrustDenied
from sightline_local.iam.lending import LentRole
from sightline_local.state import Facts, FactsNotKeptError

_logger = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 900.0
# What no repetition mends; AWS hands such an event to the dead-letter queue at once.
_FINAL = frozenset(
    (
        "AccessDeniedException",
        "ResourceNotFoundException",
        "RequestTooLargeException",
        "StateMachineDoesNotExist",
    )
)

Lend = Callable[[str, str], LentRole]  # (schedule ARN, role ARN)


class TargetCalls:
    """Lambda or Step Functions accept the event or not; what is done with it is their business."""

    def __init__(self, clients: Clients, timetable: Timetable, lend: Lend, facts: Facts) -> None:
        self._clients = clients
        self._timetable = timetable
        self._lend = lend
        self._kept = KeptCalls(facts)
        self._closed = False
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="scheduler")

    def restore(self) -> None:
        """Take up the calls that were still to be made."""
        for call in self._kept.all():
            self._plan(call)

    def begin(self, schedule_arn: str, target: dict[str, Any], due: datetime) -> None:
        """Return at once; the call is made on another thread."""
        now = self._timetable.clock.now()
        call = DueCall(schedule_arn, target, due, str(uuid.uuid4()), 1, now)
        self._kept.keep(call)
        self._queue(call)

    def close(self) -> None:
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _plan(self, call: DueCall) -> None:
        self._timetable.at(call.moment, lambda: self._queue(call))

    def _queue(self, call: DueCall) -> None:
        try:
            self._executor.submit(self._attempt, call)
        except RuntimeError:
            _logger.debug("the runtime stops: %s is not called any more", call.target["Arn"])

    def _attempt(self, call: DueCall) -> None:
        try:
            self._make(call)
        except FactsNotKeptError as error:
            _logger.error("a call of %s is made again with the next start: %s", call.schedule_arn, error)  # noqa: TRY400

    def _make(self, call: DueCall) -> None:
        try:
            self._call(call, call.target["Arn"])
        except ClientError as error:
            self._failed(call, error.response["Error"]["Code"], error.response["Error"]["Message"])
        except TrustDenied as error:
            self._failed(call, "AccessDeniedException", str(error))
        except BotoCoreError as error:
            self._failed(call, "InternalFailure", str(error))
        else:
            self._kept.ended(call.execution_id)

    def _call(self, call: DueCall, arn: str) -> None:
        credentials = self._role(call).credentials()
        if arn.split(":")[2] == "states":
            machines = self._clients.client("stepfunctions", credentials)
            # An attempt of which nobody knows whether it worked must not start a second execution.
            machines.start_execution(
                stateMachineArn=arn, name=call.execution_id, input=payload_of(call).decode()
            )
        else:
            functions = self._clients.client("lambda", credentials)
            functions.invoke(FunctionName=arn, InvocationType="Event", Payload=payload_of(call))

    def _role(self, call: DueCall) -> LentRole:
        return self._lend(call.schedule_arn, call.target["RoleArn"])

    def _failed(self, call: DueCall, code: str, message: str) -> None:
        if self._closed:
            return  # the runtime's end, not the target's failure
        policy, now = call.target["RetryPolicy"], self._timetable.clock.now()
        pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** (call.attempt - 1), _LONGEST_PAUSE_SECONDS)
        age = (now - call.due).total_seconds() + pause
        exhausted = None
        if call.attempt > policy["MaximumRetryAttempts"]:
            exhausted = "MaximumRetryAttempts"
        elif age > policy["MaximumEventAgeInSeconds"]:
            exhausted = "MaximumEventAgeInSeconds"
        if code not in _FINAL and exhausted is None:
            again = replace(call, attempt=call.attempt + 1, moment=now + timedelta(seconds=pause))
            try:
                self._kept.keep(again)
            finally:
                self._plan(again)
            return
        self._bury(call, code, message, exhausted)
        self._kept.ended(call.execution_id)

    def _bury(self, call: DueCall, code: str, message: str, exhausted: str | None) -> None:
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
        body = payload_of(call).decode()
        try:
            client = self._clients.client("sqs", self._role(call).credentials())
            url = queue_url(client, queue_arn)
            client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        except (ClientError, BotoCoreError, TrustDenied) as error:
            _logger.error("%s could not reach its dead-letter queue: %s", call.schedule_arn, error)  # noqa: TRY400


def payload_of(call: DueCall) -> bytes:
    """The target's Input with its context attributes, or the event that Scheduler sends without one."""
    text = call.target.get("Input")
    if text is None:
        return json.dumps(_event(call)).encode()
    known = {
        "schedule-arn": call.schedule_arn,
        "scheduled-time": _iso(call.due),
        "execution-id": call.execution_id,
        "attempt-number": str(call.attempt),
    }
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return str(text).encode()


def _event(call: DueCall) -> dict[str, Any]:
    region, account = call.schedule_arn.split(":")[3:5]
    return {
        "version": "0",
        "id": call.execution_id,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": account,
        "time": _iso(call.due),
        "region": region,
        "resources": [call.schedule_arn],
        "detail": "{}",
    }


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
