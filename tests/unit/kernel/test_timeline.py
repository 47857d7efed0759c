"""Windows, places and the parameters of a list."""

from datetime import UTC, datetime, timedelta

import pytest

from sightline.errors import RejectedError
from sightline.timeline import ALWAYS, Place, Window, check_parameters, read_choice, read_id, read_window

MOMENT = datetime(2026, 11, 22, 13, 2, 7, tzinfo=UTC)


def refused_field(read: object) -> str:
    with pytest.raises(RejectedError) as refusal:
        read()  # type: ignore[operator]
    return refusal.value.errors[0].field


def test_a_window_is_read_to_the_millisecond_in_any_offset() -> None:
    query = {"from": "2026-11-22T14:02:07.0009+01:00", "to": "2026-11-23T00:00:00Z"}

    assert read_window(query) == Window(MOMENT, datetime(2026, 11, 23, tzinfo=UTC))
    assert read_window({}) == ALWAYS


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-11-22", "2026-11-22T13:02:07", "2026-11-22T13:02:07 01:00", "1e400"]
)
@pytest.mark.parametrize("name", ["from", "to"])
def test_a_moment_that_cannot_be_read_is_named(name: str, text: str) -> None:
    assert refused_field(lambda: read_window({name: text})) == name


def test_a_moment_before_all_calendars_is_refused() -> None:
    assert refused_field(lambda: read_window({"from": "0001-01-01T00:00:00+14:00"})) == "from"


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    query = {"from": "2026-11-22T13:00:00Z", "to": "2026-11-22T13:00:00Z"}

    assert refused_field(lambda: read_window(query)) == "to"


def test_a_window_holds_its_begin_and_not_its_end() -> None:
    window = Window(MOMENT, MOMENT + timedelta(seconds=1))

    assert window.holds(MOMENT)
    assert not window.holds(MOMENT + timedelta(seconds=1))
    assert not window.holds(MOMENT - timedelta(milliseconds=1))
    assert ALWAYS.holds(MOMENT)


@pytest.mark.parametrize("place", [Place(MOMENT), Place(MOMENT, "al-1")])
def test_a_place_comes_back_from_its_key(place: Place) -> None:
    assert Place.from_key(place.to_key()) == place


def test_unknown_parameters_are_refused_by_name() -> None:
    assert (
        refused_field(lambda: check_parameters({"devce_id": "x", "limit": "1"}, ("device_id",))) == "devce_id"
    )
    check_parameters({"device_id": "x", "limit": "1", "cursor": "y"}, ("device_id",))


def test_a_choice_is_one_of_few_and_an_id_is_short() -> None:
    assert read_choice({"state": "sent"}, "state", ("sent",)) == "sent"
    assert read_choice({}, "state", ("sent",)) is None
    assert read_id({}, "device_id") is None
    assert refused_field(lambda: read_choice({"state": "gone"}, "state", ("sent",))) == "state"
    assert refused_field(lambda: read_id({"device_id": ""}, "device_id")) == "device_id"
    assert refused_field(lambda: read_id({"device_id": "x" * 101}, "device_id")) == "device_id"
