"""GetMedia: fragments from a chosen place on, and then live, each as a Matroska file of its own."""

from collections.abc import Callable, Iterator
from datetime import datetime
from time import monotonic
from typing import Any

from sightline_local.cloud.kinesisvideo.kept_video import StoredFragment
from sightline_local.cloud.kinesisvideo.ring import StreamGoneError
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.cloud.service import ServiceError
from sightline_media import closing_tags, encode_tags, get_media_tags

IDLE_SECONDS = 30.0
"""A reader of a silent stream is sent away after this long; boto3 alone would give up after 60."""

POLL_SECONDS = 0.5
"""How soon a reader that hung up, or a server that stops, is noticed."""


def start_after(store: FragmentStore, stream: VideoStream, selector: dict[str, Any]) -> int:
    """The number after which the chosen start lies."""
    kind = selector["StartSelectorType"]
    if kind == "NOW":
        return store.newest_number(stream)
    if kind == "EARLIEST":
        return 0
    if kind == "FRAGMENT_NUMBER":
        return _number(selector, "AfterFragmentNumber")
    if kind == "CONTINUATION_TOKEN":
        return _number(selector, "ContinuationToken")
    return _before_time(store.fragments(stream), kind, selector.get("StartTimestamp"))


def live_media(
    store: FragmentStore, stream: VideoStream, after: int, *, is_over: Callable[[], bool]
) -> Iterator[bytes]:
    """Bytes of every later fragment, waiting for those to come; ends when it is over, silent or deleted."""
    last_fragment_at = monotonic()
    while not is_over() and monotonic() - last_fragment_at < IDLE_SECONDS:
        try:
            fragment = store.wait_after(stream, after, POLL_SECONDS)
        except StreamGoneError:
            return
        if fragment is None:
            continue
        after = int(fragment.number)
        media = store.media(stream, fragment)
        if media is not None:
            yield _as_file(fragment, media, store.now())
        last_fragment_at = monotonic()


def _as_file(fragment: StoredFragment, media: bytes, now: datetime) -> bytes:
    behind_ms = max(0, round((now.timestamp() - fragment.server_time) * 1000))
    before = get_media_tags(fragment.number, fragment.server_time, fragment.producer_time)
    after = closing_tags(fragment.number, behind_ms)
    return fragment.header + encode_tags(before) + media + encode_tags(after)


def _number(selector: dict[str, Any], member: str) -> int:
    number = selector.get(member, "")
    if not number.isdecimal():
        kind = selector["StartSelectorType"]
        raise ServiceError(
            "InvalidArgumentException", f"A start selector {kind} needs {member}, a fragment number."
        )
    return int(number)


def _before_time(fragments: list[StoredFragment], kind: str, start: datetime | None) -> int:
    if start is None:
        raise ServiceError("InvalidArgumentException", f"A start selector {kind} needs StartTimestamp.")
    wanted = start.timestamp()
    for fragment in fragments:
        time = fragment.server_time if kind == "SERVER_TIMESTAMP" else fragment.producer_time
        if time >= wanted:
            return int(fragment.number) - 1
    return int(fragments[-1].number) if fragments else 0
