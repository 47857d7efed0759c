"""MP4 from fragments: every frame is there, at its time, and none was encoded again."""

import io
from pathlib import Path

import av
import pytest

from sightline_media import Fragment, FragmentReader, UnsupportedVideoError, join_mp4, move, remux, write_mp4
from tests.fakes.matroska import cluster, head


@pytest.fixture(scope="module")
def film(media: Path) -> list[Fragment]:
    """15 frames a second in fragments of 2 s."""
    return list(remux(media / "derived" / "demo_astronaut_hopper.mkv"))[:6]


def packets_of(movie: bytes) -> list[tuple[float, bytes]]:
    with av.open(io.BytesIO(movie), format="mp4") as container:
        (stream,) = container.streams
        return [
            (float(each.pts * each.time_base), bytes(each)) for each in container.demux(stream) if each.size
        ]


@pytest.mark.media
def test_an_mp4_holds_the_frames_as_they_were(film: list[Fragment]) -> None:
    packets = packets_of(write_mp4(film))

    frames = [(fragment, block) for fragment in film for block in fragment.blocks]
    assert [data for _, data in packets] == [fragment.frame(block) for fragment, block in frames]
    for (time, _), (fragment, block) in zip(packets, frames, strict=True):
        assert time == pytest.approx((fragment.timecode_ms + block.offset_ms) / 1000, abs=0.002)


@pytest.mark.media
def test_time_begins_at_zero_whatever_the_timecodes_are(film: list[Fragment]) -> None:
    late = [move(fragment, 3_600_000) for fragment in film[3:]]

    assert packets_of(write_mp4(late))[0][0] == pytest.approx(0, abs=0.002)


@pytest.mark.media
def test_parts_joined_are_the_whole(film: list[Fragment]) -> None:
    parts = [(film[n].timecode_ms / 1000, write_mp4(film[n : n + 2])) for n in (0, 2, 4)]

    joined, whole = packets_of(join_mp4(parts)), packets_of(write_mp4(film))

    assert [data for _, data in joined] == [data for _, data in whole]
    assert [time for time, _ in joined] == pytest.approx([time for time, _ in whole], abs=0.002)


@pytest.mark.media
def test_what_a_part_repeats_is_left_out(film: list[Fragment]) -> None:
    parts = [(0.0, write_mp4(film[:4])), (film[3].timecode_ms / 1000, write_mp4(film[3:]))]

    assert [data for _, data in packets_of(join_mp4(parts))] == [
        data for _, data in packets_of(write_mp4(film))
    ]


@pytest.mark.media
def test_a_gap_between_parts_stays_a_gap(film: list[Fragment]) -> None:
    joined = packets_of(join_mp4([(0.0, write_mp4(film[:1])), (10.0, write_mp4(film[5:]))]))

    assert joined[len(film[0].blocks)][0] == pytest.approx(10, abs=0.002)


def test_what_is_no_video_makes_no_mp4() -> None:
    reader = FragmentReader()
    fragments = [*reader.feed(head() + cluster(0)), *reader.finish()]

    with pytest.raises(UnsupportedVideoError):
        write_mp4(fragments)
    with pytest.raises(UnsupportedVideoError):
        join_mp4([(0.0, b"no video")])
