"""GetImages: pictures out of the archive at a steady interval, page by page."""

import json
from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import count, takewhile
from typing import Any

from PIL import Image

from sightline_local.cloud.kinesisvideo.get_clip import in_order, refuse_without_retention, time_of
from sightline_local.cloud.kinesisvideo.kept_video import StoredFragment
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.cloud.service import ServiceError
from sightline_media import Fragment, FragmentReader, MediaError, decode_frame_at

MAX_WINDOW_SECONDS = 300
MIN_INTERVAL_MS = 200
DEFAULT_INTERVAL_MS = 3000
# "Providing a MaxResults greater than this value will result in a page size of 25."
PAGE = 25
MAX_CONTENT_CHARACTERS = 6_291_456
DEFAULT_QUALITY = 80


def images(store: FragmentStore, stream: VideoStream, params: dict[str, Any]) -> dict[str, Any]:
    """One page, JSON-ready; a picture that cannot be had says why in its own entry."""
    refuse_without_retention(stream)
    request = _Request.of(params)
    film = _Film(store, stream, by_server_time=params["ImageSelectorType"] == "SERVER_TIMESTAMP")
    times = request.times()
    start = _place(params.get("NextToken"))
    size = min(params.get("MaxResults", PAGE), PAGE)
    answer: dict[str, Any] = {"Images": [_image(film, request, time) for time in times[start : start + size]]}
    if start + size < len(times):
        answer["NextToken"] = b64encode(json.dumps(start + size).encode()).decode()
    return answer


def _image(film: "_Film", request: "_Request", time: float) -> dict[str, Any]:
    """`ImageContent` or `Error`, never both."""
    found = film.at(time)
    if found is None:
        return {"TimeStamp": time, "Error": "NO_MEDIA"}
    fragment, offset = found
    try:
        content = b64encode(request.encode(Image.fromarray(decode_frame_at(fragment, offset).rgb))).decode()
    except MediaError:
        return {"TimeStamp": time, "Error": "MEDIA_ERROR"}
    if len(content) > MAX_CONTENT_CHARACTERS:
        return {"TimeStamp": time, "Error": "MEDIA_ERROR"}
    return {"TimeStamp": time, "ImageContent": content}


def _place(token: str | None) -> int:
    if token is None:
        return 0
    try:
        return max(0, int(b64decode(token, validate=True)))
    except ValueError as error:
        raise _refused("The NextToken is not one of GetImages.") from error


def _refused(message: str) -> ServiceError:
    return ServiceError("InvalidArgumentException", message)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked for, checked. Times in epoch seconds."""

    start: float
    end: float
    interval_ms: int
    format: str
    quality: int
    size: tuple[int, int] | None

    @classmethod
    def of(cls, params: dict[str, Any]) -> "_Request":
        start, end = params["StartTimestamp"].timestamp(), params["EndTimestamp"].timestamp()
        if not 0 < end - start <= MAX_WINDOW_SECONDS:
            raise _refused("EndTimestamp must be later than StartTimestamp, and within 300 seconds of it.")
        interval = params.get("SamplingInterval", DEFAULT_INTERVAL_MS)
        if interval < MIN_INTERVAL_MS:
            raise _refused("SamplingInterval must be at least 200 ms.")
        width, height = params.get("WidthPixels"), params.get("HeightPixels")
        # AWS contradicts itself about one alone; refused is the reading that surprises nobody later.
        if (width is None) != (height is None):
            raise ServiceError("ValidationException", "WidthPixels and HeightPixels go together.")
        size = (width, height) if width and height else None
        return cls(start, end, interval, params["Format"], _quality(params.get("FormatConfig", {})), size)

    def times(self) -> list[float]:
        every = (round(self.start + n * self.interval_ms / 1000, 3) for n in count())
        return list(takewhile(lambda time: time <= self.end, every))

    def encode(self, picture: Image.Image) -> bytes:
        if self.size:
            picture = picture.resize(self.size)
        out = BytesIO()
        picture.save(out, self.format, **({"quality": self.quality} if self.format == "JPEG" else {}))
        return out.getvalue()


def _quality(config: dict[str, str]) -> int:
    text = config.get("JPEGQuality", str(DEFAULT_QUALITY))
    if config.keys() - {"JPEGQuality"} or not text.isdecimal() or not 1 <= int(text) <= 100:
        raise _refused("FormatConfig is one JPEGQuality from 1 to 100.")
    return int(text)


class _Film:
    """The fragments of a stream by time; the last one read is kept, since samples come in order."""

    def __init__(self, store: FragmentStore, stream: VideoStream, *, by_server_time: bool) -> None:
        self._store, self._stream = store, stream
        self._fragments = in_order(store.fragments(stream), by_server_time=by_server_time)
        self._starts = [time_of(each, by_server_time) for each in self._fragments]
        self._read: tuple[str, Fragment] | None = None

    def at(self, time: float) -> tuple[Fragment, float] | None:
        """The fragment that runs at `time`, and how far into it that is in seconds."""
        index = bisect_right(self._starts, time) - 1
        if index < 0:
            return None
        offset = time - self._starts[index]
        if offset * 1000 >= max(self._fragments[index].duration_ms, 1):
            return None
        fragment = self._fragment(self._fragments[index])
        return (fragment, offset) if fragment else None

    def _fragment(self, stored: StoredFragment) -> Fragment | None:
        if self._read is None or self._read[0] != stored.number:
            media = self._store.media(self._stream, stored)
            found = next(_fragments(stored.header + media), None) if media is not None else None
            if found is None:
                return None
            self._read = (stored.number, found)
        return self._read[1]


def _fragments(media: bytes) -> Iterator[Fragment]:
    reader = FragmentReader()
    yield from reader.feed(media)
    yield from reader.finish()
