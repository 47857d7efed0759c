"""An archive whose camera still films, a studio without video, and a vault that writes once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sightline.errors import UnavailableError
from sightline.evidence.model import (
    FRAME,
    THUMBNAIL,
    UNBOXED,
    EvidenceRequest,
    ListedFragment,
    Manifest,
    RecordedFragment,
    Span,
    StoredFile,
    UnreadableVideoError,
)
from tests.fakes.devices import FakeClock

FILM_BEGAN = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
STREAM_ARN = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/sightline-gate-3/1732280000000"


def an_alert(**changes: Any) -> dict[str, Any]:
    """The members of an alert's body that evidence needs: by default the frame 1.5 s into fragment 100."""
    evidence = {
        "status": "pending",
        "video_stream_arn": STREAM_ARN,
        "fragment_number": "100",
        "frame_offset_seconds": 1.5,
        "box": {"left": 0.25, "top": 0.25, "width": 0.5, "height": 0.5},
    }
    body = {
        "alert_id": "al-0123456789abcdef",
        "person": {"id": "ada", "name": "Ada Lovelace"},
        "similarity": 97.25,
        "seen_at": "2026-11-22T13:03:20.000Z",
        "evidence": evidence,
        "schema_version": 1,
    }
    return body | changes


@dataclass
class FakeArchive:
    """Fragment number n runs from `FILM_BEGAN` + 2n s for 2 s, and can be read `delay` after its end.

    The camera films from fragment `oldest` to `newest`; its clock may be wrong by `skew`.
    """

    clock: FakeClock
    oldest: int = 0
    newest: int = 10_000
    delay: timedelta = timedelta(seconds=1)
    skew: timedelta = timedelta()
    fragment_bytes: int = 500_000
    refusal: Exception | None = None
    clips: list[Span] = field(default_factory=list)

    def fragment(self, _stream_arn: str, number: str) -> RecordedFragment | None:
        if self.refusal:
            raise self.refusal
        start = self._start(int(number))
        if not self._is_there(int(number)):
            return None
        return RecordedFragment(start + self.skew, start + timedelta(seconds=2), number.encode())

    def listed(self, _stream_arn: str, begin: datetime, end: datetime) -> list[ListedFragment]:
        there = (
            ListedFragment(self._start(number) + self.skew, timedelta(seconds=2), self.fragment_bytes)
            for number in range(self.oldest, min(self.newest, self.oldest + 1000) + 1)
            if self._is_there(number)
        )
        return [each for each in reversed(list(there)) if begin <= each.start <= end]

    def clip(self, _stream_arn: str, span: Span) -> bytes:
        self.clips.append(span)
        return b"mp4 from %d" % (span.first_start - self.skew - FILM_BEGAN).total_seconds()

    def _start(self, number: int) -> datetime:
        return FILM_BEGAN + timedelta(seconds=2 * number)

    def _is_there(self, number: int) -> bool:
        ready = self._start(number) + timedelta(seconds=2) + self.delay
        return self.oldest <= number <= self.newest and self.clock() >= ready


@dataclass
class FakeStudio:
    is_blind: bool = False

    def pictures(self, media: bytes, request: EvidenceRequest) -> Mapping[str, bytes]:
        if self.is_blind:
            raise UnreadableVideoError("no picture can be decoded")
        return {name: name.encode() + b" of " + media for name in (FRAME, UNBOXED, THUMBNAIL)}

    def join(self, parts: Sequence[tuple[float, bytes]]) -> bytes:
        return b" + ".join(b"%d: %b" % (start, part) for start, part in parts)


@dataclass
class FakeVault:
    objects: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    fails_at: Callable[[str], bool] = lambda _name: False

    def is_closed(self, alert_id: str) -> bool:
        return alert_id in self.manifests

    def keep(self, alert_id: str, name: str, content: bytes) -> StoredFile:
        if self.fails_at(name):
            raise UnavailableError("the bucket is busy")
        return StoredFile.of(name, self.objects.setdefault((alert_id, name), content))

    def close(self, manifest: Manifest) -> None:
        if self.fails_at("manifest.json"):
            raise UnavailableError("the bucket is busy")
        self.manifests.setdefault(manifest.request.alert_id, manifest)
