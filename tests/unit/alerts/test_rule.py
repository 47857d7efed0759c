from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.alerts.rule import (
    Verdict,
    effective_threshold,
    is_cooling_down,
    is_in_zone,
    is_in_zones,
    is_voted,
    verdict_of,
)
from sightline.devices.model import Vote
from sightline.watchlist.model import DEFAULT_WATCHLIST, Face, Watchlist
from tests.builders import SEEN_AT, a_face

Percent = st.floats(min_value=80, max_value=100)
Severity = st.sampled_from(["low", "medium", "high", "critical"])
Kind = st.sampled_from(["block", "vip", "staff", "missing", "other"])
Moment = st.integers(-100, 100).map(lambda seconds: SEEN_AT + timedelta(seconds=seconds))
Lists = st.builds(
    Watchlist,
    watchlist_id=st.sampled_from(["a", "b", "c"]),
    name=st.just("List"),
    severity=Severity,
    kind=Kind,
    similarity_threshold=st.none() | Percent,
    expires_at=st.none() | Moment,
)
Catalogue = st.lists(Lists, max_size=3).map(lambda found: {each.watchlist_id: each for each in found})
Faces = st.builds(
    Face,
    face_id=st.just("f"),
    person_id=st.just("ada"),
    person_name=st.just("Ada"),
    watchlist_ids=st.lists(st.sampled_from(["a", "b", "c", "gone"]), max_size=3).map(tuple),
    enrolled_at=st.just(SEEN_AT),
    expires_at=st.none() | Moment,
    muted_until=st.none() | Moment,
    similarity_threshold=st.none() | Percent,
)
SQUARE = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
Ratio = st.floats(min_value=0, max_value=1)


def judge(
    similarity: float, face: Face, lists: dict[str, Watchlist], device: float = 80.0, now: datetime = SEEN_AT
) -> Verdict | None:
    return verdict_of(similarity, SEEN_AT, now, face=face, watchlists=lists, device_percent=device)


def listed(**changes: object) -> dict[str, Watchlist]:
    content: dict[str, object] = {"watchlist_id": "default", "name": "List", "severity": "high"}
    return {"default": Watchlist(**{**content, **changes})}  # type: ignore[arg-type]


@given(Percent, st.none() | Percent, st.none() | Percent)
def test_the_highest_threshold_holds(device: float, of_list: float | None, own: float | None) -> None:
    watchlist = Watchlist("a", "List", similarity_threshold=of_list)

    assert effective_threshold(device, watchlist, own) == max(device, of_list or 0, own or 0)


@given(Percent, Faces, Catalogue, Percent)
def test_what_counts_may_alert_by_every_part_of_the_rule(
    similarity: float, face: Face, lists: dict[str, Watchlist], device: float
) -> None:
    verdict = judge(similarity, face, lists, device)

    if verdict is None or not verdict.counts:
        return
    shown = verdict.watchlist
    assert shown is not None
    assert shown.kind != "staff"
    assert shown.watchlist_id in face.watchlist_ids
    assert similarity >= effective_threshold(device, shown, face.similarity_threshold)
    assert all(each.expires_at is None or each.expires_at > SEEN_AT for each in (shown, face))
    assert face.muted_until is None or face.muted_until <= SEEN_AT


@given(Percent, Faces, Catalogue, Percent)
def test_any_live_list_that_is_reached_and_is_not_staff_makes_it_count(
    similarity: float, face: Face, lists: dict[str, Watchlist], device: float
) -> None:
    quiet = face.muted_until is not None and face.muted_until > SEEN_AT
    ended = face.expires_at is not None and face.expires_at <= SEEN_AT
    loud = [
        lists[key]
        for key in face.watchlist_ids
        if key in lists
        and lists[key].kind != "staff"
        and not (lists[key].expires_at and lists[key].expires_at <= SEEN_AT)
        and similarity >= effective_threshold(device, lists[key], face.similarity_threshold)
    ]

    verdict = judge(similarity, face, lists, device)

    assert (verdict is not None and verdict.counts) == (bool(loud) and not quiet and not ended)


@given(Percent, Percent, Faces, Catalogue, Percent)
def test_a_better_match_is_never_worth_less(
    one: float, other: float, face: Face, lists: dict[str, Watchlist], device: float
) -> None:
    worse, better = (judge(each, face, lists, device) for each in sorted((one, other)))

    assert worse is None or better is not None
    assert worse is None or better is None or better.counts >= worse.counts


def test_the_most_severe_list_that_is_reached_is_shown() -> None:
    lists = {
        "a": Watchlist("a", "A", "critical", similarity_threshold=99.0),
        "b": Watchlist("b", "B", "medium"),
        "c": Watchlist("c", "C", "low"),
    }
    face = Face("f", "ada", "Ada", ("c", "b", "a"), SEEN_AT)

    shown = [verdict.watchlist for each in (95.0, 99.0) if (verdict := judge(each, face, lists))]

    assert [each and each.watchlist_id for each in shown] == ["b", "a"]


def test_staff_are_kept_and_never_count() -> None:
    verdict = judge(99.0, a_face(), listed(kind="staff"))

    assert verdict == Verdict(listed(kind="staff")["default"], counts=False)


def test_somebody_on_a_staff_list_and_a_block_list_counts() -> None:
    lists = {"a": Watchlist("a", "Staff", "critical", "staff"), "b": Watchlist("b", "Block", "low")}
    face = Face("f", "ada", "Ada", ("a", "b"), SEEN_AT)

    assert judge(99.0, face, lists) == Verdict(lists["b"], counts=True)


@pytest.mark.parametrize(("seconds", "counts"), [(-1, False), (0, False), (1, True)])
def test_expiry_counts_from_its_moment_on(seconds: int, counts: bool) -> None:
    at = SEEN_AT + timedelta(seconds=seconds)

    of_person = judge(99.0, Face("f", "a", "A", ("default",), SEEN_AT, expires_at=at), listed())
    of_list = judge(99.0, a_face(), listed(expires_at=at))

    assert of_person is not None
    assert of_list is not None
    assert of_person.counts is of_list.counts is counts


def test_what_expired_before_it_was_consumed_does_not_count_either() -> None:
    at = SEEN_AT + timedelta(minutes=5)

    verdict = judge(99.0, a_face(), listed(expires_at=at), now=at)

    assert verdict is not None
    assert not verdict.counts


@pytest.mark.parametrize("lists", [{}, {"other": DEFAULT_WATCHLIST}])
def test_somebody_on_no_list_is_kept_and_never_counts(lists: dict[str, Watchlist]) -> None:
    assert judge(99.0, a_face(), lists) == Verdict(None, counts=False)


@given(Ratio, Ratio)
def test_a_point_is_in_a_square_if_it_is_within_its_sides(x: float, y: float) -> None:
    assert is_in_zone(x, y, SQUARE) == (0.2 <= x <= 0.8 and 0.2 <= y <= 0.8)


@given(Ratio, Ratio, st.integers(0, 3), st.booleans())
def test_where_a_polygon_begins_and_which_way_it_goes_do_not_matter(
    x: float, y: float, start: int, backwards: bool
) -> None:
    turned = (*SQUARE[start:], *SQUARE[:start])

    assert is_in_zone(x, y, turned[::-1] if backwards else turned) == is_in_zone(x, y, SQUARE)


@pytest.mark.parametrize("point", [*SQUARE, (0.5, 0.2), (0.8, 0.5), (0.5, 0.8), (0.2, 0.5)])
def test_corners_and_edges_belong_to_the_zone(point: tuple[float, float]) -> None:
    assert is_in_zone(*point, SQUARE)


def test_the_notch_of_a_polygon_is_outside() -> None:
    notched = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.4), (0.0, 1.0))

    assert is_in_zone(0.5, 0.3, notched)
    assert not is_in_zone(0.5, 0.8, notched)


def test_without_zones_the_whole_frame_is_watched_and_with_several_any_will_do() -> None:
    corner = ((0.0, 0.0), (0.1, 0.0), (0.0, 0.1))

    assert is_in_zones(0.5, 0.5, ())
    assert is_in_zones(0.5, 0.5, (corner, SQUARE))
    assert not is_in_zones(0.5, 0.5, (corner,))


def at(*seconds: int) -> list[datetime]:
    return [SEEN_AT + timedelta(seconds=each) for each in seconds]


@pytest.mark.parametrize(
    ("agreeing", "frames", "vote", "voted"),
    [
        ([0], [0], Vote(1, 1), True),
        ([], [0, 1, 2], Vote(1, 1), False),
        ([0], [0, 1, 2], Vote(2, 3), False),
        ([0, 2], [0, 1, 2], Vote(2, 3), True),
        ([0, 3], [0, 1, 2, 3], Vote(2, 3), False),
        ([0, 3], [3], Vote(2, 3), True),  # what nobody remembers cannot speak against it
        ([0, 2, 4], [0, 1, 2, 3, 4], Vote(3, 5), True),
        ([0, 2, 5], [0, 1, 2, 3, 4, 5], Vote(3, 5), False),
        ([0, 1, 2], [0, 1, 2], Vote(3, 3), True),
        ([0, 2, 3], [0, 1, 2, 3], Vote(3, 3), False),
    ],
)
def test_a_vote_is_k_of_n_frames_in_a_row(
    agreeing: list[int], frames: list[int], vote: Vote, voted: bool
) -> None:
    assert is_voted(at(*agreeing), at(*frames), vote) is voted


Row = st.lists(st.booleans(), max_size=30)
Votes = st.integers(1, 10).flatmap(lambda n: st.integers(1, n).map(lambda k: Vote(k, n)))


@given(Row, Votes)
def test_the_vote_is_what_sliding_a_window_over_the_frames_finds(row: list[bool], vote: Vote) -> None:
    frames = at(*range(len(row)))
    agreeing = [moment for moment, agrees in zip(frames, row, strict=True) if agrees]
    padded = [False] * vote.n + row
    windows = (sum(padded[end - vote.n : end]) for end in range(vote.n, len(padded) + 1))

    assert is_voted(agreeing, frames, vote) == any(found >= vote.k for found in windows)


@given(Row, Votes, st.data())
def test_forgetting_frames_never_keeps_an_alert_away(
    row: list[bool], vote: Vote, data: st.DataObject
) -> None:
    frames = at(*range(len(row)))
    agreeing = [moment for moment, agrees in zip(frames, row, strict=True) if agrees]
    left = data.draw(st.lists(st.sampled_from(frames), unique=True)) if frames else []

    assert is_voted(agreeing, left, vote) >= is_voted(agreeing, frames, vote)


@pytest.mark.parametrize(
    ("seconds", "cooling"), [(0, True), (599, True), (600, False), (-599, True), (-600, False), (3600, False)]
)
def test_a_cool_down_lies_around_the_alert_that_was_sent(seconds: int, cooling: bool) -> None:
    seen_at = SEEN_AT + timedelta(seconds=seconds)

    assert is_cooling_down(seen_at, [SEEN_AT], timedelta(minutes=10)) is cooling


def test_without_an_alert_or_a_cool_down_nothing_cools() -> None:
    assert not is_cooling_down(SEEN_AT, [], timedelta(minutes=10))
    assert not is_cooling_down(SEEN_AT, [SEEN_AT], timedelta(0))
