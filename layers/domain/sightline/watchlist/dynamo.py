"""The people table, the faces table, and the one item of the watchlists table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code, write_if
from sightline.paging import Page, PageRequest
from sightline.watchlist.items import (
    deserialize,
    face_item,
    given_by,
    person_item,
    read_face,
    read_person,
    read_watchlist,
    serialize,
    watchlist_value,
)
from sightline.watchlist.model import Catalogue, Face, Person

CATALOGUE_ID = "watchlists"


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
        return read_person(found["Item"]) if "Item" in found else None

    def page(self, request: PageRequest) -> Page[Person]:
        after = {} if request.after is None else {"ExclusiveStartKey": _person_key(request.after)}
        with busy_means_unavailable("DynamoDB"):
            found = self.client.scan(TableName=self.table, Limit=request.limit, **after)
        last = found.get("LastEvaluatedKey")
        return Page(tuple(read_person(item) for item in found["Items"]), last and last["person_id"]["S"])

    def on_watchlist(self, watchlist_id: str) -> Sequence[Person]:
        """Reads the whole table: lists are removed seldom."""
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table,
            ConsistentRead=True,
            FilterExpression="contains(watchlist_ids, :list)",
            ExpressionAttributeValues={":list": {"S": watchlist_id}},
        )
        with busy_means_unavailable("DynamoDB"):
            return [read_person(item) for page in pages for item in page["Items"]]

    def save(self, person: Person, *, replacing: Person | None) -> bool:
        condition = (
            {"ConditionExpression": "attribute_not_exists(person_id)"}
            if replacing is None
            else _version_is(replacing.version)
        )
        return write_if(self.client.put_item, TableName=self.table, Item=person_item(person), **condition)

    def remove(self, person: Person) -> bool:
        """Also True when the person is gone already."""
        condition = _version_is(person.version)
        condition["ConditionExpression"] += " OR attribute_not_exists(person_id)"
        key = _person_key(person.person_id)
        return write_if(self.client.delete_item, TableName=self.table, Key=key, **condition)


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
                    Item=face_item(face),
                    ConditionExpression="attribute_not_exists(face_id)",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ClientError as error:
            if error_code(error) == "ConditionalCheckFailedException":
                return read_face(error.response["Item"])  # type: ignore[typeddict-item]
            raise
        return face

    def refresh(self, face_id: str, person: Person) -> None:
        """One write for everything that the person gives; what the person has no more is removed."""
        values = given_by(person)
        given = [name for name, value in values.items() if value is not None]
        gone = [name for name, value in values.items() if value is None]
        update = "SET " + ", ".join(f"{name} = :{name}" for name in given)
        write_if(
            self.client.update_item,
            TableName=self.table,
            Key=_face_key(face_id),
            UpdateExpression=update + (f" REMOVE {', '.join(gone)}" if gone else ""),
            ConditionExpression="attribute_exists(face_id)"
            " AND (attribute_not_exists(person_version) OR person_version <= :person_version)",
            ExpressionAttributeValues={f":{name}": serialize(values[name]) for name in given},
        )

    def of_person(self, person_id: str, request: PageRequest) -> Page[Face]:
        after = {} if request.after is None else {"ExclusiveStartKey": _face_key(request.after, person_id)}
        found = self._query(
            "person_id = :person", {":person": {"S": person_id}}, Limit=request.limit, **after
        )
        last = found.get("LastEvaluatedKey")
        return Page(tuple(read_face(item) for item in found["Items"]), last and last["face_id"]["S"])

    def find(self, person_id: str, face_id: str) -> Face | None:
        values = {":person": {"S": person_id}, ":face": {"S": face_id}}
        items = self._query("person_id = :person AND face_id = :face", values)["Items"]
        return read_face(items[0]) if items else None

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


@dataclass(frozen=True, slots=True)
class DynamoCatalogues:
    """`client` is a boto3 DynamoDB client; all lists are one item, which the consumer reads too."""

    client: Any
    table: str

    def read(self) -> Catalogue:
        with busy_means_unavailable("DynamoDB"):
            found = self.client.get_item(
                TableName=self.table, Key={"catalogue_id": {"S": CATALOGUE_ID}}, ConsistentRead=True
            )
        if "Item" not in found:
            return Catalogue()
        stored = deserialize({"M": found["Item"]})
        lists = {key: read_watchlist(key, each) for key, each in stored["lists"].items()}
        return Catalogue(lists, int(stored["version"]))

    def save(self, catalogue: Catalogue) -> bool:
        lists = {each.watchlist_id: watchlist_value(each) for each in catalogue.stored.values()}
        item = {"catalogue_id": CATALOGUE_ID, "version": catalogue.version, "lists": lists}
        condition = (
            {"ConditionExpression": "attribute_not_exists(catalogue_id)"}
            if catalogue.version == 1
            else _version_is(catalogue.version - 1)
        )
        return write_if(self.client.put_item, TableName=self.table, Item=serialize(item)["M"], **condition)


def _version_is(version: int) -> dict[str, Any]:
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


def _person_key(person_id: str) -> dict[str, Any]:
    return {"person_id": {"S": person_id}}


def _face_key(face_id: str, person_id: str | None = None) -> dict[str, Any]:
    """The key in the table, or with the person's id in the index."""
    return {"face_id": {"S": face_id}} | ({} if person_id is None else _person_key(person_id))
