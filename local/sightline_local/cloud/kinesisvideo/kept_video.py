"""Video streams and their fragments as facts; the bytes of fragments are in files (see shelf.py)."""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.state import Facts, FactsNotKeptError

_log = logging.getLogger(__name__)
_STREAM, _FRAGMENT, _HEADER = "kinesisvideo.stream", "kinesisvideo.fragment", "kinesisvideo.header"


@dataclass(frozen=True, slots=True)
class StoredFragment:
    """Times are epoch seconds, to the millisecond."""

    number: str
    server_time: float
    producer_time: float
    duration_ms: int
    size_bytes: int
    header: bytes


class KeptStreams:
    """The streams of a data directory."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def all(self) -> list[VideoStream]:
        return [VideoStream.decoded(value) for _, value in self._facts.all(_STREAM)]

    def keep(self, stream: VideoStream) -> None:
        self._facts.put(_STREAM, stream.arn, stream.encoded())

    def forget(self, stream: VideoStream) -> None:
        """With all its fragments."""
        prefix = f"{stream.slug}/"
        with self._facts.transaction():
            self._facts.delete(_STREAM, [stream.arn])
            for kind in (_FRAGMENT, _HEADER):
                self._facts.delete(kind, [key for key, _ in self._facts.all(kind, prefix)])

    def fragments_of(self, stream: VideoStream) -> "KeptFragments":
        return KeptFragments(self._facts, stream.slug)

    def remove_other_folders(self, folder: Path) -> None:
        """Those of streams that were deleted just before the end."""
        found = list(folder.iterdir()) if folder.is_dir() else []
        slugs = {
            stream.slug for stream in self.all()
        }  # asked second: a new stream has its fact before its folder
        for each in found:
            if each.name not in slugs:
                shutil.rmtree(each, ignore_errors=True)


class KeptFragments:
    """The fragments of one stream. Thousands share a header, so each header is kept once."""

    def __init__(self, facts: Facts, slug: str) -> None:
        self._facts = facts
        self._prefix = f"{slug}/"
        self._headers: dict[bytes, str] = {}

    def all(self) -> list[StoredFragment]:
        """In the order of their numbers, which have as many digits each."""
        headers = dict(self._facts.all(_HEADER, self._prefix))
        kept = [(key, json.loads(value)) for key, value in self._facts.all(_FRAGMENT, self._prefix)]
        used = {values[-1] for _, values in kept}
        self._facts.delete(_HEADER, [key for key in headers if key not in used])
        self._headers = {headers[key]: key for key in used}
        return [
            StoredFragment(key.removeprefix(self._prefix), server, producer, duration, size, headers[header])
            for key, (server, producer, duration, size, header) in kept
        ]

    def keep(self, fragment: StoredFragment) -> None:
        """FactsNotKeptError when there is no room for it."""
        header, known = self._headers.get(fragment.header), True
        if header is None:
            header, known = self._prefix + hashlib.sha256(fragment.header).hexdigest()[:32], False
        times = [fragment.server_time, fragment.producer_time, fragment.duration_ms, fragment.size_bytes]
        with self._facts.transaction():
            if not known:
                self._facts.put(_HEADER, header, fragment.header)
            self._facts.put(_FRAGMENT, self._prefix + fragment.number, json.dumps([*times, header]).encode())
        if self._facts.keeps:
            self._headers[fragment.header] = header

    def forget(self, numbers: Iterable[str]) -> None:
        """Their files are gone already, so what cannot be forgotten now is forgotten at the next start."""
        try:
            self._facts.delete(_FRAGMENT, [self._prefix + number for number in numbers])
        except FactsNotKeptError as error:
            _log.error("fragments could not be forgotten: %s", error)
