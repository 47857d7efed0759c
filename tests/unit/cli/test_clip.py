"""The demo's own video."""

from fractions import Fraction
from pathlib import Path

import av
import pytest

from sightline_cli.demo.clip import SECONDS, WALKS, write_demo_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "demo.mkv"
    write_demo_clip(path)
    return path


def test_it_is_h264_of_the_expected_size_rate_and_length(clip: Path) -> None:
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        frames = [frame.pts * frame.time_base for frame in container.decode(video) if frame.pts is not None]

        assert video.codec_context.name == "h264"
        assert (video.codec_context.width, video.codec_context.height) == (640, 360)
        assert len(frames) == SECONDS * 15
        assert float(frames[-1]) == pytest.approx(SECONDS - 1 / 15, abs=0.01)


def test_every_second_begins_with_a_key_frame_and_no_frame_is_reordered(clip: Path) -> None:
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]

        keys = [
            round(float((packet.pts or 0) * (packet.time_base or Fraction(1))), 2)
            for packet in packets
            if packet.is_keyframe
        ]
        assert keys == [float(second) for second in range(SECONDS)]
        assert [packet.pts for packet in packets] == sorted(packet.pts or 0 for packet in packets)


def test_the_room_is_empty_first_and_last_and_the_stranger_comes_before_the_enrolled_person() -> None:
    order = sorted(WALKS, key=lambda walk: walk.seconds)

    assert order[0].portrait == "hopper"
    assert order[0].seconds[0] == 2
    assert max(walk.seconds[1] for walk in WALKS) == SECONDS - 1


def test_nobody_is_ever_too_small_for_the_detector() -> None:
    # The face takes a third of a portrait's height.
    assert all(min(walk.height) / 3 >= 70 for walk in WALKS)


def test_making_it_can_be_interrupted(tmp_path: Path) -> None:
    frames = iter([None] * 5)

    def check() -> None:
        if next(frames, "over") == "over":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo_clip(tmp_path / "demo.mkv", check)
