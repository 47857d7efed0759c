import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sightline_media import (
    Fragment,
    UndecodableFragmentError,
    decode_frame_at,
    decode_frames,
    draw_box,
    encode_jpeg,
    move,
    remux,
    save_jpeg,
)
from tests.unit.media.videos import make_video, picture, read_all


@pytest.fixture(scope="module")
def fragment(tmp_path_factory: pytest.TempPathFactory) -> Fragment:
    video = make_video(tmp_path_factory.mktemp("video") / "v.mp4", seconds=4, gop_seconds=2)
    return list(remux(video))[1]


def brightness(number: int) -> float:
    return float(picture(number).mean())


def test_all_frames_come_in_order_with_their_offsets(fragment: Fragment) -> None:
    frames = list(decode_frames(fragment))

    assert [round(frame.offset_seconds, 3) for frame in frames] == [number / 10 for number in range(20)]
    assert frames[3].rgb.shape == (64, 96, 3)
    assert frames[3].rgb.dtype == np.uint8
    assert frames[3].rgb.mean() == pytest.approx(brightness(23), abs=3)


@pytest.mark.parametrize(
    ("every", "offsets"),
    [
        (0.5, [0, 0.5, 1.0, 1.5]),
        (0.25, [0, 0.3, 0.5, 0.8, 1.0, 1.3, 1.5, 1.8]),
        (9, [0]),
        (0.1, None),
        (0.01, None),
    ],
)
def test_frames_are_sampled_by_time(fragment: Fragment, every: float, offsets: list[float] | None) -> None:
    sampled = [round(frame.offset_seconds, 3) for frame in decode_frames(fragment, every_seconds=every)]

    assert sampled == (offsets or [number / 10 for number in range(20)])


def test_offsets_count_from_the_fragments_own_timecode(fragment: Fragment) -> None:
    moved = move(fragment, 1_795_363_200_000)

    assert [frame.offset_seconds for frame in decode_frames(moved, 1)] == pytest.approx([0, 1])


@pytest.mark.parametrize(("asked", "given"), [(0.0, 0), (0.52, 5), (0.58, 6), (-1, 0), (99, 19)])
def test_the_nearest_frame_is_given(fragment: Fragment, asked: float, given: int) -> None:
    frame = decode_frame_at(fragment, asked)

    assert frame.offset_seconds == pytest.approx(given / 10)
    assert frame.rgb.mean() == pytest.approx(brightness(20 + given), abs=3)


@pytest.mark.media
def test_real_get_media_fragments_decode(media: Path) -> None:
    fragments = read_all((media / "kvs/output_get_media.mkv").read_bytes())

    counts = [len(list(decode_frames(fragment))) for fragment in fragments]

    # ffmpeg may keep the last frame of a fragment.
    assert all(count in (59, 60) for count in counts)


@pytest.mark.media
def test_a_fragment_that_begins_with_b_frames_in_front_has_offsets_from_zero(media: Path) -> None:
    (fragment,) = remux(media / "asl/again.mkv")

    offsets = [frame.offset_seconds for frame in decode_frames(fragment)]

    assert offsets == sorted(offsets)
    assert offsets[0] == 0


def test_a_fragment_without_pictures_is_an_error(fragment: Fragment) -> None:
    noise = replace(fragment, cluster=fragment.cluster[:20] + bytes(len(fragment.cluster) - 20))
    headless = replace(fragment, header=b"nothing")

    for broken in (noise, headless):
        with pytest.raises(UndecodableFragmentError):
            list(decode_frames(broken))
        with pytest.raises(UndecodableFragmentError):
            decode_frame_at(broken, 0.0)


def test_a_box_is_drawn_where_the_ratios_say_on_a_copy() -> None:
    black = np.zeros((200, 400, 3), np.uint8)

    drawn = draw_box(black, (0.25, 0.5, 0.5, 0.25), "Ada 98 %")

    assert not black.any()
    assert drawn.shape == black.shape
    assert drawn[100, 200].any()
    assert drawn[150, 200].any()
    assert drawn[125, 100].any()
    assert not drawn[125, 200].any()
    assert drawn[85:99, 102:130].any()


@pytest.mark.parametrize(
    "box", [(0, 0, 1, 1), (-0.2, -0.1, 0.5, 0.5), (0.9, 0.9, 0.5, 0.5), (0.5, 0.5, 0, 0)]
)
def test_a_box_at_the_edge_or_beyond_is_drawn_as_far_as_it_is_seen(box: tuple[float, ...]) -> None:
    left, top, width, height = box

    drawn = draw_box(np.zeros((100, 100, 3), np.uint8), (left, top, width, height), "Ada")

    assert drawn.any()


def test_pictures_become_jpeg(tmp_path: Path) -> None:
    rgb = picture(5)

    save_jpeg(tmp_path / "p.jpg", rgb)

    assert (tmp_path / "p.jpg").read_bytes() == encode_jpeg(rgb)
    with Image.open(io.BytesIO(encode_jpeg(rgb))) as image:
        assert (image.format, image.size) == ("JPEG", (96, 64))
