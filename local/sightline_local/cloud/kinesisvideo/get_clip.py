"""GetClip: an MP4 file of the archived fragments that start in a range of time."""

from datetime import timedelta
from typing import Any

from sightline_local.cloud.kinesisvideo.kept_video import StoredFragment
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.cloud.service import ServiceError
from sightline_media import Fragment, FragmentReader, MediaError, move, write_mp4

# "The first 100 MB, or the first 200 fragments": what lies behind is left out without a word.
MAX_BYTES = 100_000_000
MAX_FRAGMENTS = 200
MAX_RANGE = timedelta(hours=24)
# The documents say V_MPEG/ISO/AVC, real cameras send Matroska's own V_MPEG4/ISO/AVC.
_VIDEO_CODECS = frozenset({"V_MPEG/ISO/AVC", "V_MPEG4/ISO/AVC", "V_MPEGH/ISO/HEVC"})


def clip(store: FragmentStore, stream: VideoStream, params: dict[str, Any]) -> bytes:
    """The MP4; ServiceError as AWS answers."""
    refuse_without_retention(stream)
    selector = params["ClipFragmentSelector"]
    by_server_time = selector["FragmentSelectorType"] == "SERVER_TIMESTAMP"
    start, end = _range(store, selector["TimestampRange"], by_server_time=by_server_time)
    chosen = in_order(store.fragments(stream), by_server_time=by_server_time)
    chosen = _within_limits([each for each in chosen if start <= time_of(each, by_server_time) <= end])
    if not chosen:
        raise _not_found()
    fragments = [_on_one_time_line(_read(store, stream, each), each, chosen[0]) for each in chosen]
    try:
        return write_mp4(fragments)
    except MediaError as error:
        raise ServiceError("InvalidMediaFrameException", str(error)) from error


def refuse_without_retention(stream: VideoStream) -> None:
    if not stream.retention_hours:
        raise ServiceError("NoDataRetentionException", "The stream keeps no data: its retention is 0.")


def time_of(fragment: StoredFragment, by_server_time: bool) -> float:
    """Its start in epoch seconds, by the clock that was asked for."""
    return fragment.server_time if by_server_time else fragment.producer_time


def in_order(fragments: list[StoredFragment], *, by_server_time: bool) -> list[StoredFragment]:
    """In order of time; of two that start together the one that came last."""
    newest = {time_of(each, by_server_time): each for each in fragments}
    return [newest[time] for time in sorted(newest)]


def _range(store: FragmentStore, between: dict[str, Any], *, by_server_time: bool) -> tuple[float, float]:
    start, end = between["StartTimestamp"], between["EndTimestamp"]
    if not timedelta(0) < end - start <= MAX_RANGE:
        raise ServiceError(
            "InvalidArgumentException",
            "EndTimestamp must be later than StartTimestamp, and within 24 hours of it.",
        )
    if by_server_time and end > store.now():
        raise ServiceError(
            "InvalidArgumentException", "EndTimestamp of SERVER_TIMESTAMP must be in the past."
        )
    return start.timestamp(), end.timestamp()


def _within_limits(fragments: list[StoredFragment]) -> list[StoredFragment]:
    size = 0
    for count, fragment in enumerate(fragments):
        size += fragment.size_bytes
        if count == MAX_FRAGMENTS or size > MAX_BYTES:
            return fragments[:count]
    return fragments


def _read(store: FragmentStore, stream: VideoStream, stored: StoredFragment) -> Fragment:
    media = store.media(stream, stored)
    if media is None:
        raise _not_found()
    reader = FragmentReader()
    fragment = [*reader.feed(stored.header + media), *reader.finish()][0]
    _check_codec(fragment)
    return fragment


def _check_codec(fragment: Fragment) -> None:
    first = next((track for track in fragment.tracks if track.number == 1), None)
    if first is None or first.codec_id not in _VIDEO_CODECS:
        raise ServiceError(
            "UnsupportedStreamMediaTypeException",
            "The codec ID of track 1 must be V_MPEG/ISO/AVC or V_MPEGH/ISO/HEVC.",
        )
    if not first.codec_private:
        raise ServiceError(
            "MissingCodecPrivateDataException",
            "No codec private data was found in the video track of the stream.",
        )


def _on_one_time_line(fragment: Fragment, stored: StoredFragment, first: StoredFragment) -> Fragment:
    """Timecodes begin anew with each PutMedia; the producer's time goes on."""
    wanted_ms = round((stored.producer_time - first.producer_time) * 1000)
    return move(fragment, wanted_ms - fragment.timecode_ms)


def _not_found() -> ServiceError:
    return ServiceError(
        "ResourceNotFoundException", "No fragments found in the stream for the clip request.", status=404
    )
