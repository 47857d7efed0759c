"""Full buffers on their way to the bucket, in order; what does not arrive is tried again for a day.

https://docs.aws.amazon.com/firehose/latest/dev/retry.html
"""

import gzip
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.cloud.firehose.bucket_writer import BucketWriter
from sightline_local.cloud.firehose.buffers import Buffer
from sightline_local.cloud.firehose.error_log import ErrorLog, s3_error
from sightline_local.cloud.firehose.failures import CONVERSION_FAILED
from sightline_local.cloud.firehose.records import Record
from sightline_local.iam import AccessDenied, TrustDenied

REFUSALS = (ClientError, BotoCoreError, AccessDenied, TrustDenied)
_LONGEST = timedelta(hours=24)
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(minutes=1)
_GZIP_LEVEL = 6  # 9 takes three times as long for nothing


@dataclass(frozen=True, slots=True)
class Content:
    """What an object holds; records that did not fit are not among its own."""

    body: bytes
    records: list[Record]


@dataclass(slots=True)
class _Parcel:
    buffer: Buffer
    content: Content | None = None
    key: str | None = None
    first_tried: datetime | None = None


class Outbox:
    """`build` makes the content of a buffer of data; `delivered` is told of objects, `lost` of records."""

    def __init__(
        self,
        writer: BucketWriter,
        log: ErrorLog,
        build: Callable[[Buffer], Content],
        delivered: Callable[[str, list[Record], bool], None],
        lost: Callable[[list[Record]], None],
    ) -> None:
        self.retry_at: datetime | None = None
        self.waiting_bytes = 0
        self._writer = writer
        self._log = log
        self._build = build
        self._delivered = delivered
        self._lost = lost
        self._pause = _FIRST_PAUSE
        self._parcels: deque[_Parcel] = deque()

    def partitions(self) -> set[tuple[str, ...]]:
        """Those that are still to be delivered."""
        return {each.buffer.place.partition for each in self._parcels if not each.buffer.place.error_type}

    def add(self, buffer: Buffer) -> None:
        self._parcels.append(_Parcel(buffer))
        self.waiting_bytes += buffer.size

    def send(self, now: datetime) -> None:
        """Everything, until something does not arrive."""
        if self.retry_at is not None and now < self.retry_at:
            return
        self.retry_at = None
        while self._parcels:
            parcel = self._parcels[0]
            parcel.first_tried = parcel.first_tried or now
            try:
                self._deliver(parcel)
            except REFUSALS as error:
                self._log.tell(*s3_error(error))
                if not self._gives_up(parcel, now):
                    self.retry_at, self._pause = now + self._pause, min(self._pause * 2, _LONGEST_PAUSE)
                    return
            self._pause = _FIRST_PAUSE
            self._parcels.popleft()
            self.waiting_bytes -= parcel.buffer.size

    def _deliver(self, parcel: _Parcel) -> None:
        buffer = parcel.buffer
        if parcel.content is None:
            parcel.content = self._content(buffer)
        if not parcel.content.records:
            return
        if parcel.key is None:
            parcel.key = self._writer.key(buffer.place, buffer.oldest())
        self._writer.put(parcel.key, parcel.content.body)
        self._delivered(parcel.key, parcel.content.records, bool(buffer.place.error_type))

    def _content(self, buffer: Buffer) -> Content:
        if not buffer.place.error_type:
            return self._build(buffer)
        return packed(buffer, b"", compress=self._writer.bucket.gzip)

    def _gives_up(self, parcel: _Parcel, now: datetime) -> bool:
        """After a day the records are lost; but what could not be converted blocks the stream for ever."""
        if parcel.first_tried is None or now - parcel.first_tried < _LONGEST:
            return False
        if parcel.buffer.place.error_type == CONVERSION_FAILED:
            return False
        records = parcel.content.records if parcel.content else parcel.buffer.records
        self._log.tell("InternalError", f"{len(records)} records are lost after 24 hours.")
        self._lost(records)
        return True


def packed(buffer: Buffer, delimiter: bytes, *, compress: bool) -> Content:
    """The records one after the other, each with the delimiter, compressed or not."""
    body = b"".join(part for record in buffer.records for part in (record.data, delimiter))
    return Content(gzip.compress(body, _GZIP_LEVEL) if compress else body, buffer.records)
