from pathlib import Path

import pytest

from sightline_media import Fragment, UnsupportedVideoError, check_fragment, decode_frames, remux
from tests.unit.media.videos import join_files, make_sound, make_video, packet_count

VIDEOS = [
    *(f"kvs/{name}.mkv" for name in ("clusters", "output_get_media", "output-get-media-equal-timecode")),
    "kvs/output_get_media_sparse_fragments.mkv",
    *(
        f"asl/{word}.mkv"
        for word in (
            [
                "again",
                "bird",
                "book",
                "brother",
                "eat",
                "learn",
                "milk",
                "night",
                "no",
                "please",
                "sorry",
                "student",
                "thanks",
                "walk",
                "yes",
            ]
        )
    ),
    *(f"derived/{name}.mkv" for name in ("asl_watchlist_stream", "demo_astronaut_hopper")),
    *(
        f"derived/{name}.mp4"
        for name in (
            "classroom",
            "face-demographics-walking-and-pause",
            "head-pose-face-detection-female-and-male",
            "head-pose-face-detection-female",
            "head-pose-face-detection-male",
            "one-by-one-person-detection_20s",
        )
    ),
]


def starts(fragments: list[Fragment]) -> list[int]:
    return [fragment.timecode_ms for fragment in fragments]


def refusal(path: Path) -> str:
    with pytest.raises(UnsupportedVideoError) as caught:
        list(remux(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_acceptable(fragments: list[Fragment]) -> None:
    """The service would take every fragment, and each decodes alone."""
    previous = None
    for fragment in fragments:
        check_fragment(fragment, previous)
        assert fragment.starts_with_key_frame
        assert fragment.header == fragments[0].header
        assert fragment.duration_ms >= 995 or len(fragments) == 1
        assert any(True for _ in decode_frames(fragment, every_seconds=100))
        previous = fragment


@pytest.mark.media
@pytest.mark.parametrize("name", VIDEOS)
def test_every_real_video_becomes_fragments_that_lose_no_frame(media: Path, name: str) -> None:
    fragments = list(remux(media / name))

    assert_acceptable(fragments)
    assert fragments[0].timecode_ms == 0
    assert sum(len(fragment.blocks) for fragment in fragments) == packet_count(media / name)


@pytest.mark.media
def test_the_list_of_real_videos_is_complete(media: Path) -> None:
    found = {f"{path.parent.name}/{path.name}" for path in media.rglob("*.m[kp][v4]")}

    # These two hold a header and tags, but not one frame.
    assert found - set(VIDEOS) == {"kvs/empty-mkv-with-tags.mkv", "kvs/test_tags_empty_cluster.mkv"}


@pytest.mark.media
@pytest.mark.parametrize("name", ["empty-mkv-with-tags.mkv", "test_tags_empty_cluster.mkv"])
def test_real_files_without_a_frame_are_refused_in_one_line(media: Path, name: str) -> None:
    assert name in refusal(media / "kvs" / name)


@pytest.mark.media
def test_repeated_timecodes_of_a_get_media_recording_go_on_in_time(media: Path) -> None:
    fragments = list(remux(media / "kvs/output-get-media-equal-timecode.mkv"))

    assert starts(fragments) == [0, 5005]


def test_each_group_of_pictures_is_one_fragment_also_the_partial_last(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=5.5, gop_seconds=2)

    fragments = list(remux(video))

    assert starts(fragments) == [0, 2000, 4000]
    assert [fragment.duration_ms for fragment in fragments] == [2000, 2000, 1500]
    assert_acceptable(fragments)


def test_short_groups_are_joined_until_they_last_a_second(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=4, gop_seconds=0.3)

    fragments = list(remux(video))

    assert starts(fragments) == [0, 1200, 2400]
    assert_acceptable(fragments)
    assert sum(len(fragment.blocks) for fragment in fragments) == 40


def test_a_short_end_is_joined_to_the_fragment_before_it(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=4.4, gop_seconds=2)

    fragments = list(remux(video))

    assert [fragment.duration_ms for fragment in fragments] == [2000, 2400]


def test_a_video_shorter_than_a_second_is_one_fragment(tmp_path: Path) -> None:
    (fragment,) = remux(make_video(tmp_path / "v.mp4", seconds=0.5))

    assert len(fragment.blocks) == 5


@pytest.mark.parametrize("gop_seconds", [1, 2.9])
def test_groups_of_one_second_are_not_joined_because_of_rounding(tmp_path: Path, gop_seconds: float) -> None:
    video = make_video(tmp_path / "v.mkv", seconds=8.7, fps=30, gop_seconds=gop_seconds)

    assert starts(list(remux(video)))[1] == gop_seconds * 1000


def test_b_frames_are_kept_and_no_fragment_overlaps_another(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=6, gop_seconds=2, b_frames=3)

    fragments = list(remux(video))

    offsets = [block.offset_ms for block in fragments[0].blocks]
    assert offsets != sorted(offsets)
    assert starts(fragments) == [0, 2000, 4000]
    assert_acceptable(fragments)
    assert [len(list(decode_frames(fragment))) for fragment in fragments] == [20, 20, 20]


@pytest.mark.parametrize("start_seconds", [-3.0, 1000.0])
def test_time_begins_at_zero_wherever_the_file_begins(tmp_path: Path, start_seconds: float) -> None:
    video = make_video(tmp_path / "v.mkv", seconds=4, gop_seconds=2, b_frames=2, start_seconds=start_seconds)

    fragments = list(remux(video))

    assert starts(fragments) == [0, 2000]
    assert_acceptable(fragments)


@pytest.mark.parametrize(("name", "container"), [("v.ts", "mpegts"), ("v.h264", "h264"), ("v.avi", "avi")])
def test_annex_b_becomes_avcc(tmp_path: Path, name: str, container: str) -> None:
    video = make_video(tmp_path / name, seconds=4, gop_seconds=2, container=container)

    fragments = list(remux(video))

    assert sum(len(fragment.blocks) for fragment in fragments) == 40
    assert fragments[0].tracks[0].codec_id == "V_MPEG4/ISO/AVC"
    assert fragments[0].tracks[0].codec_private[0] == 1
    assert not fragments[0].frame(fragments[0].blocks[0]).startswith((b"\0\0\0\1", b"\0\0\1"))
    assert_acceptable(fragments)
    assert len(list(decode_frames(fragments[-1]))) == len(fragments[-1].blocks)


def test_a_raw_stream_whose_frames_are_out_of_order_is_refused(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.h264", seconds=4, b_frames=2, container="h264")

    assert "does not say when its frames are shown" in refusal(video)


def test_sound_beside_the_video_is_left_out(tmp_path: Path) -> None:
    video, sound = make_video(tmp_path / "v.mp4", seconds=2), make_sound(tmp_path / "s.mp4")
    join_files(tmp_path / "both.mp4", sound, video)

    fragments = list(remux(tmp_path / "both.mp4"))

    assert [track.codec_id for track in fragments[0].tracks] == ["V_MPEG4/ISO/AVC"]
    assert_acceptable(fragments)


def test_key_frames_more_than_twenty_seconds_apart_are_refused(tmp_path: Path) -> None:
    video = make_video(tmp_path / "long.mp4", seconds=30, fps=5, gop_seconds=25)

    assert "key frames of long.mp4 are more than 20 s apart" in refusal(video)


def test_key_frames_twenty_seconds_apart_are_accepted(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=30, fps=5, gop_seconds=20)

    assert starts(list(remux(video))) == [0, 20_000]


def test_another_codec_is_refused_with_the_way_out(tmp_path: Path) -> None:
    message = refusal(make_video(tmp_path / "old.mp4", codec="mpeg4"))

    assert "old.mp4 is mpeg4, only H.264" in message
    assert "ffmpeg -i" in message


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    assert refusal(make_sound(tmp_path / "song.mp4")) == "song.mp4 has no video"


@pytest.mark.parametrize("content", [b"", b"not a video at all " * 200, bytes(4096)])
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.txt").write_bytes(content)

    assert refusal(tmp_path / "notes.txt").startswith("notes.txt is not a video that can be read")


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nothing.mp4")
    assert "is not a video that can be read" in refusal(tmp_path)


def test_a_cut_file_gives_what_can_be_read(tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mkv", seconds=6, gop_seconds=2)
    video.write_bytes(video.read_bytes()[:-300])

    fragments = list(remux(video))

    assert starts(fragments)[:2] == [0, 2000]
    assert 40 < sum(len(fragment.blocks) for fragment in fragments) < 60
    assert_acceptable(fragments)
