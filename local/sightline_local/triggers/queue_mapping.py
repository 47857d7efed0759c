"""Event source mappings from queues: receive, invoke, delete what went well.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html: what fails stays in the queue,
hidden until its visibility timeout has passed; how often it comes back is the queue's redrive policy.
"""

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from threading import BoundedSemaphore, Event, Thread
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.functions.spec import FunctionNotFound, TooManyInvocations
from sightline_local.functions.warm_parent import WarmParentGone
from sightline_local.iam import AccessDenied, TrustDenied
from sightline_local.triggers.filters import KEY_OF_SERVICE, Filters
from sightline_local.triggers.mapping import MappingSettings, SourceRefused
from sightline_local.triggers.mapping_role import MappingRole
from sightline_local.triggers.queue_messages import Message, Queue, event_of, within_limit
from sightline_local.triggers.responses import failures

_logger = logging.getLogger(__name__)
_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_CONCURRENCY = 5  # with how many batches at the same time Lambda begins; here it stays with them
_RECEIVED_AT_ONCE = 10  # SQS's limit
_IDLE_SECONDS = 1.0


class QueueMapping:
    """One reader, which hands each batch to a thread of its own, up to the mapping's concurrency."""

    def __init__(self, settings: MappingSettings, role: MappingRole) -> None:
        self.settings = settings
        self.last_result = "No records processed"
        self.last_modified = datetime.now(UTC)
        self._role = role
        self._queue = Queue(settings.source_arn)
        self._reading: tuple[Thread, Event] | None = None

    def check_access(self) -> None:
        """Raise SourceRefused as Lambda does when a mapping is made or changed."""
        for action in _ACTIONS:
            try:
                self._role.authorize(f"sqs:{action}", self._queue.arn)
            except AccessDenied as error:
                raise SourceRefused(
                    f"The function execution role does not have permissions to call {action} on SQS ({error})"
                ) from error
        if not self._queue.exists():
            raise SourceRefused(
                "Error occurred while ReceiveMessage. SQS Error Code: "
                "AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does "
                "not exist."
            )
        visible, timeout = self._queue.visibility_seconds(), self._role.function_timeout()
        if visible < timeout:
            raise SourceRefused(
                f"Queue visibility timeout: {visible} seconds is less than Function timeout: "
                f"{timeout:g} seconds"
            )

    def place(self) -> None:
        """A queue knows by itself what is still to be done."""

    def forget(self) -> None:
        """Nothing is kept of it."""

    def start(self) -> None:
        if self._reading is None:
            stop = Event()
            concurrency = BoundedSemaphore(self.settings.maximum_concurrency or _CONCURRENCY)
            name = f"mapping-{self._queue.arn.rpartition(':')[2]}"
            reader = Thread(target=self._read, args=(stop, concurrency), name=name, daemon=True)
            self._reading = reader, stop
            reader.start()

    def stop(self) -> list[Thread]:
        if self._reading is None:
            return []
        (reader, stop), self._reading = self._reading, None
        stop.set()
        self._queue.wake()
        return [reader]

    def change(self, settings: MappingSettings) -> None:
        self.settings = settings
        self.last_modified = datetime.now(UTC)
        self.stop()
        if settings.enabled:
            self.start()

    def wake(self) -> None:
        """The queue tells its readers itself."""

    # ---------------------------------------------------------------------------------- the reader's thread

    def _read(self, stop: Event, concurrency: BoundedSemaphore) -> None:
        filters = Filters(self.settings.filters, KEY_OF_SERVICE["sqs"])
        while not stop.is_set():
            if not concurrency.acquire(timeout=_IDLE_SECONDS):
                continue
            parts = self._parts(stop, filters)
            if not parts:
                concurrency.release()
            for number, part in enumerate(parts):
                if number:
                    concurrency.acquire()
                Thread(target=self._deliver, args=(part, concurrency), daemon=True).start()

    def _parts(self, stop: Event, filters: Filters) -> list[list[Message]]:
        try:
            return list(within_limit(self._gather(stop, filters)))
        except (ClientError, BotoCoreError, AccessDenied, TrustDenied, FunctionNotFound) as problem:
            self.last_result = f"PROBLEM: {problem}"
            stop.wait(_IDLE_SECONDS)
            return []

    def _gather(self, stop: Event, filters: Filters) -> list[Message]:
        """A batch: full, or what came within the batching window."""
        settings, now = self.settings, time.monotonic
        gathered: list[Message] = []
        ends: float | None = None
        while not stop.is_set() and len(gathered) < settings.batch_size and (ends is None or now() < ends):
            patience = _IDLE_SECONDS if ends is None else min(_IDLE_SECONDS, ends - now())
            if self._queue.wait(patience, stop) and not stop.is_set():
                received = self._receive(min(_RECEIVED_AT_ONCE, settings.batch_size - len(gathered)))
                gathered += self._matching(received, filters)
            if gathered and ends is None:
                ends = now() + settings.batching_window_seconds
        return gathered

    def _receive(self, most: int) -> list[Message]:
        client = self._role.client("sqs")
        answer = client.receive_message(
            QueueUrl=self._queue.url(client.meta.endpoint_url),
            MaxNumberOfMessages=most,
            WaitTimeSeconds=0,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[Message] = answer.get("Messages", [])
        return messages

    def _matching(self, messages: list[Message], filters: Filters) -> list[Message]:
        """What the function is to see; Lambda deletes the others."""
        if filters.pass_everything():
            return messages
        passed = [message for message in messages if filters.passes(message["Body"])]
        self._delete([message for message in messages if message not in passed])
        return passed

    # ------------------------------------------------------------------------------------- a batch's thread

    def _deliver(self, messages: Sequence[Message], concurrency: BoundedSemaphore) -> None:
        try:
            self._delete(self._succeeded(messages))
        except (ClientError, BotoCoreError) as problem:
            self.last_result = f"PROBLEM: {problem}"
        except Exception:
            _logger.exception("a batch of %s", self._queue.arn)
        finally:
            concurrency.release()

    def _succeeded(self, messages: Sequence[Message]) -> list[Message]:
        try:
            result = self._role.call_function(event_of(messages, self._queue.arn))
        except (FunctionNotFound, TooManyInvocations, TrustDenied, WarmParentGone) as problem:
            self.last_result = f"PROBLEM: {problem}"
            return []
        if result.error:
            failed = set(range(len(messages)))
        elif self.settings.reports_failures:
            failed = failures(result.payload, [message["MessageId"] for message in messages])
        else:
            failed = set()
        self.last_result = "PROBLEM: Function call failed" if failed else "OK"
        return [message for index, message in enumerate(messages) if index not in failed]

    def _delete(self, messages: Sequence[Message]) -> None:
        client: Any = self._role.client("sqs")
        for start in range(0, len(messages), _RECEIVED_AT_ONCE):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages[start : start + _RECEIVED_AT_ONCE])
            ]
            client.delete_message_batch(QueueUrl=self._queue.url(client.meta.endpoint_url), Entries=entries)
