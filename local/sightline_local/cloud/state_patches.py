"""What we change inside moto's tables and topics, and why; see patches.py for the rest, and for `undo`."""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb import models as dynamodb_models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.sns import models as sns_models
from moto.sns import responses as sns_responses
from moto.sns.exceptions import SNSInvalidParameter

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
        group_id: str | None = None,  # noqa: ARG001  as moto calls it
        deduplication_id: str | None = None,  # noqa: ARG001
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
