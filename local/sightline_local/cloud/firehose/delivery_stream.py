"""One delivery stream at work: a thread that reads, transforms, buffers, converts and delivers.

All of it happens one after the other, so that records of a shard stay in their order. Asleep while there is
nothing to do: it is woken by a put, by the clock that is moved, and when a buffer gets old enough.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Protocol

from sightline_local.cloud.firehose.bucket_writer import BucketWriter
from sightline_local.cloud.firehose.buffers import Buffer, Buffers, Place
from sightline_local.cloud.firehose.copies import Copies
from sightline_local.cloud.firehose.error_log import ErrorLog
from sightline_local.cloud.firehose.failures import (
    CONVERSION_FAILED,
    PROCESSING_FAILED,
    Failure,
    processing_document,
)
from sightline_local.cloud.firehose.outbox import Content, Outbox, packed
from sightline_local.cloud.firehose.partitions import (
    METADATA_FAILED,
    MOST_PARTITIONS,
    TOO_MANY,
    NoPartition,
    Partitioner,
)
from sightline_local.cloud.firehose.prefix import InvalidPrefix
from sightline_local.cloud.firehose.records import Progress, Record
from sightline_local.cloud.firehose.settings import Settings
from sightline_local.cloud.firehose.sources import Source
from sightline_local.cloud.firehose.transform import Transformer
from sightline_local.errors import LocalRuntimeError
from sightline_local.iam import AccessDenied, TrustDenied

_logger = logging.getLogger(__name__)
_LONGEST_SLEEP_SECONDS = 60.0
_AFTER_TROUBLE_SECONDS = 2.0
_AFTER_DENIAL = timedelta(seconds=10)
_MOST_BUFFERED_BYTES = 64 << 20  # of all partitions; what is more goes out early
_MOST_UNCOPIED = 250_000  # records in the bucket that the warehouse does not take
_CLOSE_SECONDS = 1.0


class Converter(Protocol):
    """Makes Parquet of a buffer; beside it the records that do not fit, with a document as their data."""

    def __call__(self, buffer: Buffer) -> tuple[Content, list[Record]]: ...


class DeliveryStream:
    """Made idle; `begin` lets it run. `source` tells how far everything is kept."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        writer: BucketWriter,
        now: Callable[[], datetime],
        *,
        bucket_log: ErrorLog,
        log: ErrorLog,  # of everything else
        transformer: Transformer | None = None,
        converter: Converter | None = None,
        copies: Copies | None = None,
    ) -> None:
        self.settings = settings
        self.source = source
        self._writer = writer
        self._log = log
        self._now = now
        self._transformer = transformer
        self._converter = converter
        self._copies = copies
        bucket, transform = settings.bucket, settings.processing.transform
        self._partitioner = Partitioner(bucket.prefix, settings.processing.query)
        self._buffers = Buffers(bucket.size_bytes, bucket.seconds, _MOST_BUFFERED_BYTES)
        size, seconds = (transform.size_bytes, transform.seconds) if transform else (0, 0.0)
        self._incoming = Buffers(size, seconds, _MOST_BUFFERED_BYTES)
        self._outbox = Outbox(writer, bucket_log, self._build, self._delivered, self._done)
        self._progress = Progress()
        self._read_at: datetime | None = None  # not before, because it was denied
        self._wake, self._stop = Event(), Event()
        self._thread: Thread | None = None

    def begin(self) -> None:
        self.source.begin()
        self._thread = Thread(target=self._run, name=f"firehose-{self.settings.name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There may be records, or it is later now."""
        self._wake.set()

    def stop(self) -> None:
        """Ask it to end; what is not delivered yet stays where it is kept."""
        self._stop.set()
        self._wake.set()

    def join(self) -> None:
        if self._thread:
            self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                found = self._step(self._now())
                seconds = 0.0 if found else self._seconds_to_sleep()
            except LocalRuntimeError as error:
                _logger.error("%s: %s", self.settings.name, error)  # noqa: TRY400  one line says it all
                seconds = _AFTER_TROUBLE_SECONDS
            except Exception:  # records stay where they are; the stream must not end in silence
                _logger.exception("the delivery stream %s failed", self.settings.name)
                seconds = _AFTER_TROUBLE_SECONDS
            if seconds:
                self._wake.wait(seconds)

    def _step(self, now: datetime) -> bool:
        """Do everything that can be done now; whether there was something new."""
        self._deliver(now)
        records = self._taken(now)
        for record in records:
            if self._transformer:
                self._incoming.add(Place(), record, now)
            else:
                self._accept(record, now)
        if self._transformer:
            self._transform(self._transformer, now)
        self._deliver(now)
        return bool(records)

    def _taken(self, now: datetime) -> list[Record]:
        if not self._has_room() or (self._read_at is not None and now < self._read_at):
            return []
        self._read_at = None
        try:
            records = self.source.take()
        except (AccessDenied, TrustDenied) as error:
            self._log.tell("Kinesis.AccessDenied", str(error))
            self._read_at = now + _AFTER_DENIAL
            return []
        self._progress.take(records)
        return records

    def _has_room(self) -> bool:
        if self._copies is not None and self._copies.waiting_records() > _MOST_UNCOPIED:
            return False
        waiting = self._buffers.waiting_bytes + self._incoming.waiting_bytes + self._outbox.waiting_bytes
        return waiting <= _MOST_BUFFERED_BYTES

    def _transform(self, transformer: Transformer, now: datetime) -> None:
        for batch in self._incoming.due(now):
            result = transformer(batch.records, self._stop.wait)
            if self._stop.is_set():
                return  # what the function was not asked in peace is read again after the next start
            self._done(result.dropped)
            for record in result.ok:
                self._accept(record, now)
            for failure in result.failed:
                self._fail(failure, transformer.transform.lambda_arn, now)
            if result.failed:
                self._log.tell(result.failed[0].code, result.failed[0].message)

    def _accept(self, record: Record, now: datetime) -> None:
        """Into the buffer of its partition."""
        try:
            place = Place(self._partitioner.values(record))
            if place not in self._buffers:
                self._writer.key(place, record.arrival())
        except (NoPartition, InvalidPrefix) as error:
            self._fail(Failure(record, METADATA_FAILED, str(error)), None, now)
            return
        if place.partition and place not in self._buffers and self._active_partitions() >= MOST_PARTITIONS:
            self._fail(Failure(record, TOO_MANY, "Active partitions limit exceeded"), None, now)
            return
        self._buffers.add(place, record, now)

    def _active_partitions(self) -> int:
        return self._buffers.partitions() + len(self._outbox.partitions())

    def _fail(self, failure: Failure, lambda_arn: str | None, now: datetime) -> None:
        document = processing_document(failure, now, lambda_arn)
        self._buffers.add(Place((), PROCESSING_FAILED), replace(failure.record, data=document), now)

    def _build(self, buffer: Buffer) -> Content:
        """The object of a buffer of data; what does not fit the table waits with its like."""
        if self._converter is None:
            delimiter = self.settings.processing.delimiter
            return packed(buffer, delimiter, compress=self.settings.bucket.gzip)
        content, failures = self._converter(buffer)
        for failed in failures:
            self._buffers.add(Place((), CONVERSION_FAILED), failed, self._now())
        return content

    def _deliver(self, now: datetime) -> None:
        for buffer in self._buffers.due(now):
            self._outbox.add(buffer)
        self._outbox.send(now)
        if self._copies is not None:
            self._done(self._copies.run(now))

    def _delivered(self, key: str, records: list[Record], is_failure: bool) -> None:
        if self._copies is not None and not is_failure:
            self._copies.add(key, records)
        else:
            self._done(records)

    def _done(self, records: list[Record]) -> None:
        if records:
            self.source.keep(records, self._progress.done(records))

    def _seconds_to_sleep(self) -> float:
        moments = [self._buffers.next_due(), self._outbox.retry_at, self._read_at]
        moments += [self._incoming.next_due()] if self._transformer else []
        moments += [self._copies.retry_at] if self._copies is not None else []
        left = [(moment - self._now()).total_seconds() for moment in moments if moment is not None]
        return min([_LONGEST_SLEEP_SECONDS, *(max(seconds, 0.0) for seconds in left)])
