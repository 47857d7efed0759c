from pathlib import Path

import pytest

from sightline_media import (
    Fragment,
    FragmentReader,
    closing_tags,
    encode_tags,
    fragment_list_tags,
    get_media_tags,
    join,
    move,
    tags,
    write_get_media_fragment,
)
from tests.unit.media.matroska import cluster, simple_block, start
from tests.unit.media.videos import read_all

SERVICE_BEFORE = (tags.FRAGMENT_NUMBER, tags.SERVER_TIMESTAMP, tags.PRODUCER_TIMESTAMP)
SERVICE_AFTER = (tags.MILLIS_BEHIND_NOW, tags.CONTINUATION_TOKEN)


def pick(fragment: Fragment, names: tuple[str, ...]) -> dict[str, str]:
    return {name: fragment.tags[name] for name in names if name in fragment.tags}


@pytest.mark.media
@pytest.mark.parametrize("name", ["output_get_media.mkv", "output_get_media_sparse_fragments.mkv"])
def test_what_kinesis_video_really_sent_is_written_byte_for_byte(media: Path, name: str) -> None:
    sent = (media / "kvs" / name).read_bytes()

    written = [
        write_get_media_fragment(fragment, pick(fragment, SERVICE_BEFORE), pick(fragment, SERVICE_AFTER))
        for fragment in read_all(sent)
    ]

    assert b"".join(written) == sent


def test_get_media_tags_are_spelled_as_the_service_spells_them() -> None:
    before, after = get_media_tags("47", 1511852109.126, 1511852108.5), closing_tags("47", 15858)

    assert before == {
        "AWS_KINESISVIDEO_FRAGMENT_NUMBER": "47",
        "AWS_KINESISVIDEO_SERVER_TIMESTAMP": "1511852109.126",
        "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP": "1511852108.500",
    }
    assert after == {
        "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW": "15858",
        "AWS_KINESISVIDEO_CONTINUATION_TOKEN": "47",
    }
    assert "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP" in fragment_list_tags("47", 1.0, 2.0)


def test_a_written_fragment_is_read_back_with_its_tags() -> None:
    (sent,) = read_all(start() + cluster(40))

    (read,) = FragmentReader().feed(
        write_get_media_fragment(sent, get_media_tags("47", 2.0, 1.0), closing_tags("47", 0))
    )

    assert (read.number, read.server_timestamp, read.producer_timestamp) == ("47", 2.0, 1.0)
    assert (read.header, read.cluster) == (sent.header, sent.cluster)


def test_no_tags_are_no_element() -> None:
    assert encode_tags({}) == b""


def test_a_moved_fragment_has_the_same_frames_later() -> None:
    (fragment,) = read_all(
        start() + cluster(100, simple_block(0, b"a"), simple_block(40, b"b", key_frame=False))
    )

    moved = move(fragment, 5000)

    assert moved.timecode_ms == 5100
    assert read_all(moved.media) == [moved]
    assert [moved.frame(block) for block in moved.blocks] == [b"a", b"b"]
    assert [block.key_frame for block in moved.blocks] == [True, False]


def test_joined_fragments_begin_with_their_earliest_frame() -> None:
    early = simple_block(-40, b"early", key_frame=False)
    parts = read_all(
        start() + cluster(100, simple_block(0, b"a"), early) + cluster(200, simple_block(0, b"c"))
    )

    joined = join(parts)

    assert joined.timecode_ms == 60
    assert [block.offset_ms for block in joined.blocks] == [40, 0, 140]
    assert [joined.frame(block) for block in joined.blocks] == [b"a", b"early", b"c"]
    assert read_all(joined.media) == [joined]
