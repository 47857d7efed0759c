"""DynamoDB: conditions, updates, transactions, pages."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

DOCS = "https://docs.aws.amazon.com/amazondynamodb/latest"
GUIDE = f"{DOCS}/developerguide"
Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]


def source(page: str) -> pytest.MarkDecorator:
    return pytest.mark.source(f"{DOCS}/{page}")


@pytest.fixture(scope="module")
def template() -> str:
    return """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: pk, AttributeType: S}
        - {AttributeName: sk, AttributeType: N}
        - {AttributeName: colour, AttributeType: S}
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      GlobalSecondaryIndexes:
        - IndexName: by-colour
          KeySchema: [{AttributeName: colour, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
"""


@pytest.fixture
def db(client: Client) -> Any:
    return client("dynamodb")


@pytest.fixture
def pk(request: pytest.FixtureRequest) -> str:
    """A partition of this test's own."""
    return str(request.node.name)


def key(pk: str, sk: int = 1) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"N": str(sk)}}


def code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


@source("developerguide/Expressions.ConditionExpressions.html")
def test_a_condition_that_does_not_hold_changes_nothing(db: Any, pk: str, refusal: Refusal) -> None:
    new = {"TableName": "things", "ConditionExpression": "attribute_not_exists(pk)"}
    db.put_item(Item=key(pk) | {"a": {"S": "first"}}, **new)
    error = refusal(db.put_item, Item=key(pk) | {"a": {"S": "second"}}, **new)
    assert code(error) == "ConditionalCheckFailedException"
    assert db.get_item(TableName="things", Key=key(pk))["Item"]["a"] == {"S": "first"}


@source("APIReference/API_UpdateItem.html")
def test_a_failed_condition_can_return_the_item_as_it_is(db: Any, pk: str, refusal: Refusal) -> None:
    db.put_item(TableName="things", Item=key(pk) | {"a": {"S": "first"}})
    error = refusal(
        db.update_item,
        TableName="things",
        Key=key(pk),
        UpdateExpression="SET a = :b",
        ConditionExpression="a = :b",
        ExpressionAttributeValues={":b": {"S": "second"}},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert error.response["Item"]["a"] == {"S": "first"}  # type: ignore[typeddict-item]


@source("developerguide/Expressions.UpdateExpressions.html")
def test_an_update_makes_the_item_that_is_not_there_and_says_what_is_new(db: Any, pk: str) -> None:
    given: dict[str, Any] = {
        "TableName": "things",
        "Key": key(pk),
        "UpdateExpression": "SET seen = if_not_exists(seen, :zero) + :one, "
        "heard = list_append(if_not_exists(heard, :none), :name) ADD times :one REMOVE gone",
        "ExpressionAttributeValues": {
            ":zero": {"N": "0"},
            ":one": {"N": "1"},
            ":none": {"L": []},
            ":name": {"L": [{"S": "n"}]},
        },
    }
    db.update_item(**given)
    changed = db.update_item(**given, ReturnValues="UPDATED_NEW")["Attributes"]
    assert changed == {"seen": {"N": "2"}, "times": {"N": "2"}, "heard": {"L": [{"S": "n"}, {"S": "n"}]}}
    assert db.update_item(**given, ReturnValues="ALL_OLD")["Attributes"] == key(pk) | changed


@source("APIReference/API_UpdateItem.html")
@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"UpdateExpression": "SET sk = :v"}, "part of the key"),
        ({"UpdateExpression": "SET #n = :v"}, "attribute name used in the document path is not defined"),
        (
            {"UpdateExpression": "SET a = :other"},
            "ExpressionAttributeValues|attribute value used in expression",
        ),
        ({"UpdateExpression": "SET status = :v"}, "reserved keyword: status"),
        (
            {"UpdateExpression": "SET a.b.c = :v"},
            "document path provided in the update expression is invalid",
        ),
        ({"UpdateExpression": "SET a = a + :v"}, "attribute that does not exist in the item"),
        ({"UpdateExpression": "SET a = :v, a = :v"}, "Two document paths overlap"),
        (
            {
                "UpdateExpression": "SET a = :v",
                "ExpressionAttributeValues": {":v": {"N": "1"}, ":unused": {"N": "1"}},
            },
            "unused in expressions",
        ),
    ],
)
def test_an_update_that_cannot_be_is_a_validation_error(
    db: Any, pk: str, refusal: Refusal, more: dict[str, Any], why: str
) -> None:
    given = {"TableName": "things", "Key": key(pk), "ExpressionAttributeValues": {":v": {"N": "1"}}} | more
    error = refusal(db.update_item, **given)
    assert code(error) == "ValidationException"
    assert any(part in str(error) for part in why.split("|"))


@source("developerguide/transaction-apis.html")
def test_a_transaction_is_all_or_nothing_and_says_what_failed(db: Any, pk: str, refusal: Refusal) -> None:
    db.put_item(TableName="things", Item=key(pk, 2))
    put = {"TableName": "things", "ConditionExpression": "attribute_not_exists(pk)"}
    items = [{"Put": {"Item": key(pk, sk), **put}} for sk in (1, 2, 3)]
    error = refusal(db.transact_write_items, TransactItems=items)
    assert code(error) == "TransactionCanceledException"
    reasons = error.response["CancellationReasons"]  # type: ignore[typeddict-item]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
    assert "Item" not in db.get_item(TableName="things", Key=key(pk, 1))


@source("APIReference/API_TransactWriteItems.html")
def test_a_transaction_touches_an_item_once_and_a_hundred_at_most(db: Any, pk: str, refusal: Refusal) -> None:
    put = {"Put": {"TableName": "things", "Item": key(pk)}}
    twice = refusal(db.transact_write_items, TransactItems=[put, put])
    assert code(twice) == "ValidationException"
    assert "multiple operations on one item" in str(twice)
    many = [{"Put": {"TableName": "things", "Item": key(pk, sk)}} for sk in range(101)]
    assert code(refusal(db.transact_write_items, TransactItems=many)) == "ValidationException"


@source("APIReference/API_TransactWriteItems.html")
def test_a_transaction_is_done_once_for_its_token(db: Any, pk: str, refusal: Refusal) -> None:
    def add(number: str) -> dict[str, Any]:
        values = {":n": {"N": number}}
        update = {"TableName": "things", "Key": key(pk), "UpdateExpression": "ADD n :n"}
        items = [{"Update": update | {"ExpressionAttributeValues": values}}]
        return {"TransactItems": items, "ClientRequestToken": pk[:36]}

    for _ in range(2):
        db.transact_write_items(**add("1"))
    assert db.get_item(TableName="things", Key=key(pk))["Item"]["n"] == {"N": "1"}
    error = refusal(db.transact_write_items, **add("2"))
    assert code(error) == "IdempotentParameterMismatchException"


@source("APIReference/API_TransactWriteItems.html")
def test_a_condition_check_in_a_transaction_guards_the_others(db: Any, pk: str, refusal: Refusal) -> None:
    check = {
        "ConditionCheck": {
            "TableName": "things",
            "Key": key(pk, 9),
            "ConditionExpression": "attribute_exists(pk)",
        }
    }
    put = {"Put": {"TableName": "things", "Item": key(pk)}}
    refusal(db.transact_write_items, TransactItems=[put, check])
    assert "Item" not in db.get_item(TableName="things", Key=key(pk))


@source("developerguide/Query.Pagination.html")
def test_a_page_ends_with_the_key_to_go_on_from_and_the_limit_counts_before_the_filter(
    db: Any, pk: str
) -> None:
    for sk in range(1, 6):
        db.put_item(TableName="things", Item=key(pk, sk) | {"odd": {"BOOL": sk % 2 == 1}})
    given = {
        "TableName": "things",
        "KeyConditionExpression": "pk = :pk",
        "FilterExpression": "odd = :true",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":true": {"BOOL": True}},
        "Limit": 2,
        "ScanIndexForward": False,
    }
    first = db.query(**given)
    assert ([item["sk"]["N"] for item in first["Items"]], first["ScannedCount"]) == (["5"], 2)
    assert first["LastEvaluatedKey"] == key(pk, 4)
    rest = db.query(**given, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["sk"]["N"] for item in rest["Items"]] == ["3"]
    last = db.query(**given, ExclusiveStartKey=rest["LastEvaluatedKey"])
    assert "LastEvaluatedKey" not in last


@source("developerguide/Query.KeyConditionExpressions.html")
@pytest.mark.parametrize(
    ("condition", "found"), [("sk BETWEEN :a AND :b", ["2", "10"]), ("sk > :a", ["10"]), ("sk = :a", ["2"])]
)
def test_numbers_are_compared_as_numbers(db: Any, pk: str, condition: str, found: list[str]) -> None:
    for sk in (1, 2, 10):
        db.put_item(TableName="things", Item=key(pk, sk))
    values = {":pk": {"S": pk}, ":a": {"N": "2"}, ":b": {"N": "10.0"}}
    used = {name: value for name, value in values.items() if name == ":pk" or name in condition}
    answer = db.query(
        TableName="things", KeyConditionExpression=f"pk = :pk AND {condition}", ExpressionAttributeValues=used
    )
    assert [item["sk"]["N"] for item in answer["Items"]] == found


@source("developerguide/GSI.html")
def test_an_index_has_the_items_with_its_keys_only_and_what_it_projects(db: Any, pk: str) -> None:
    db.put_item(TableName="things", Item=key(pk, 1) | {"colour": {"S": pk}, "more": {"S": "x"}})
    db.put_item(TableName="things", Item=key(pk, 2))
    answer = db.query(
        TableName="things",
        IndexName="by-colour",
        KeyConditionExpression="colour = :c",
        ExpressionAttributeValues={":c": {"S": pk}},
    )
    assert answer["Items"] == [key(pk, 1) | {"colour": {"S": pk}}]


@source("developerguide/HowItWorks.ReadConsistency.html")
def test_an_index_is_never_read_consistently(db: Any, refusal: Refusal) -> None:
    error = refusal(
        db.query,
        TableName="things",
        IndexName="by-colour",
        ConsistentRead=True,
        KeyConditionExpression="colour = :c",
        ExpressionAttributeValues={":c": {"S": "red"}},
    )
    assert code(error) == "ValidationException"


@source("APIReference/API_BatchGetItem.html")
def test_a_batch_of_keys_has_a_hundred_at_most_and_none_twice(db: Any, pk: str, refusal: Refusal) -> None:
    for keys in ([key(pk, sk) for sk in range(101)], [key(pk), key(pk)]):
        assert (
            code(refusal(db.batch_get_item, RequestItems={"things": {"Keys": keys}})) == "ValidationException"
        )


@source("APIReference/API_BatchWriteItem.html")
def test_a_batch_of_writes_has_twenty_five_at_most_and_none_twice(db: Any, pk: str, refusal: Refusal) -> None:
    for items in ([key(pk, sk) for sk in range(26)], [key(pk), key(pk)]):
        requests = [{"PutRequest": {"Item": item}} for item in items]
        assert code(refusal(db.batch_write_item, RequestItems={"things": requests})) == "ValidationException"


@source("developerguide/ServiceQuotas.html")
def test_an_item_has_four_hundred_kilobytes_at_most(db: Any, pk: str, refusal: Refusal) -> None:
    error = refusal(db.put_item, TableName="things", Item=key(pk) | {"a": {"S": "x" * 410_000}})
    assert code(error) == "ValidationException"
    assert "Item size has exceeded the maximum allowed size" in str(error)


@source("developerguide/HowItWorks.NamingRulesDataTypes.html")
def test_a_key_is_never_empty_and_other_texts_may_be(db: Any, pk: str, refusal: Refusal) -> None:
    assert code(refusal(db.put_item, TableName="things", Item=key(""))) == "ValidationException"
    db.put_item(TableName="things", Item=key(pk) | {"a": {"S": ""}})


@source("APIReference/API_PutItem.html")
def test_an_item_has_every_key_in_its_type(db: Any, pk: str, refusal: Refusal) -> None:
    for item in ({"pk": {"S": pk}}, {"pk": {"S": pk}, "sk": {"S": "1"}}):
        assert code(refusal(db.put_item, TableName="things", Item=item)) == "ValidationException"


@source("APIReference/API_GetItem.html")
def test_a_table_that_is_not_there_is_named(db: Any, pk: str, refusal: Refusal) -> None:
    assert code(refusal(db.get_item, TableName="nothing", Key=key(pk))) == "ResourceNotFoundException"


@source("APIReference/API_DeleteItem.html")
def test_deleting_what_is_not_there_is_no_error(db: Any, pk: str) -> None:
    assert "Attributes" not in db.delete_item(TableName="things", Key=key(pk), ReturnValues="ALL_OLD")


@source("developerguide/Expressions.OperatorsAndFunctions.html")
def test_a_number_is_kept_to_thirty_eight_digits(db: Any, pk: str, refusal: Refusal) -> None:
    exact = "1.2345678901234567890123456789012345678"
    db.put_item(TableName="things", Item=key(pk) | {"n": {"N": exact}})
    assert db.get_item(TableName="things", Key=key(pk))["Item"]["n"] == {"N": exact}
    error = refusal(db.put_item, TableName="things", Item=key(pk) | {"n": {"N": exact + "9"}})
    assert code(error) == "ValidationException"
