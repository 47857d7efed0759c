"""How lists, people and faces stand in DynamoDB; what is None is not stored."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from sightline.clock import from_iso, to_iso
from sightline.watchlist.model import Face, Person, Watchlist

serialize = TypeSerializer().serialize
deserialize = TypeDeserializer().deserialize


def person_item(person: Person) -> dict[str, Any]:
    return _item(
        {
            "person_id": person.person_id,
            "name": person.name,
            "created_at": to_iso(person.created_at),
            "face_ids": list(person.face_ids),
            "version": person.version,
            "notes": person.notes,
            **_rule(person),
        }
    )


def read_person(item: dict[str, Any]) -> Person:
    stored = {name: deserialize(value) for name, value in item.items()}
    return Person(
        stored["person_id"],
        stored["name"],
        from_iso(stored["created_at"]),
        tuple(stored["face_ids"]),
        int(stored["version"]),
        # People enrolled before there were lists are on the built-in one, as the default says.
        **({"watchlist_ids": tuple(stored["watchlist_ids"])} if "watchlist_ids" in stored else {}),
        notes=stored.get("notes"),
        expires_at=_moment(stored, "expires_at"),
        muted_until=_moment(stored, "muted_until"),
        similarity_threshold=_number(stored, "similarity_threshold"),
    )


def _rule(of: Person | Face) -> dict[str, Any]:
    """What the consumer applies to a match."""
    return {
        "watchlist_ids": list(of.watchlist_ids),
        "expires_at": _iso(of.expires_at),
        "muted_until": _iso(of.muted_until),
        "similarity_threshold": _decimal(of.similarity_threshold),
    }


def given_by(person: Person) -> dict[str, Any]:
    return {"person_name": person.name, "person_version": person.version, **_rule(person)}


def face_item(face: Face) -> dict[str, Any]:
    return _item(
        {
            "face_id": face.face_id,
            "person_id": face.person_id,
            "person_name": face.person_name,
            "person_version": face.person_version,
            "enrolled_at": to_iso(face.enrolled_at),
            "photo_id": face.photo_id,
            **_rule(face),
        }
    )


def read_face(item: dict[str, Any]) -> Face:
    stored = {name: deserialize(value) for name, value in item.items()}
    return Face(
        stored["face_id"],
        stored["person_id"],
        stored["person_name"],
        tuple(stored["watchlist_ids"]),
        from_iso(stored["enrolled_at"]),
        _moment(stored, "expires_at"),
        _moment(stored, "muted_until"),
        _number(stored, "similarity_threshold"),
        stored.get("photo_id"),
        int(stored.get("person_version", 0)),
    )


def read_watchlist(watchlist_id: str, stored: Mapping[str, Any]) -> Watchlist:
    return Watchlist(
        watchlist_id,
        stored["name"],
        stored["severity"],
        stored["kind"],
        stored.get("owner"),
        stored.get("reason"),
        _number(stored, "similarity_threshold"),
        _moment(stored, "expires_at"),
    )


def watchlist_value(watchlist: Watchlist) -> dict[str, Any]:
    return _present(
        {
            "name": watchlist.name,
            "kind": watchlist.kind,
            "severity": watchlist.severity,
            "owner": watchlist.owner,
            "reason": watchlist.reason,
            "similarity_threshold": _decimal(watchlist.similarity_threshold),
            "expires_at": _iso(watchlist.expires_at),
        }
    )


def _item(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: serialize(value) for name, value in _present(stored).items()}


def _present(stored: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in stored.items() if value is not None}


def _moment(stored: Mapping[str, Any], name: str) -> datetime | None:
    return from_iso(stored[name]) if name in stored else None


def _number(stored: Mapping[str, Any], name: str) -> float | None:
    return float(stored[name]) if name in stored else None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso(moment)


def _decimal(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))
