"""What we change in what moto holds, from tables to executions; the rest, and `undo`, is in patches.py."""

import base64
import copy
import hashlib
import itertools
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from moto.cognitoidp import models as cognito_models
from moto.core.responses import ActionResult
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.sns import models as sns_models
from moto.sns import responses as sns_responses
from moto.sns.exceptions import SNSInvalidParameter
from moto.sqs import models as sqs_models
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend import execution as executions

from sightline_local.cloud.patches import original_of, replace

# -------------------------------------------------------------------------------- DynamoDB


def undo_transactions_item_by_item() -> None:
    """Moto copies whole tables for a transaction, and puts the copies back when it is cancelled."""
    original = original_of(dynamodb_models.DynamoDBBackend, "transact_write_items")

    def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
        before = [kept for item in transact_items if (kept := _item_before(self, item))]
        try:
            original(self, transact_items)
        except Exception:
            for table, key, item in before:
                _put_back(table, key, item)
            raise

    def deepcopy(value: Any) -> Any:
        return value if isinstance(value, dynamodb_models.Table) else copy.deepcopy(value)

    replace(dynamodb_models, "copy", SimpleNamespace(deepcopy=deepcopy))
    replace(dynamodb_models.DynamoDBBackend, "transact_write_items", transact_write_items)


def _item_before(backend: Any, item: dict[str, Any]) -> tuple[Any, tuple[Any, Any], Any] | None:
    part = next(iter(item.values()))
    table = backend.tables.get(str(part.get("TableName", "")).rpartition("/")[2])
    attributes = part.get("Item", part.get("Key", {}))
    names = [] if table is None else [table.hash_key_attr, table.range_key_attr]
    if table is None or any(name and name not in attributes for name in names):
        return None  # moto refuses it by itself
    key = tuple(DynamoType(attributes[name]) if name else None for name in names)
    return table, (key[0], key[1]), copy.deepcopy(table.get_item(*key))


def _put_back(table: Any, key: tuple[Any, Any], item: Any) -> None:
    hash_key, range_key = key
    if item is None:
        table.delete_item(hash_key, range_key)
    elif range_key is None:
        table.items[hash_key] = item
    else:
        table.items[hash_key][range_key] = item


# -------------------------------------------------------------------------------- SNS


def publish_with(publish: Callable[..., str]) -> None:
    """Moto calls its own Lambda, filters by the whole structured message, and signs without the subject."""

    def own(
        self: Any,
        message: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        *,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> str:
        return publish(self, message, subject, message_attributes, message_structure)

    replace(sns_models.Topic, "publish", own)


def ask_web_servers_first(ask: Callable[[Any], None], confirm: Callable[[str, str], str | None]) -> None:
    """To moto every subscription is confirmed at once, and every token confirms it."""
    original = original_of(sns_models.SNSBackend, "subscribe")

    def subscribe(self: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
        known = self._find_subscription(topic_arn, endpoint, protocol)
        subscription = original(self, topic_arn, endpoint, protocol)
        if protocol in ("http", "https") and known is None:
            ask(subscription)
        return subscription

    def confirm_subscription(self: Any) -> Any:
        arn = confirm(self._get_param("TopicArn"), self._get_param("Token"))
        if arn is None:
            raise SNSInvalidParameter("Token")
        return ActionResult({"SubscriptionArn": arn})

    replace(sns_models.SNSBackend, "subscribe", subscribe)
    replace(sns_responses.SNSResponse, "confirm_subscription", confirm_subscription)


def name_subscriptions_as_they_are() -> None:
    """Moto gives a subscription another ARN at every start; nobody else has its topic and endpoint."""
    original = original_of(sns_models.Subscription, "__init__")

    def init(self: Any, account_id: str, topic: Any, endpoint: str, protocol: str) -> None:
        original(self, account_id, topic, endpoint, protocol)
        self.arn = f"{topic.arn}:{uuid.uuid5(uuid.NAMESPACE_URL, f'{topic.arn}/{protocol}/{endpoint}')}"

    replace(sns_models.Subscription, "__init__", init)


# -------------------------------------------------------------------------------- SQS


def tell_of_messages(
    arrives: Callable[[Any, Any], None],
    received: Callable[[str, list[Any]], None],
    ends: Callable[[list[Any]], None],
) -> None:
    """Moto tells nobody what its queues take in, hand out and lose.

    `arrives(queue, message)` comes before anybody sees the message, `received(queue name, copies)` before
    they are handed out, `ends(messages)` when they are deleted; what they raise, the caller gets.
    """
    queue, backend = sqs_models.Queue, sqs_models.SQSBackend
    add, delete = original_of(queue, "add_message"), original_of(queue, "delete_message")
    receive, purge = original_of(backend, "receive_message"), original_of(backend, "purge_queue")
    remove = original_of(backend, "delete_queue")

    def add_message(self: Any, message: Any) -> None:
        arrives(self, message)
        add(self, message)

    def delete_message(self: Any, receipt_handle: str) -> None:
        ends([each for each in list(self._messages) if each.had_receipt_handle(receipt_handle)])
        delete(self, receipt_handle)

    def receive_message(self: Any, queue_name: str, *rest: Any, **more: Any) -> list[Any]:
        messages: list[Any] = receive(self, queue_name, *rest, **more)
        received(queue_name, messages)
        return messages

    def purge_queue(self: Any, queue_name: str) -> None:
        ends(list(self.get_queue(queue_name)._messages))
        purge(self, queue_name)

    def delete_queue(self: Any, queue_name: str) -> None:
        ends(list(self.get_queue(queue_name)._messages))
        remove(self, queue_name)

    for owner, patched in (
        (queue, add_message),
        (queue, delete_message),
        (backend, receive_message),
        (backend, purge_queue),
        (backend, delete_queue),
    ):
        replace(owner, patched.__name__, patched)


# -------------------------------------------------------------------------------- Cognito


def name_pools_alike_at_every_start() -> None:
    """Moto makes the ids of pools and clients at random: no token and no user would outlive a restart."""

    def generate_id(_strategy: str | None, place: str, name: Any, settings: Any) -> str:
        of_a_client = "_" in place  # in the place of the region stands the pool's id
        called = (settings or {}).get("ClientName") if of_a_client else name
        numbered = (f"{place}/{called}/{number}" for number in itertools.count())
        ids = (
            base64.b32encode(hashlib.sha256(text.encode()).digest())[:26].decode().lower()
            for text in numbered
        )
        return next(each for each in ids if not _is_taken(each))

    replace(cognito_models, "generate_id", generate_id)


def _is_taken(short_id: str) -> bool:
    pools = [
        pool
        for by_region in cognito_models.cognitoidp_backends.values()
        for backend in by_region.values()
        for pool in backend.user_pools.values()
    ]
    return any(pool.id.endswith(f"_{short_id}") or short_id in pool.clients for pool in pools)


# -------------------------------------------------------------------------------- Step Functions


def tell_of_executions(started: Callable[[Any], None], ended: Callable[[Any], None]) -> None:
    """Moto tells nobody: `started(execution)` comes before its first state, `ended` after its last."""
    # As they are now: asl_patches.py has changed how an execution ends.
    start = executions.Execution.start
    reflect = executions.BaseExecutionWorkerCommunication._reflect_execution_status

    def start_and_tell(self: Any) -> None:
        try:
            started(self)
        except Exception as error:  # moto lists it already: it must have a status
            self.exec_status, self.stop_date = ExecutionStatus.FAILED, self.start_date
            self.error, self.cause = "States.Runtime", str(error)
            raise
        start(self)

    def reflect_and_tell(self: Any) -> None:
        reflect(self)
        ended(self.execution)

    replace(executions.Execution, "start", start_and_tell)
    replace(executions.BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect_and_tell)
