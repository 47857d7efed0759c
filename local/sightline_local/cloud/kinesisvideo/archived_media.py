"""ListFragments and GetMediaForFragmentList: what has been kept."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from sightline_local.cloud.kinesisvideo.kept_video import StoredFragment
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.cloud.paging import page
from sightline_local.cloud.service import ServiceError
from sightline_media import encode_tags, fragment_list_tags, tags

FRAGMENT_NOT_FOUND = 4000

# An EBML header for "matroska" and a Segment of unknown size: the status 200 has been sent before a fragment
# turns out to be missing, so that this can be said in tags only.
_EMPTY_FILE = bytes.fromhex("1a45dfa38b4282886d6174726f736b61 1853806701ffffffffffffff")


def list_fragments(store: FragmentStore, stream: VideoStream, params: dict[str, Any]) -> dict[str, Any]:
    """One page of the fragments in a range of time; JSON-ready, times in epoch seconds."""
    _refuse_without_retention(stream)
    place = _Place.of(params)
    chosen = {fragment.number: fragment for fragment in store.fragments(stream) if place.covers(fragment)}
    numbers, token = page(list(chosen), place.token, params.get("MaxResults", 100))
    listed: dict[str, Any] = {"Fragments": [_listed(chosen[number]) for number in numbers]}
    return listed | ({"NextToken": replace(place, token=token).encode()} if token else {})


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a listing is: what it lists, and the page before. A NextToken alone says both."""

    by_server_time: bool
    start: float
    end: float
    token: str | None = None

    @classmethod
    def of(cls, params: dict[str, Any]) -> Self:
        if "NextToken" in params:
            return cls._decoded(params["NextToken"])
        if "FragmentSelector" not in params:
            raise ServiceError(
                "InvalidArgumentException", "Either FragmentSelector or NextToken must be given."
            )
        selector = params["FragmentSelector"]
        between = selector["TimestampRange"]
        return cls(
            selector["FragmentSelectorType"] == "SERVER_TIMESTAMP",
            between["StartTimestamp"].timestamp(),
            between["EndTimestamp"].timestamp(),
        )

    @classmethod
    def _decoded(cls, token: str) -> Self:
        try:
            return cls(*json.loads(b64decode(token, validate=True)))
        except (ValueError, TypeError) as error:
            raise ServiceError(
                "InvalidArgumentException", "The NextToken is not one of ListFragments."
            ) from error

    def encode(self) -> str:
        return b64encode(
            json.dumps([self.by_server_time, self.start, self.end, self.token]).encode()
        ).decode()

    def covers(self, fragment: StoredFragment) -> bool:
        time = fragment.server_time if self.by_server_time else fragment.producer_time
        return self.start <= time <= self.end


def _listed(fragment: StoredFragment) -> dict[str, Any]:
    return {
        "FragmentNumber": fragment.number,
        "FragmentSizeInBytes": fragment.size_bytes,
        "ProducerTimestamp": fragment.producer_time,
        "ServerTimestamp": fragment.server_time,
        "FragmentLengthInMilliseconds": fragment.duration_ms,
    }
