import pytest

from sightline_media import ErrorId, Fragment, InvalidMatroskaError, check_fragment, encode_tags
from tests.unit.media.matroska import cluster, simple_block, start
from tests.unit.media.videos import read_all


def refusal(fragment: Fragment, previous: Fragment | None = None) -> int:
    with pytest.raises(InvalidMatroskaError) as caught:
        check_fragment(fragment, previous)
    assert "\n" not in str(caught.value)
    return int(caught.value.error_id)


def tagged(pairs: dict[str, str]) -> Fragment:
    return read_all(start() + cluster(0) + encode_tags(pairs) + cluster(1000))[1]


def test_twenty_seconds_are_allowed_and_more_are_not() -> None:
    (allowed,) = read_all(start() + cluster(0, simple_block(0), simple_block(20_000)))
    (longer,) = read_all(start() + cluster(0, simple_block(0), simple_block(20_001)))

    check_fragment(allowed)
    assert refusal(longer) == ErrorId.MAX_FRAGMENT_DURATION_REACHED


def test_a_fragment_must_be_later_than_the_one_before() -> None:
    first, second, third = read_all(
        start() + cluster(0, simple_block(0), simple_block(40)) + cluster(41) + cluster(40)
    )

    check_fragment(second, first)
    assert refusal(third, first) == ErrorId.FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS


def test_every_declared_track_needs_a_frame_and_no_other_may_have_one() -> None:
    (missing,) = read_all(start(1, 2) + cluster(0))
    (undeclared,) = read_all(start(1) + cluster(0, simple_block(0), simple_block(0, track=2)))

    assert refusal(missing) == ErrorId.FRAMES_MISSING_FOR_TRACK
    assert refusal(undeclared) == ErrorId.TRACK_NUMBER_MISMATCH


def test_a_fragment_may_have_ten_tags_of_limited_length() -> None:
    check_fragment(tagged({f"tag{number}": "v" * 256 for number in range(10)}))

    assert refusal(tagged({f"tag{number}": "v" for number in range(11)})) == 4009
    assert refusal(tagged({"tag": "v" * 257})) == 4009
    assert refusal(tagged({"n" * 129: "v"})) == 4009


def test_names_that_begin_with_aws_are_reserved_but_for_those_a_producer_may_use() -> None:
    check_fragment(tagged({"AWS_KINESISVIDEO_IMAGE_GENERATION": ""}))

    assert refusal(tagged({"AWS_MINE": "v"})) == ErrorId.INVALID_FRAGMENT_METADATA


def test_a_muxers_own_tags_in_the_header_do_not_count() -> None:
    many = encode_tags({f"tag{number}": "v" for number in range(20)})

    (fragment,) = read_all(start() + many + cluster(0))

    check_fragment(fragment)
