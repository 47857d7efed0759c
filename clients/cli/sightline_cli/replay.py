"""Face records from a file into a device's face stream, at the pace at which they once came."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sightline_cli.errors import CliError, MisuseError

# PutRecords takes 500 records and 10 MiB; with smaller calls a throttled shard shuffles fewer of them.
BATCH_RECORDS = 100
BATCH_BYTES = 1 << 20
RECORD_BYTES = 1 << 20
ATTEMPTS = 8


class MalformedError(ValueError):
    """A line that is no face record."""


@dataclass(frozen=True, slots=True)
class Record:
    """One face record: the line as it stood in the file, and when its frame was taken (epoch seconds)."""

    line: bytes
    taken_at: float


@dataclass(slots=True)
class Replayed:
    """What became of a file."""

    sent: int = 0
    malformed: int = 0
    seconds: float = 0.0


def parse_record(line: bytes) -> Record:
    """Read what a replay needs of a face record; the rest of it is the consumer's business."""
    if len(line) > RECORD_BYTES:
        raise MalformedError("larger than the 1 MiB that a face stream takes")
    try:
        record = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise MalformedError("not UTF-8") from None
    except (ValueError, RecursionError):
        raise MalformedError("not JSON") from None
    if not isinstance(record, dict):
        raise MalformedError("not a JSON object")
    return Record(line, _taken_at(record))


def _taken_at(record: dict[str, Any]) -> float:
    video = _member(_member(record, "InputInformation", dict), "KinesisVideo", dict)
    _member(video, "StreamArn", str)
    _member(video, "FragmentNumber", str)
    if not isinstance(record.get("FaceSearchResponse", []), list | None):
        raise MalformedError("FaceSearchResponse is not a list")
    return _seconds(video, "ProducerTimestamp") + _seconds(
        {"FrameOffsetInSeconds": 0} | video, "FrameOffsetInSeconds"
    )


def _seconds(video: dict[str, Any], name: str) -> float:
    value = _member(video, name, (int, float))
    # Year 9999 at the most: a number beyond that is no time, and not one to wait for.
    if not -1 <= value < 253_402_300_800:
        raise MalformedError(f"{name} is not a time in seconds")
    return float(value)


def _member(parent: dict[str, Any], name: str, kind: type | tuple[type, ...]) -> Any:
    if name not in parent:
        raise MalformedError(f"{name} is missing")
    value = parent[name]
    if isinstance(value, bool) or not isinstance(value, kind):
        raise MalformedError(f"{name} is not what a face record has there")
    return value


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError


@dataclass
class Replay:
    """Sends records in their order; `put` is Kinesis' put_records for the device's face stream."""

    put: Callable[[list[bytes]], list[bool]]
    complain: Callable[[int, str], None]
    speed: float = 1.0
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    result: Replayed = field(default_factory=Replayed)

    def __post_init__(self) -> None:
        if not 0 <= self.speed < float("inf"):
            raise MisuseError(
                "--speed is 1 for the pace of the recording, 10 for ten times that, 0 for no pauses"
            )

    def run(self, lines: Iterable[bytes]) -> Replayed:
        begun, first, batch = self.now(), None, _Batch()
        for record in self._records(lines):
            first = record.taken_at if first is None else first
            due = (record.taken_at - first) / self.speed if self.speed else 0.0
            wait = due - (self.now() - begun)
            if batch.records and (wait > 0 or not batch.takes(record)):
                self._send(batch)
                batch = _Batch()
            if wait > 0:
                self.sleep(wait)
            batch.add(record)
        self._send(batch)
        self.result.seconds = self.now() - begun
        return self.result

    def _records(self, lines: Iterable[bytes]) -> Iterator[Record]:
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                yield parse_record(text)
            except MalformedError as error:
                self.result.malformed += 1
                self.complain(number, str(error))

    def _send(self, batch: "_Batch") -> None:
        left = batch.records
        for attempt in range(ATTEMPTS):
            if not left:
                return
            if attempt:
                self.sleep(min(0.1 * 2**attempt, 5))
            accepted = self.put(left)
            self.result.sent += sum(accepted)
            left = [record for record, ok in zip(left, accepted, strict=True) if not ok]
        if left:
            raise CliError(
                f"the face stream refused {len(left)} records {ATTEMPTS} times: try a lower --speed"
            )


@dataclass
class _Batch:
    records: list[bytes] = field(default_factory=list)
    size: int = 0

    def takes(self, record: Record) -> bool:
        return len(self.records) < BATCH_RECORDS and self.size + len(record.line) <= BATCH_BYTES

    def add(self, record: Record) -> None:
        self.records.append(record.line)
        self.size += len(record.line)


def face_stream_writer(
    kinesis: Any, face_stream_arn: str, device_id: str
) -> Callable[[list[bytes]], list[bool]]:
    """Give the `put` of a Replay; one partition key, so that the records of a device stay in order."""

    def put(records: list[bytes]) -> list[bool]:
        answer = kinesis.put_records(
            StreamARN=face_stream_arn,
            Records=[{"Data": record, "PartitionKey": device_id} for record in records],
        )
        return ["ErrorCode" not in each or each["ErrorCode"] is None for each in answer["Records"]]

    return put
