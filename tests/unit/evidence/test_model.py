"""What an alert says of its frame, and how a clip is asked for."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.evidence.model import (
    MAX_CLIP_BYTES,
    MAX_CLIP_FRAGMENTS,
    EvidenceRequest,
    ListedFragment,
    UnreadableAlertError,
    overlapping,
    spans_of,
)
from tests.fakes.evidence import an_alert

START = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)


def film(durations_ms: list[int], size_bytes: int = 1000) -> list[ListedFragment]:
    fragments, at = [], START
    for duration in durations_ms:
        fragments.append(ListedFragment(at, timedelta(milliseconds=duration), size_bytes))
        at += timedelta(milliseconds=duration)
    return fragments


def request_of(**changes: object) -> EvidenceRequest:
    return EvidenceRequest.from_alert(json.dumps(an_alert(**changes)))


def test_an_alert_tells_where_its_frame_is() -> None:
    request = request_of()

    assert (request.fragment_number, request.frame_offset_seconds) == ("100", 1.5)
    assert request.box == (0.25, 0.25, 0.5, 0.5)
    assert request.label == "Ada Lovelace 97.2"


@pytest.mark.parametrize(
    "body",
    [
        "no json",
        "[]",
        "{}",
        json.dumps(an_alert(evidence={})),
        json.dumps(an_alert(evidence=None)),
        json.dumps(an_alert(alert_id="../../etc")),
        json.dumps(an_alert(alert_id="")),
        json.dumps(an_alert(evidence=an_alert()["evidence"] | {"fragment_number": 17})),
        json.dumps(an_alert(evidence=an_alert()["evidence"] | {"box": {}})),
    ],
)
def test_what_is_no_alert_is_refused_in_one_way(body: str) -> None:
    with pytest.raises(UnreadableAlertError):
        EvidenceRequest.from_alert(body)


def test_an_alert_without_a_name_has_the_similarity_at_the_box() -> None:
    assert request_of(person={"id": "ada"}).label == "97.2"
    assert request_of(person=None, similarity=None).label == ""


def test_a_fragment_that_ends_where_the_clip_begins_is_not_part_of_it() -> None:
    fragments = film([2000] * 4)

    shown = overlapping(fragments[::-1], START + timedelta(seconds=2), START + timedelta(seconds=5))

    assert shown == fragments[1:3]


@given(st.lists(st.integers(1000, 20_000), min_size=1, max_size=600), st.integers(1, 50_000_000))
def test_spans_hold_every_fragment_once_and_keep_to_the_limits(durations: list[int], size: int) -> None:
    fragments = film(durations, size)

    spans = spans_of(fragments)

    held = [
        [each for each in fragments if span.first_start <= each.start <= span.last_start] for span in spans
    ]
    assert [each for group in held for each in group] == fragments
    for group in held:
        assert len(group) <= MAX_CLIP_FRAGMENTS
        assert len(group) == 1 or size * len(group) <= MAX_CLIP_BYTES


@given(st.lists(st.integers(1001, 20_000), min_size=1, max_size=50), st.integers(0, 999))
def test_whole_seconds_ask_for_exactly_the_fragments_of_a_span(durations: list[int], shift_ms: int) -> None:
    fragments = [
        ListedFragment(each.start + timedelta(milliseconds=shift_ms), each.duration, each.size_bytes)
        for each in film([*durations, 1001, 1001])
    ][1:-1]
    (span,) = spans_of(fragments[: len(durations)])

    answered = [each for each in fragments if span.asked_from <= each.start <= span.asked_to]

    assert answered[: len(durations)] == fragments[: len(durations)]
    assert span.asked_from < span.asked_to
    assert all(later.start > earlier.start for earlier, later in pairwise(answered))
