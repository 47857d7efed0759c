"""Collect what proves an alert, once Kinesis Video has it; to do it again changes nothing.

Each file is written once and never replaced, the manifest last: its hashes are those of the files as they
lie in the bucket, whichever of two invocations wrote them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sightline.clock import Clock
from sightline.errors import UnavailableError
from sightline.evidence.model import (
    CLIP,
    FACE_RECORD,
    FRAME,
    LONGEST_FRAGMENT,
    MARGIN,
    THUMBNAIL,
    UNBOXED,
    ClipTimes,
    EvidenceRequest,
    ListedFragment,
    Manifest,
    NoVideoError,
    RecordedFragment,
    Span,
    StoredFile,
    UnreadableVideoError,
    overlapping,
    spans_of,
)

# What one invocation waits at the most: the clip's end, the longest fragment and its way take 35 s.
PATIENCE = timedelta(seconds=60)
POLL = timedelta(seconds=2)
# Nothing that ends later than this after the wanted end of the clip is still on its way.
SETTLED_AFTER = LONGEST_FRAGMENT + timedelta(seconds=5)
# Lambda tries again one minute after a failure, then two: the later attempts take "not there" for an answer.
GIVE_UP_AFTER = timedelta(seconds=150)


class Archive(Protocol):
    """The recorded video; UnavailableError when it does not answer, NoVideoError when it never will."""

    def fragment(self, stream_arn: str, number: str) -> RecordedFragment | None:
        """None: it is not there (yet)."""
        ...

    def listed(self, stream_arn: str, begin: datetime, end: datetime) -> list[ListedFragment]:
        """The fragments that start between, by the producer's time, in any order."""
        ...

    def clip(self, stream_arn: str, span: Span) -> bytes:
        """An MP4 file."""
        ...


class Studio(Protocol):
    def pictures(self, media: bytes, request: EvidenceRequest) -> Mapping[str, bytes]:
        """Frame, unboxed copy and thumbnail by their names; UnreadableVideoError."""
        ...

    def join(self, parts: Sequence[tuple[float, bytes]]) -> bytes:
        """One MP4 of several, each with its start in seconds; UnreadableVideoError."""
        ...


class Vault(Protocol):
    """Where evidence lies; UnavailableError when it does not answer."""

    def is_closed(self, alert_id: str) -> bool:
        """Whether the manifest is there."""
        ...

    def keep(self, alert_id: str, name: str, content: bytes) -> StoredFile:
        """Store a file unless there is one already; give what lies there."""
        ...

    def close(self, manifest: Manifest) -> None:
        """Store the manifest unless there is one already."""
        ...


@dataclass(slots=True)
class _Case:
    """The evidence of one alert while it is collected."""

    request: EvidenceRequest
    published_at: datetime
    deadline: datetime
    files: list[StoredFile] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    frame_at: datetime | None = None
    clip: ClipTimes | None = None


@dataclass(frozen=True, slots=True)
class EvidenceCollector:
    """`pause` sleeps so many seconds."""

    archive: Archive
    studio: Studio
    vault: Vault
    clock: Clock
    pause: Callable[[float], None]

    def collect(self, request: EvidenceRequest, published_at: datetime) -> str:
        """The manifest's status, or `closed` if it was there before.

        UnavailableError: not yet, try again in a minute.
        """
        if self.vault.is_closed(request.alert_id):
            return "closed"
        case = _Case(request, published_at, self.clock() + PATIENCE)
        try:
            self._film(case)
        except NoVideoError as error:
            for name in (FRAME, UNBOXED, THUMBNAIL, CLIP):
                if not any(each.name == name for each in case.files):
                    case.missing.setdefault(name, str(error))
        self._keep(case, FACE_RECORD, _json(request.face_record))
        manifest = Manifest(request, self.clock(), tuple(case.files), case.missing, case.frame_at, case.clip)
        self.vault.close(manifest)
        return manifest.status

    def _film(self, case: _Case) -> None:
        recorded = self._fragment(case)
        offset = timedelta(seconds=case.request.frame_offset_seconds)
        case.frame_at = recorded.producer_timestamp + offset
        try:
            for name, content in self.studio.pictures(recorded.media, case.request).items():
                self._keep(case, name, content)
        except UnreadableVideoError as error:
            case.missing |= dict.fromkeys((FRAME, UNBOXED, THUMBNAIL), str(error))
        self._clip(case, case.frame_at, over_at=recorded.server_timestamp + offset + MARGIN)

    def _fragment(self, case: _Case) -> RecordedFragment:
        """The processor reads live: its record may be here before the fragment is in the archive."""
        stream_arn, number = case.request.video_stream_arn, case.request.fragment_number
        while (recorded := self.archive.fragment(stream_arn, number)) is None:
            if self.clock() - case.published_at >= GIVE_UP_AFTER:
                raise NoVideoError("the video stream does not have the fragment (any more)")
            self._wait(case, self.clock() + POLL, "the fragment of the frame is not in the archive yet")
        return recorded

    def _clip(self, case: _Case, frame_at: datetime, over_at: datetime) -> None:
        """`over_at`: when the wanted end had happened, by the service's clock; the camera's may be wrong."""
        stream_arn, begin, end = case.request.video_stream_arn, frame_at - MARGIN, frame_at + MARGIN
        self._wait(case, over_at, "the clip is not over yet")
        while True:
            shown = overlapping(self.archive.listed(stream_arn, begin - LONGEST_FRAGMENT, end), begin, end)
            if (shown and shown[-1].end >= end) or self.clock() >= over_at + SETTLED_AFTER:
                break
            self._wait(case, self.clock() + POLL, "the end of the clip is not in the archive yet")
        if not shown:
            raise NoVideoError("the video stream has no fragments of that time (any more)")
        self._keep(case, CLIP, self._movie(stream_arn, spans_of(shown)))
        case.clip = ClipTimes(shown[0].start, shown[-1].end, len(shown))

    def _movie(self, stream_arn: str, spans: Sequence[Span]) -> bytes:
        parts = [
            ((span.first_start - spans[0].first_start).total_seconds(), self.archive.clip(stream_arn, span))
            for span in spans
        ]
        try:
            return self.studio.join(parts) if len(parts) > 1 else parts[0][1]
        except UnreadableVideoError as error:
            raise NoVideoError(str(error)) from error

    def _wait(self, case: _Case, until: datetime, reason: str) -> None:
        now = self.clock()
        if until <= now:
            return
        if until > case.deadline:
            raise UnavailableError(reason, retry_after_seconds=60)
        self.pause((until - now).total_seconds())

    def _keep(self, case: _Case, name: str, content: bytes) -> None:
        case.files.append(self.vault.keep(case.request.alert_id, name, content))


def _json(content: Mapping[str, object]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
