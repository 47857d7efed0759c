"""PutMedia: what a producer sends becomes fragments, each acknowledged step by step."""

import logging
from dataclasses import dataclass

from sightline_local.cloud.kinesisvideo.media_access import Headers
from sightline_local.cloud.kinesisvideo.ring import FragmentNotKeptError, NewFragment, StreamGoneError
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.cloud.service import ServiceError
from sightline_media import Ack, ErrorId, Fragment, FragmentReader, InvalidMatroskaError, check_fragment
from sightline_media.acks import BUFFERING, ERROR, IDLE, PERSISTED, RECEIVED

_log = logging.getLogger(__name__)

LATEST_PRODUCER_TIME = 253_402_300_799.0
"""The last second of the year 9999; what lies behind is a unit error of the producer."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How the producer counts time: from 1970 (absolute), or from its start."""

    is_absolute: bool
    start: float

    def producer_time(self, timecode_ms: int) -> float:
        """Epoch seconds of a cluster timecode."""
        return round(timecode_ms / 1000 + (0.0 if self.is_absolute else self.start), 3)


def read_timing(headers: Headers) -> Timing:
    """From the headers of the request; ServiceError when one is missing or no such value."""
    kind = headers.get("x-amzn-fragment-timecode-type")
    if kind not in ("ABSOLUTE", "RELATIVE"):
        raise ServiceError(
            "InvalidArgumentException", "x-amzn-fragment-timecode-type must be ABSOLUTE or RELATIVE."
        )
    start = headers.get("x-amzn-producer-start-timestamp")
    if start is None and kind == "RELATIVE":
        raise ServiceError(
            "InvalidArgumentException", "RELATIVE timecodes need the header x-amzn-producer-start-timestamp."
        )
    try:
        return Timing(kind == "ABSOLUTE", float(start or 0))
    except ValueError as error:
        raise ServiceError(
            "InvalidArgumentException", "x-amzn-producer-start-timestamp must be seconds since 1970."
        ) from error


class PutMediaSession:
    """One request. Each call returns the acknowledgements to send; once it `has_failed`, the request ends."""

    def __init__(self, store: FragmentStore, stream: VideoStream, timing: Timing) -> None:
        self._store = store
        self._stream = stream
        self._timing = timing
        self._reader = FragmentReader(single_segment=True)
        self._previous: Fragment | None = None
        self._number: str | None = None  # of the fragment that is arriving
        self.has_failed = False

    def feed(self, piece: bytes) -> list[Ack]:
        try:
            return self._completed(self._reader.feed(piece)) + self._begun()
        except InvalidMatroskaError as error:
            return [self.fail(error.error_id)]

    def finish(self) -> list[Ack]:
        """The producer said that this was all."""
        try:
            acks = self._completed(self._reader.finish())
        except InvalidMatroskaError as error:
            return [self.fail(error.error_id)]
        if self._reader.truncated and not self.has_failed:
            acks.append(self.fail(ErrorId.INVALID_MKV_DATA))
        return acks

    def idle(self) -> Ack:
        return Ack(IDLE)

    def fail(self, error_id: ErrorId) -> Ack:
        self.has_failed = True
        return Ack(ERROR, self._reader.open_timecode_ms, self._number, error_id)

    def _begun(self) -> list[Ack]:
        timecode_ms = self._reader.open_timecode_ms
        if timecode_ms is None or self._number is not None or self.has_failed:
            return []
        return [self._buffering(timecode_ms)]

    def _buffering(self, timecode_ms: int) -> Ack:
        self._number = self._store.next_number(self._stream)
        return Ack(BUFFERING, timecode_ms, self._number)

    def _completed(self, fragments: list[Fragment]) -> list[Ack]:
        acks: list[Ack] = []
        for fragment in fragments:
            acks += self._accept(fragment)
            if self.has_failed:
                break
        return acks

    def _accept(self, fragment: Fragment) -> list[Ack]:
        try:
            acks = [] if self._number else [self._buffering(fragment.timecode_ms)]
            check_fragment(fragment, self._previous)
            return acks + self._keep(fragment)
        except InvalidMatroskaError as error:
            return [*acks, self._refusal(fragment, error.error_id)]
        except StreamGoneError:
            return [self._refusal(fragment, ErrorId.STREAM_NOT_ACTIVE)]
        except FragmentNotKeptError as error:
            _log.error("%s: a fragment could not be kept: %s", self._stream.name, error)
            return [self._refusal(fragment, ErrorId.ARCHIVAL_ERROR)]

    def _keep(self, fragment: Fragment) -> list[Ack]:
        producer_time = self._timing.producer_time(fragment.timecode_ms)
        if not 0 <= producer_time <= LATEST_PRODUCER_TIME:
            return [self._refusal(fragment, ErrorId.INVALID_PRODUCER_TIMESTAMP)]
        media = fragment.cluster + fragment.trailer if fragment.trailer else fragment.cluster
        new = NewFragment(fragment.header, media, producer_time, fragment.duration_ms)
        number = self._number or ""
        self._store.append(self._stream, number, new)
        self._previous, self._number = fragment, None
        steps = [RECEIVED, PERSISTED] if self._retains() else [RECEIVED]
        return [Ack(step, fragment.timecode_ms, number) for step in steps]

    def _retains(self) -> bool:
        current = self._store.with_arn(self._stream.arn)
        return bool(current and current.retention_hours)

    def _refusal(self, fragment: Fragment, error_id: ErrorId) -> Ack:
        self.has_failed = True
        return Ack(ERROR, fragment.timecode_ms, self._number, error_id)
