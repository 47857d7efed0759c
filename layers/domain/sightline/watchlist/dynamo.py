"""The people table and the faces table."""

from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.clock import from_iso, to_iso
from sightline.paging import Page, PageRequest
from sightline.watchlist.model import Face, Person

_SERIALIZE = TypeSerializer().serialize
_DESERIALIZE = TypeDeserializer().deserialize


@dataclass(frozen=True, slots=True)
class DynamoPeople:
    """`client` is a boto3 DynamoDB client."""

    client: Any
    table: str

    def get(self, person_id: str) -> Person | None:
        with busy_means_unavailable("DynamoDB"):
            found = self.client.get_item(
                TableName=self.table, Key=_person_key(person_id), ConsistentRead=True
            )
        return _person(found["Item"]) if "Item" in found else None

    def page(self, request: PageRequest) -> Page[Person]:
        after = {} if request.after is None else {"ExclusiveStartKey": _person_key(request.after)}
        with busy_means_unavailable("DynamoDB"):
            found = self.client.scan(TableName=self.table, Limit=request.limit, **after)
        last = found.get("LastEvaluatedKey")
        return Page(tuple(_person(item) for item in found["Items"]), last and last["person_id"]["S"])

    def save(self, person: Person, *, replacing: Person | None) -> bool:
        condition = _nobody() if replacing is None else _unchanged(replacing)
        return self._write(self.client.put_item, Item=_person_item(person), **condition)

    def remove(self, person: Person) -> bool:
        """Also True when the person is gone already."""
        condition = _unchanged(person)
        condition["ConditionExpression"] += " OR attribute_not_exists(person_id)"
        return self._write(self.client.delete_item, Key=_person_key(person.person_id), **condition)

    def _write(self, call: Any, **arguments: Any) -> bool:
        try:
            with busy_means_unavailable("DynamoDB"):
                call(TableName=self.table, **arguments)
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True


@dataclass(frozen=True, slots=True)
class DynamoFaces:
    """`client` is a boto3 DynamoDB client; the index `by_person` follows the table with a short delay."""

    client: Any
    table: str

    def add(self, face: Face) -> Face:
        try:
            with busy_means_unavailable("DynamoDB"):
                self.client.put_item(
                    TableName=self.table,
                    Item=_face_item(face),
                    ConditionExpression="attribute_not_exists(face_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return _face(error.response["Item"])  # type: ignore[typeddict-item]
            raise
        return face

    def of_person(self, person_id: str, request: PageRequest) -> Page[Face]:
        after = {} if request.after is None else {"ExclusiveStartKey": _face_key(request.after, person_id)}
        found = self._query(
            "person_id = :person", {":person": {"S": person_id}}, Limit=request.limit, **after
        )
        last = found.get("LastEvaluatedKey")
        return Page(tuple(_face(item) for item in found["Items"]), last and last["face_id"]["S"])

    def find(self, person_id: str, face_id: str) -> Face | None:
        values = {":person": {"S": person_id}, ":face": {"S": face_id}}
        items = self._query("person_id = :person AND face_id = :face", values)["Items"]
        return _face(items[0]) if items else None

    def remove(self, face_id: str) -> None:
        with busy_means_unavailable("DynamoDB"):
            self.client.delete_item(TableName=self.table, Key=_face_key(face_id))

    def _query(self, condition: str, values: dict[str, Any], **arguments: Any) -> Any:
        with busy_means_unavailable("DynamoDB"):
            return self.client.query(
                TableName=self.table,
                IndexName="by_person",
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                **arguments,
            )


def _nobody() -> dict[str, Any]:
    return {"ConditionExpression": "attribute_not_exists(person_id)"}


def _unchanged(person: Person) -> dict[str, Any]:
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(person.version)}},
    }


def _person_key(person_id: str) -> dict[str, Any]:
    return {"person_id": {"S": person_id}}


def _face_key(face_id: str, person_id: str | None = None) -> dict[str, Any]:
    """The key in the table, or with the person's id in the index."""
    return {"face_id": {"S": face_id}} | ({} if person_id is None else _person_key(person_id))


def _person_item(person: Person) -> dict[str, Any]:
    stored = {
        "person_id": person.person_id,
        "name": person.name,
        "created_at": to_iso(person.created_at),
        "face_ids": list(person.face_ids),
        "version": person.version,
    }
    return {name: _SERIALIZE(value) for name, value in stored.items()}


def _person(item: dict[str, Any]) -> Person:
    stored = {name: _DESERIALIZE(value) for name, value in item.items()}
    return Person(
        stored["person_id"],
        stored["name"],
        from_iso(stored["created_at"]),
        tuple(stored["face_ids"]),
        int(stored["version"]),
    )


def _face_item(face: Face) -> dict[str, Any]:
    stored = {
        "face_id": face.face_id,
        "person_id": face.person_id,
        "person_name": face.person_name,
        "watchlist_ids": list(face.watchlist_ids),
        "enrolled_at": to_iso(face.enrolled_at),
    }
    return {name: _SERIALIZE(value) for name, value in stored.items()}


def _face(item: dict[str, Any]) -> Face:
    stored = {name: _DESERIALIZE(value) for name, value in item.items()}
    return Face(
        stored["face_id"],
        stored["person_id"],
        stored["person_name"],
        tuple(stored["watchlist_ids"]),
        from_iso(stored["enrolled_at"]),
    )
