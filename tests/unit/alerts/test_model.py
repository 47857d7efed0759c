import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.alerts.model import Notification, alert_id_of, notification_of, subject_of
from sightline.alerts.visit import Run
from sightline.watchlist.model import DEFAULT_WATCHLIST
from tests.builders import VIDEO_STREAM_ARN, a_face, a_sighting, device_facts


def subject(person: str = "Ada Lovelace", device: str = "Gate 3", time_zone: str = "Europe/Berlin") -> str:
    facts = device_facts(name=device, time_zone=time_zone)
    return subject_of(Run((a_sighting(person=a_face(name=person), device=facts),)), DEFAULT_WATCHLIST)


def test_the_subject_says_who_where_and_when_in_the_time_of_the_device() -> None:
    assert subject() == "Ada Lovelace (Watchlist) seen at Gate 3, 14:02:07"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Jürgen Groß", "Jurgen Gross"),
        ("Łukasz Sørensen", "Lukasz Sorensen"),
        ("O’Brien", "O'Brien"),
        ("Ada\u202eevol", "Ada?evol"),
        ("王小明", "ada"),
        ("Аня 2", "??? 2"),
    ],
)
def test_a_name_that_is_not_ascii_is_written_as_near_as_can_be(name: str, written: str) -> None:
    assert subject(name) == f"{written} (Watchlist) seen at Gate 3, 14:02:07"


def test_a_long_subject_keeps_the_time() -> None:
    text = subject("A" * 200, "B" * 100)

    assert len(text) <= 99
    assert text.endswith("B..., 14:02:07")


def test_a_zone_that_nobody_knows_stops_no_alert() -> None:
    assert subject(time_zone="Mars/Olympus").endswith("seen at Gate 3, 13:02:07 UTC")


@given(st.text(max_size=200), st.text(max_size=100), st.sampled_from(["UTC", "Mars/Olympus"]))
def test_sns_takes_every_subject(person: str, device: str, time_zone: str) -> None:
    text = subject(person, device, time_zone)

    assert 0 < len(text) < 100
    assert text.isascii()
    assert text.isprintable()
    assert text[0] != " "


def test_the_body_is_the_documented_alert() -> None:
    run = Run((a_sighting(0, similarity_percent=95.5), a_sighting(1, similarity_percent=99.1)))

    body = json.loads(notification_of(run, "vi-1").body)

    assert body == {
        "alert_id": "al-" + sha256(b"vi-1").hexdigest()[:32],
        "visit_id": "vi-1",
        "device": {
            "id": "gate-3",
            "name": "Gate 3",
            "site": "Harbour",
            "location": {"latitude": 53.54, "longitude": 9.98},
        },
        "person": {"id": "ada", "name": "Ada Lovelace"},
        "watchlist": {"id": "default", "name": "Watchlist", "severity": "high"},
        "similarity": 99.1,
        "seen_at": "2026-11-22T13:02:07.000Z",
        "frames": 2,
        "evidence": {
            "status": "pending",
            "video_stream_arn": VIDEO_STREAM_ARN,
            "fragment_number": "91341000",
            "frame_offset_seconds": 0.0,
            "box": {"left": 0.4, "top": 0.4, "width": 0.1, "height": 0.2},
        },
        "console_url": None,
        "schema_version": 1,
    }


def test_the_body_keeps_the_exact_name() -> None:
    run = Run((a_sighting(person=a_face(name="王小明 Ⅷ")),))

    body = json.loads(notification_of(run, "vi-1").body)

    assert body["person"]["name"] == "王小明 Ⅷ"


@pytest.mark.parametrize("site", [None, ""])
def test_an_attribute_without_a_value_is_left_out_because_sns_would_refuse_it(site: str | None) -> None:
    run = Run((a_sighting(device=device_facts(site=site, location=None)),))

    attributes = notification_of(run, "vi-1").attributes

    assert attributes == {
        "device_id": "gate-3",
        "watchlist_id": "default",
        "severity": "high",
        "similarity": 99.0,
    }


def test_a_notification_survives_being_stored() -> None:
    notification = notification_of(Run((a_sighting(),)), "vi-1")

    assert Notification.from_text(notification.to_text()) == notification


def test_a_visit_has_one_alert_id() -> None:
    assert alert_id_of("vi-1") == alert_id_of("vi-1") != alert_id_of("vi-2")
