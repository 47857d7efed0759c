"""The oracle, on sightings whose answers can be seen with the eye."""

import json
from typing import Any

import pytest

from tests.downstream import streaming_oracle as streaming
from tests.downstream.oracle import read, visits, ways

Row = dict[str, Any]


def a_row(number: int, at: str, person: str | None = "ada", device: str = "gate-1", **more: Any) -> Row:
    return {
        "sighting_id": f"si-{number}",
        "device_id": device,
        "site": "Harbour",
        "seen_at": f"2026-11-22T13:{at}Z",
        "person_id": person,
        "visit_id": person and f"vi-{person}-{device}",
        "fragment_number": "1",
        "frame_offset_seconds": float(number),
        "recorded_at": f"2026-11-22T13:{at}Z",
    } | more


def as_payload(row: Row) -> bytes:
    return json.dumps(row).encode()


def test_a_sighting_that_comes_again_is_one_sighting_as_it_came_first_and_as_it_was_recorded_last() -> None:
    first = a_row(1, "00:01.000")
    again = first | {"recorded_at": "2026-11-22T13:09:00.000Z"}

    truth = read(map(as_payload, [first, again, first]))

    assert truth.sightings == {"si-1": first}
    assert truth.last_recorded == {"si-1": again}
    assert len(truth.deliveries) == 3


@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"{", b"null", b"[]", b'"x"', b"\xff", b"{}"),
        *(as_payload(a_row(1, "00:01.000") | {"sighting_id": each}) for each in ("", None, 7)),
        *(as_payload(a_row(1, "00:01.000") | {"device_id": each}) for each in ("", None, 7)),
        *(as_payload(a_row(1, "00:01.000") | {"seen_at": each}) for each in ("", None, 7, "yesterday")),
    ],
)
def test_what_is_no_sighting_is_malformed(payload: bytes) -> None:
    good = as_payload(a_row(2, "00:02.000"))

    truth = read([payload, good])

    assert truth.malformed == [payload]
    assert set(truth.sightings) == {"si-2"}


def test_a_wrong_value_elsewhere_makes_no_sighting_malformed() -> None:
    truth = read([as_payload(a_row(1, "00:01.000") | {"similarity": "high", "site": 3})])

    assert truth.malformed == []


def test_visits_have_their_sightings_in_order_of_time_and_no_undecided_ones() -> None:
    rows = [a_row(2, "00:02.000"), a_row(1, "00:01.000"), a_row(3, "00:00.000", visit_id=None)]

    assert visits(rows) == {"vi-ada-gate-1": [rows[1], rows[0]]}


def test_a_way_leads_from_the_last_sighting_of_a_visit_to_the_first_of_the_next_elsewhere() -> None:
    rows = [
        a_row(1, "00:01.000"),
        a_row(2, "00:05.000"),
        a_row(3, "40:00.000", device="gate-2"),
        a_row(4, "41:00.000", device="gate-2", visit_id="another at the same device"),
    ]

    assert ways(rows) == [("ada", "gate-1", "gate-2", "2026-11-22T13:00:05.000Z", "2026-11-22T13:40:00.000Z")]


def test_late_is_what_comes_after_its_window_has_closed() -> None:
    rows = [a_row(1, "00:30.000"), a_row(2, "05:00.000"), a_row(3, "04:50.000"), a_row(4, "01:00.000")]

    found = streaming.on_time_and_late(rows)

    assert [row["sighting_id"] for row in found.on_time] == ["si-1", "si-2", "si-3"]
    assert [row["sighting_id"] for row in found.late] == ["si-4"]


def test_what_is_neither_surely_late_nor_surely_on_time_is_no_test() -> None:
    with pytest.raises(streaming.UndecidedError):
        streaming.on_time_and_late([a_row(1, "05:00.000"), a_row(2, "04:20.000")])


def test_people_are_those_who_are_known_and_the_most_unknown_faces_of_a_frame() -> None:
    strangers = [
        a_row(number, "00:03.000", None, frame_offset_seconds=offset)
        for number, offset in ((11, 1.0), (12, 1.0), (13, 2.0), (14, 2.0), (15, 2.0), (16, 3.0))
    ]
    rows = [a_row(1, "00:00.000"), a_row(2, "00:59.999", "grace"), a_row(3, "00:30.000"), *strangers]

    found = streaming.people_per_minute([*rows, a_row(4, "01:00.000")])

    assert found[0] == {
        "query": "people_per_minute",
        "device_id": "gate-1",
        "site": "Harbour",
        "window_start": "2026-11-22T13:00:00.000Z",
        "window_end": "2026-11-22T13:01:00.000Z",
        "people": 5,
        "known_people": 2,
        "unknown_faces": 3,
        "sightings": 9,
    }
    assert [(each["window_start"], each["people"]) for each in found[1:]] == [("2026-11-22T13:01:00.000Z", 1)]


def test_the_busiest_devices_are_ranked_by_people_then_sightings_then_name() -> None:
    rows = [
        *(a_row(number, f"00:0{number}.000", device="b") for number in range(2)),
        *(a_row(number, f"00:1{number}.000", device="c") for number in range(2)),
        *(a_row(number, f"00:2{number}.000", device="a") for number in range(1)),
        *(a_row(number, f"00:3{number}.000", f"p{number}", device="z") for number in range(2)),
    ]

    found = streaming.busiest_devices(streaming.people_per_minute(rows), 3)

    assert [(each["rank"], each["device_id"]) for each in found] == [(1, "z"), (2, "b"), (3, "c")]


def test_a_journey_is_from_one_device_to_the_next_within_ten_minutes() -> None:
    rows = [
        a_row(1, "00:01.000"),
        a_row(2, "00:02.000"),
        a_row(3, "08:59.900", device="gate-2"),
        a_row(4, "18:59.901", device="gate-3"),
        a_row(5, "00:03.000", None, device="gate-2"),
    ]

    assert streaming.journeys(rows) == [
        {
            "query": "journeys",
            "person_id": "ada",
            "from_device": "gate-1",
            "to_device": "gate-2",
            "left_at": "2026-11-22T13:00:02.000Z",
            "arrived_at": "2026-11-22T13:08:59.900Z",
            "seconds": 537,
        }
    ]


def test_crowds_are_the_windows_with_so_many_people() -> None:
    rows = [a_row(1, "00:01.000"), a_row(2, "00:02.000", "grace"), a_row(3, "01:02.000")]

    found = streaming.crowds(streaming.people_per_minute(rows), 2)

    assert [(each["query"], each["window_start"], each["people"]) for each in found] == [
        ("crowding", "2026-11-22T13:00:00.000Z", 2)
    ]
