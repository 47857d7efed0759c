"""ListFragments and GetMediaForFragmentList: what has been kept."""

from collections.abc import Iterator
from typing import Any

from sightline_media import encode_tags, fragment_list_tags, tags

from sightline_local.cloud.kinesisvideo.ring import StoredFragment
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.cloud.paging import page
from sightline_local.cloud.service import ServiceError

FRAGMENT_NOT_FOUND = 4000

# An EBML header for "matroska" and a Segment of unknown size: the status 200 has been sent before a fragment
# turns out to be missing, so that this can be said in tags only.
_EMPTY_FILE = bytes.fromhex("1a45dfa38b4282886d6174726f736b61 1853806701ffffffffffffff")


def list_fragments(store: FragmentStore, stream: VideoStream, params: dict[str, Any]) -> dict[str, Any]:
    """One page of the fragments in a range of time; JSON-ready, times in epoch seconds."""
    _refuse_without_retention(stream)
    selector = params.get("FragmentSelector")
    chosen = {f.number: f for f in store.fragments(stream) if selector is None or _is_within(f, selector)}
    numbers, token = page(list(chosen), params.get("NextToken"), params.get("MaxResults", 100))
    listed: dict[str, Any] = {"Fragments": [_listed(chosen[number]) for number in numbers]}
    return listed | ({"NextToken": token} if token else {})


def chosen_media(store: FragmentStore, stream: VideoStream, numbers: list[str]) -> Iterator[bytes]:
    """Each fragment as a file of its own, in the order asked for; a missing one ends it, as its tags say."""
    for number in numbers:
        fragment = store.find(stream, number)
        media = store.media(stream, fragment) if fragment else None
        if fragment is None or media is None:
            yield _EMPTY_FILE + encode_tags(_missing(number))
            return
        before = fragment_list_tags(fragment.number, fragment.server_time, fragment.producer_time)
        yield fragment.header + encode_tags(before) + media


def _missing(number: str) -> dict[str, str]:
    return {
        tags.FRAGMENT_NUMBER: number,
        tags.EXCEPTION_ERROR_CODE: str(FRAGMENT_NOT_FOUND),
        tags.EXCEPTION_MESSAGE: "Requested fragment is not found",
    }


def _refuse_without_retention(stream: VideoStream) -> None:
    if not stream.retention_hours:
        raise ServiceError(
            "ResourceNotFoundException", "The stream keeps no data: its retention is 0.", status=404
        )


def _is_within(fragment: StoredFragment, selector: dict[str, Any]) -> bool:
    is_server_time = selector["FragmentSelectorType"] == "SERVER_TIMESTAMP"
    time = fragment.server_time if is_server_time else fragment.producer_time
    between = selector["TimestampRange"]
    return bool(between["StartTimestamp"].timestamp() <= time <= between["EndTimestamp"].timestamp())


def _listed(fragment: StoredFragment) -> dict[str, Any]:
    return {
        "FragmentNumber": fragment.number,
        "FragmentSizeInBytes": fragment.size_bytes,
        "ProducerTimestamp": fragment.producer_time,
        "ServerTimestamp": fragment.server_time,
        "FragmentLengthInMilliseconds": fragment.duration_ms,
    }
