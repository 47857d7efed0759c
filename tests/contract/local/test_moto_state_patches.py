"""The patches of moto's tables and topics: that moto still needs each, and that each does what it is for."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto.core.base_backend import BackendDict
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models import dynamodb_backends
from moto.sns.models import sns_backends

from sightline_local.cloud import patches
from sightline_local.cloud.patches import tables, topics

ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture(autouse=True)
def _moto_as_it_came() -> Iterator[None]:
    patches.undo()
    BackendDict.reset()
    yield
    patches.undo()
    BackendDict.reset()


def make_table(name: str, *keys: str) -> Any:
    backend = dynamodb_backends[ACCOUNT][REGION]
    backend.create_table(
        name,
        schema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
        throughput=None,
        attr=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        global_indexes=None,
        indexes=None,
        streams=None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    return backend


def cancelled(backend: Any) -> None:
    """A transaction that updates, adds and deletes, and fails at its last part."""
    update = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "2"}}}
    no_such = {"ConditionExpression": "attribute_exists(p)"}
    with pytest.raises(TransactionCanceledException):
        backend.transact_write_items(
            [
                {"Update": {"TableName": "one", "Key": {"p": {"S": "old"}, "s": {"S": "1"}}, **update}},
                {"Put": {"TableName": "one", "Item": {"p": {"S": "new"}, "s": {"S": "1"}}}},
                {"Delete": {"TableName": "two", "Key": {"p": {"S": "old"}}}},
                {"ConditionCheck": {"TableName": "two", "Key": {"p": {"S": "none"}}, **no_such}},
            ]
        )


def filled() -> Any:
    make_table("one", "p", "s")
    backend = make_table("two", "p")
    backend.put_item("one", {"p": {"S": "old"}, "s": {"S": "1"}, "n": {"N": "1"}})
    backend.put_item("two", {"p": {"S": "old"}})
    return backend


def test_a_cancelled_transaction_leaves_its_items_as_they_were() -> None:
    tables.undo_transactions_item_by_item()
    backend = filled()

    cancelled(backend)

    kept = backend.get_item("one", {"p": {"S": "old"}, "s": {"S": "1"}}).to_json()["Attributes"]
    assert kept["n"] == {"N": "1"}
    assert backend.get_item("one", {"p": {"S": "new"}, "s": {"S": "1"}}) is None
    assert backend.get_item("two", {"p": {"S": "old"}}) is not None


def test_a_cancelled_transaction_leaves_other_items_alone() -> None:
    tables.undo_transactions_item_by_item()
    backend = filled()
    table = backend.tables["one"]

    cancelled(backend)

    assert backend.tables["one"] is table


def test_moto_alone_puts_back_a_copy_of_the_whole_table() -> None:
    backend = filled()
    table = backend.tables["one"]

    cancelled(backend)

    assert backend.tables["one"] is not table


def test_a_transaction_that_succeeds_is_written() -> None:
    tables.undo_transactions_item_by_item()
    backend = filled()

    backend.transact_write_items([{"Put": {"TableName": "two", "Item": {"p": {"S": "new"}}}}])

    assert backend.get_item("two", {"p": {"S": "new"}}) is not None


def test_a_topic_publishes_through_the_runtime() -> None:
    heard: list[tuple[Any, ...]] = []

    def publish(*given: Any) -> str:
        heard.append(given)
        return "id"

    topics.publish_with(publish)
    backend = sns_backends[ACCOUNT][REGION]
    topic = backend.create_topic("t")

    assert backend.publish("m", topic.arn, subject="s", message_structure="json") == "id"
    assert heard == [(topic, "m", "s", None, "json")]


def test_moto_alone_takes_a_structured_message_without_a_default() -> None:
    backend = sns_backends[ACCOUNT][REGION]
    topic = backend.create_topic("t")

    assert backend.publish('{"email": "x"}', topic.arn, message_structure="json")


def test_a_web_server_is_confirmed_by_its_token_only() -> None:
    asked: list[Any] = []
    topics.ask_web_servers_first(asked.append, lambda _topic, _token: None)
    backend = sns_backends[ACCOUNT][REGION]
    topic = backend.create_topic("t")

    first = backend.subscribe(topic.arn, "http://127.0.0.1/", "http")
    again = backend.subscribe(topic.arn, "http://127.0.0.1/", "http")
    backend.subscribe(topic.arn, "arn:aws:sqs:us-east-1:123456789012:q", "sqs")

    assert first is again
    assert asked == [first]


def test_moto_alone_confirms_a_web_server_at_once() -> None:
    backend = sns_backends[ACCOUNT][REGION]
    topic = backend.create_topic("t")

    subscription = backend.subscribe(topic.arn, "http://127.0.0.1/", "http")

    assert subscription.attributes["PendingConfirmation"] is False
