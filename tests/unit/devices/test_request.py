from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sightline.devices.model import Location, Vote
from sightline.devices.request import ChangeRequest, RegisterRequest, device_id_of_key
from sightline.errors import RejectedError
from sightline.problems import rejected
from sightline.request_body import is_id


def refusals(shape: type[RegisterRequest | ChangeRequest], content: dict[str, Any]) -> dict[str, str]:
    """field → message"""
    with pytest.raises(ValidationError) as caught:
        shape.model_validate(content)
    return {each.field: each.message for each in rejected(caught.value).errors}


def test_a_registration_may_say_nothing() -> None:
    request = RegisterRequest.model_validate({})

    assert (request.device_id, request.time_zone, request.similarity_threshold, request.retention_hours) == (
        None,
        "UTC",
        90.0,
        24,
    )


@pytest.mark.parametrize("device_id", ["a", "gate-3", "0", "a" * 63])
def test_a_device_id_is_short_and_plain(device_id: str) -> None:
    assert RegisterRequest(device_id=device_id).device_id == device_id


@pytest.mark.parametrize(
    "device_id", ["", "gate 3", "Gate", "-gate", "gate_3", "a" * 64, "gate\n", "gäte", "gate/3"]
)
def test_any_other_device_id_is_refused(device_id: str) -> None:
    found = refusals(RegisterRequest, {"device_id": device_id})

    assert "lower-case letters, digits and hyphens" in found["device_id"]


@pytest.mark.parametrize("shape", [RegisterRequest, ChangeRequest])
def test_a_similarity_threshold_between_0_and_1_gets_a_hint(shape: type[RegisterRequest]) -> None:
    found = refusals(shape, {"similarity_threshold": 0.9})

    assert found == {"similarity_threshold": "must be from 80 to 100: it is a percentage, 0.9 would mean 90"}


@pytest.mark.parametrize("threshold", [79.9, 100.1, 0, -1, float("nan"), float("inf"), "90", True, []])
def test_a_similarity_threshold_outside_80_to_100_is_refused(threshold: object) -> None:
    assert set(refusals(RegisterRequest, {"similarity_threshold": threshold})) == {"similarity_threshold"}


@pytest.mark.parametrize("threshold", [80, 80.0, 99.9, 100])
def test_a_similarity_threshold_from_80_to_100_is_taken(threshold: float) -> None:
    assert RegisterRequest(similarity_threshold=threshold).similarity_threshold == threshold


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_one_of_iana(name: str) -> None:
    assert RegisterRequest(time_zone=name).time_zone == name


@pytest.mark.parametrize(
    "name", ["Berlin", "Europe", "../etc/passwd", "/etc/localtime", "", "UTC\0", "Europe/Atlantis"]
)
def test_any_other_time_zone_is_refused(name: str) -> None:
    found = refusals(RegisterRequest, {"time_zone": name})

    assert found == {"time_zone": "must be an IANA time zone such as Europe/Berlin or UTC"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 101),
        ("name", "two\nlines"),
        ("name", 7),
        ("site", ""),
        ("engine", "magic"),
        ("retention_hours", 0),
        ("retention_hours", 87601),
        ("retention_hours", 1.5),
        ("retention_hours", "24"),
        ("location", "here"),
        ("location.latitude", {"latitude": 90.1, "longitude": 0}),
        ("location.longitude", {"latitude": 0, "longitude": -180.1}),
        ("location.longitude", {"latitude": 0}),
        ("location.altitude", {"latitude": 0, "longitude": 0, "altitude": 3}),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(field: str, value: object) -> None:
    found = refusals(RegisterRequest, {field.split(".", maxsplit=1)[0]: value})

    assert set(found) == {field}


@pytest.mark.parametrize(
    "field", ["zone", "schedule", "last_face_record_at", "watchlist_ids", "state", "generation"]
)
def test_a_field_that_does_not_exist_is_refused_not_ignored(field: str) -> None:
    for shape in (RegisterRequest, ChangeRequest):
        assert refusals(shape, {field: None}) == {field: "is not a field of this resource"}


@pytest.mark.parametrize("field", ["device_id", "engine", "retention_hours", "desired"])
def test_what_cannot_be_changed_is_refused_in_a_patch(field: str) -> None:
    assert set(refusals(ChangeRequest, {field: "x"})) == {field}


@pytest.mark.parametrize("field", ["name", "time_zone", "similarity_threshold"])
def test_what_every_device_has_cannot_be_removed(field: str) -> None:
    assert refusals(ChangeRequest, {field: None}) == {field: "cannot be removed"}


def test_a_refusal_repeats_no_value_that_was_sent() -> None:
    found = refusals(RegisterRequest, {"name": 1, "location": {"latitude": "s3cret"}, "device_id": "S3CRET"})

    assert "s3cret" not in str(found).lower()


def test_part_of_a_place_is_merged_into_the_place_that_was_there() -> None:
    change = ChangeRequest.model_validate({"location": {"latitude": 1.5}})

    assert change.location is not None
    assert change.location.merged_into(Location(50.0, 8.0)) == Location(1.5, 8.0)


def test_half_a_place_is_not_enough_where_there_was_none() -> None:
    change = ChangeRequest.model_validate({"location": {"latitude": 1.5}})

    with pytest.raises(RejectedError) as caught:
        change.location.merged_into(None)  # type: ignore[union-attr]

    assert [(each.field, each.message) for each in caught.value.errors] == [
        ("location.longitude", "is required")
    ]


@given(st.text(min_size=1, max_size=255))
def test_the_id_of_a_key_is_always_the_same_and_always_valid(key: str) -> None:
    device_id = device_id_of_key(key)

    assert device_id == device_id_of_key(key)
    assert is_id(device_id)


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_that_is_empty_or_endless_is_refused(key: str) -> None:
    with pytest.raises(RejectedError):
        device_id_of_key(key)


def test_what_decides_about_alerts_has_defaults() -> None:
    request = RegisterRequest.model_validate({})

    assert (request.vote.to_vote(), request.zones, request.cool_down_seconds) == (Vote(2, 3), (), 0)
    assert not request.keep_unknown_faces
    assert not request.alert_unknown_faces
    assert request.people_limit is None


@pytest.mark.parametrize("shape", [RegisterRequest, ChangeRequest])
def test_zones_and_a_vote_are_taken_as_json_has_them(shape: type[RegisterRequest]) -> None:
    request = shape.model_validate(
        {"zones": [[[0, 0], [1, 0], [0.5, 1]]], "vote": {"k": 3, "n": 5}, "visit_gap_seconds": 30}
    )

    assert request.zones == (((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)),)
    assert request.vote.to_vote() == Vote(3, 5)


@pytest.mark.parametrize("shape", [RegisterRequest, ChangeRequest])
@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"zones": [[[0, 0], [1, 1]]]}, "zones.0"),
        ({"zones": [[[0, 0], [1, 0], [1.1, 1]]]}, "zones.0.2.0"),
        ({"zones": [[[0, 0], [1, 0], [1]]]}, "zones.0.2.1"),
        ({"zones": [[[0, 0], [1, 0], [1, 1]]] * 11}, "zones"),
        ({"vote": {"k": 4, "n": 3}}, "vote"),
        ({"vote": {"k": 0, "n": 3}}, "vote.k"),
        ({"vote": {"k": 1, "n": 11}}, "vote.n"),
        ({"vote": {"k": 2}}, "vote.n"),
        ({"visit_gap_seconds": 4}, "visit_gap_seconds"),
        ({"cool_down_seconds": -1}, "cool_down_seconds"),
        ({"alert_unknown_faces": "yes"}, "alert_unknown_faces"),
        ({"people_limit": 0}, "people_limit"),
        ({"people_limit": 2.5}, "people_limit"),
        ({"people_limit": "5"}, "people_limit"),
        ({"people_limit": True}, "people_limit"),
        ({"people_limit": 10_001}, "people_limit"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(
    shape: type[RegisterRequest], content: dict[str, Any], field: str
) -> None:
    assert field in refusals(shape, content)


@pytest.mark.parametrize("shape", [RegisterRequest, ChangeRequest])
@pytest.mark.parametrize("limit", [1, 10_000, None])
def test_a_limit_of_people_is_a_number_or_nothing(shape: type[RegisterRequest], limit: int | None) -> None:
    assert shape.model_validate({"people_limit": limit}).people_limit == limit
