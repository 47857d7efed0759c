import itertools
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sightline_media import ErrorId, Fragment, FragmentReader, InvalidMatroskaError, ebml, encode_tags, tags
from tests.unit.media.matroska import (
    HEADER,
    UNKNOWN_SEGMENT,
    block_group,
    cluster,
    info,
    simple_block,
    start,
    timecode,
    tracks,
)
from tests.unit.media.videos import read_all

NUMBER = "91343852333181432392682062607743920146159169392"
BEFORE = {
    tags.FRAGMENT_NUMBER: NUMBER,
    tags.SERVER_TIMESTAMP: "1511852109.126",
    tags.PRODUCER_TIMESTAMP: "1511852108.513",
}
AFTER = {tags.MILLIS_BEHIND_NOW: "0", tags.CONTINUATION_TOKEN: NUMBER}
VOID = ebml.element(ebml.VOID, bytes(20))


def get_media(*frames: bytes, closing: bool = True) -> bytes:
    return start() + encode_tags(BEFORE) + cluster(0, *frames) + (encode_tags(AFTER) if closing else b"")


def test_clusters_of_one_segment_are_fragments_that_share_the_header() -> None:
    data = start() + cluster(0, simple_block(0), simple_block(40, key_frame=False)) + cluster(2000)

    first, second = read_all(data)

    assert (first.timecode_ms, second.timecode_ms) == (0, 2000)
    assert first.header == second.header == start()
    assert [(block.offset_ms, block.key_frame) for block in first.blocks] == [(0, True), (40, False)]
    assert first.frame(first.blocks[1]) == b"frame"
    assert first.cluster == cluster(0, simple_block(0), simple_block(40, key_frame=False))


def test_a_producers_fragment_is_given_with_its_last_byte() -> None:
    reader = FragmentReader()
    data = start() + cluster(0)

    early = reader.feed(data[:-1])
    on_time = reader.feed(data[-1:])

    assert early == []
    assert [fragment.timecode_ms for fragment in on_time] == [0]


def test_the_timecode_of_an_arriving_fragment_is_known_early() -> None:
    reader = FragmentReader()

    reader.feed(start() + cluster(700, simple_block(0, bytes(1000)))[:40])

    assert reader.open_timecode_ms == 700
    assert reader.truncated


def test_an_unknown_cluster_size_ends_at_the_next_cluster_or_at_the_end() -> None:
    reader = FragmentReader()

    first = reader.feed(start() + cluster(0, unknown_size=True))
    second = reader.feed(cluster(1000, simple_block(0, b"other"), unknown_size=True))
    last = reader.finish()

    assert first == []
    assert [fragment.timecode_ms for fragment in second + last] == [0, 1000]
    assert last[0].frame(last[0].blocks[0]) == b"other"
    again = read_all(last[0].media)
    assert again[0].cluster == last[0].cluster


def test_get_media_gives_a_fragment_with_its_closing_tags_without_waiting_for_the_next() -> None:
    (fragment,) = FragmentReader().feed(get_media())

    assert fragment.number == NUMBER
    assert fragment.server_timestamp == 1511852109.126
    assert fragment.producer_timestamp == 1511852108.513
    assert fragment.continuation_token == NUMBER
    assert fragment.tags[tags.MILLIS_BEHIND_NOW] == "0"
    assert fragment.header == start()


def test_a_get_media_fragment_without_closing_tags_comes_with_the_next_header() -> None:
    reader = FragmentReader()

    waiting = reader.feed(get_media(closing=False))
    done = reader.feed(HEADER)

    assert waiting == []
    assert [fragment.number for fragment in done] == [NUMBER]
    assert done[0].continuation_token is None


def test_fragments_with_one_timecode_are_told_apart_by_their_numbers() -> None:
    other = get_media().replace(NUMBER.encode(), NUMBER[::-1].encode())

    numbers = [(fragment.timecode_ms, fragment.number) for fragment in read_all(get_media() + other)]

    assert numbers == [(0, NUMBER), (0, NUMBER[::-1])]


def test_the_archive_spells_its_timestamps_in_another_way() -> None:
    archived = {
        tags.FRAGMENT_NUMBER: "1",
        tags.SERVER_SIDE_TIMESTAMP: "2.5",
        tags.PRODUCER_SIDE_TIMESTAMP: "1.5",
    }

    (fragment,) = read_all(start() + encode_tags(archived) + cluster(0))

    assert (fragment.server_timestamp, fragment.producer_timestamp) == (2.5, 1.5)


def test_a_producers_tags_between_clusters_belong_to_one_fragment() -> None:
    data = (
        start()
        + encode_tags({"ENCODER": "x"})
        + cluster(0)
        + encode_tags({"gate": "3"})
        + cluster(1000)
        + cluster(2000)
    )

    fragments = read_all(data)

    assert [fragment.metadata for fragment in fragments] == [{}, {"gate": "3"}, {}]
    assert fragments[1].tags == {"ENCODER": "x", "gate": "3"}
    assert fragments[1].header.endswith(encode_tags({"gate": "3"}))


def test_tags_behind_a_cluster_of_unknown_size_belong_to_it() -> None:
    data = (
        start()
        + cluster(0, unknown_size=True)
        + encode_tags({"gate": "3"})
        + cluster(1000, unknown_size=True)
    )

    fragments = read_all(data)

    assert [fragment.metadata for fragment in fragments] == [{"gate": "3"}, {}]


def test_void_crc_cues_and_unimportant_children_are_passed_over() -> None:
    crc = ebml.element(ebml.CRC_32, b"1234")
    body = crc + timecode(5) + ebml.element(ebml.PREVIOUS_SIZE, b"\1") + VOID + simple_block(0)
    data = (
        start()
        + VOID
        + ebml.element(ebml.CLUSTER, body)
        + ebml.element(ebml.CUES, bytes(300))
        + cluster(1000)
    )

    fragments = read_all(data)

    assert [fragment.timecode_ms for fragment in fragments] == [5, 1000]
    assert fragments[0].frame(fragments[0].blocks[0]) == b"frame"


def test_block_groups_are_frames_with_a_duration() -> None:
    (fragment,) = read_all(start() + cluster(0, block_group(0), block_group(40, reference=True, duration=25)))

    assert [(block.key_frame, block.duration_ms) for block in fragment.blocks] == [(True, None), (False, 25)]
    assert fragment.duration_ms == 65


def test_a_laced_block_is_kept_as_it_is() -> None:
    (fragment,) = read_all(start() + cluster(0, simple_block(0, b"\1\5aaaaabbbbb", flags=0x06)))

    assert fragment.frame(fragment.blocks[0]) == b"\1\5aaaaabbbbb"


def test_the_timecode_scale_is_heeded() -> None:
    data = (
        HEADER
        + UNKNOWN_SEGMENT
        + info(100_000)
        + tracks(1)
        + cluster(25_000, simple_block(0), simple_block(400))
    )

    (fragment,) = read_all(data)

    assert fragment.timecode_ms == 2500
    assert fragment.blocks[1].offset_ms == 40


def test_a_segment_of_known_size_becomes_one_of_unknown_size() -> None:
    (fragment,) = read_all(HEADER + ebml.element(ebml.SEGMENT, tracks(1) + cluster(0)))

    assert fragment.header == start()


def test_a_truncated_last_fragment_is_not_given_but_reported() -> None:
    reader = FragmentReader()

    complete = reader.feed((start() + cluster(0) + cluster(1000))[:-1]) + reader.finish()

    assert [fragment.timecode_ms for fragment in complete] == [0]
    assert reader.truncated


def test_nothing_is_truncated_after_a_complete_stream() -> None:
    reader = FragmentReader()

    reader.feed(get_media())
    reader.finish()

    assert not reader.truncated


def test_good_fragments_in_front_of_garbage_are_given_before_the_error() -> None:
    reader = FragmentReader()

    good = reader.feed(start() + cluster(0) + b"\0garbage")

    assert len(good) == 1
    with pytest.raises(InvalidMatroskaError):
        reader.feed(b"")
    with pytest.raises(InvalidMatroskaError):
        reader.finish()


REFUSED = {
    "no Matroska at all": b"GIF89a, and more of it",
    "zeros": bytes(64),
    "a cluster first": cluster(0),
    "no Segment": HEADER + tracks(1) + cluster(0),
    "no tracks": HEADER + UNKNOWN_SEGMENT + cluster(0),
    "another kind of EBML": ebml.element(ebml.EBML_HEADER, ebml.element(ebml.DOC_TYPE, b"other")),
    "a second Segment": start() + UNKNOWN_SEGMENT,
    "tracks in the middle": start() + cluster(0) + tracks(1),
    "a frame longer than its cluster": start() + ebml.element(ebml.CLUSTER, timecode(0) + b"\xa3\xff"),
    "a frame before the timecode": start() + ebml.element(ebml.CLUSTER, simple_block(0)),
    "a cluster without a timecode": start() + ebml.element(ebml.CLUSTER, VOID) + cluster(0),
    "a frame without a header": start() + cluster(0, ebml.element(ebml.SIMPLE_BLOCK, b"\x81")),
    "an empty frame": start() + cluster(0, ebml.element(ebml.SIMPLE_BLOCK, b"")),
    "a group without a frame": start() + cluster(0, ebml.element(ebml.BLOCK_GROUP, b"")),
    "a group cut short": start() + cluster(0, ebml.element(ebml.BLOCK_GROUP, b"\xa1\x90a")),
    "an unknown element": start() + ebml.element(0x4DBB, b"x"),
    "an unknown element in a cluster": start() + cluster(0, ebml.element(0x4DBB, b"x")),
    "tags of unknown size": start() + bytes.fromhex("1254C367 ff"),
    "tags that lie about their size": start() + ebml.element(ebml.TAGS, b"\x73\x73\x90"),
    "a Segment inside a cluster of known size": start()
    + ebml.element(ebml.CLUSTER, timecode(0) + UNKNOWN_SEGMENT),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_matroska_is_refused_as_invalid_data(data: bytes) -> None:
    with pytest.raises(InvalidMatroskaError) as caught:
        read_all(data)

    assert caught.value.error_id == ErrorId.INVALID_MKV_DATA
    assert "\n" not in str(caught.value)


def test_more_than_three_tracks_are_refused() -> None:
    with pytest.raises(InvalidMatroskaError) as caught:
        read_all(start(1, 2, 3, 4))

    assert caught.value.error_id == ErrorId.MORE_THAN_ALLOWED_TRACKS_FOUND


@pytest.mark.parametrize("unknown_size", [False, True])
def test_a_fragment_that_is_too_large_is_refused_before_its_bytes_arrive(unknown_size: bool) -> None:
    reader = FragmentReader(max_fragment_bytes=1000)
    large = cluster(0, simple_block(0, bytes(2000)), unknown_size=unknown_size)

    with pytest.raises(InvalidMatroskaError) as caught:
        reader.feed(start() + large[:40])

    assert caught.value.error_id == ErrorId.MAX_FRAGMENT_SIZE_REACHED


def test_a_header_cannot_fill_the_memory() -> None:
    reader = FragmentReader()

    with pytest.raises(InvalidMatroskaError):
        reader.feed(start() + ebml.element(ebml.TAGS, bytes(5_000_000))[:20])


def test_a_second_header_in_one_request_is_refused_when_asked() -> None:
    with pytest.raises(InvalidMatroskaError):
        read_all(start() + cluster(0) + start(), single_segment=True)


STREAMS = [
    start()
    + VOID
    + cluster(0, simple_block(0, bytes(300)))
    + encode_tags({"gate": "3"})
    + cluster(900, block_group(7)),
    start()
    + cluster(0, unknown_size=True)
    + cluster(500, unknown_size=True)
    + ebml.element(ebml.CUES, bytes(40)),
    get_media() + get_media(closing=False) + get_media(),
    start() + cluster(0) + cluster(1000) + b"\0\0garbage",
]


def outcome(data: bytes, cuts: list[int]) -> tuple[list[Fragment], str]:
    reader, found = FragmentReader(), []
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    try:
        for begin, end in itertools.pairwise(edges):
            found += reader.feed(data[begin:end])
        found += reader.finish()
    except InvalidMatroskaError as error:
        return found, str(error)
    return found, ""


@given(data=st.sampled_from(STREAMS), cuts=st.lists(st.integers(0, 5000), max_size=40))
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_any_chunking_gives_the_same_fragments(data: bytes, cuts: list[int]) -> None:
    assert outcome(data, cuts) == outcome(data, [])


@pytest.mark.parametrize("data", STREAMS)
def test_single_bytes_give_the_same_fragments(data: bytes) -> None:
    assert outcome(data, list(range(len(data)))) == outcome(data, [])


@given(data=st.binary(max_size=200), position=st.integers(0, 400))
@settings(deadline=None, max_examples=300)
def test_damaged_bytes_are_refused_or_read_but_never_break_the_reader(data: bytes, position: int) -> None:
    good = STREAMS[2]

    found, _ = outcome(good[:position] + data + good[position:], [position])

    assert all(fragment.media for fragment in found)


def test_reading_takes_linear_time_also_in_small_chunks() -> None:
    def seconds(megabytes: int) -> float:
        data = start() + cluster(0, *(simple_block(0, bytes(9_990)) for _ in range(megabytes * 100)))
        reader, begin = FragmentReader(), time.process_time()
        for at in range(0, len(data), 1000):
            reader.feed(data[at : at + 1000])
        return time.process_time() - begin

    small, large = seconds(2), seconds(16)

    # Quadratic would be 64 times; the machine may be busy.
    assert large < 25 * max(small, 0.005)
