"""The lake: how much smaller its Parquet files are than their JSON, and how fast they are written."""

import json
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from tempfile import NamedTemporaryFile
from typing import Any
from uuid import UUID

from benchmarks.measure import Measurement
from benchmarks.world import PATIENCE_SECONDS, TEMPLATE
from sightline_cli.stack import Stack, Target
from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions

ROWS, ROWS_PER_CALL = 50_000, 500
DEVICES, SITES, PEOPLE, FRAMES_PER_VISIT = 20, 4, 500, 25
FIRST = datetime(2026, 11, 22, 8, tzinfo=UTC)
SEED = 7
# By member of the row.
RANGES = {
    "similarity": (90, 100),
    "face_confidence": (99, 100),
    "box_left": (0, 0.8),
    "box_top": (0, 0.8),
    "box_width": (0.05, 0.2),
    "box_height": (0.05, 0.2),
    "pose_pitch": (-30, 30),
    "pose_roll": (-30, 30),
    "pose_yaw": (-60, 60),
    "brightness": (20, 95),
    "sharpness": (20, 99),
}


def run() -> Iterator[Measurement]:
    payloads = [json.dumps(row, separators=(",", ":")).encode() for row in rows()]
    clock = Clock()
    options = RuntimeOptions(template=TEMPLATE, api_port=0, aws_port=0, clock=clock)
    with Runtime(options) as runtime:
        stack = Stack(Target(runtime.aws_url, options.region, options.stack_name))
        begin = time.perf_counter()
        _put(stack, payloads)
        size = _delivered(stack, clock)
        seconds = time.perf_counter() - begin
    raw = sum(map(len, payloads))
    yield Measurement("sighting as JSON", raw / ROWS, "bytes")
    yield Measurement("sighting in the lake", size / ROWS, "bytes")
    yield Measurement("lake, JSON to Parquet", raw / size, "times smaller", goal=5, better="higher")
    yield Measurement("sightings into the lake", ROWS / seconds, "records/s", better="higher")


def _put(stack: Stack, payloads: list[bytes]) -> None:
    kinesis, stream = stack.client("kinesis"), stack.output("SightingsStreamName")
    for start in range(0, len(payloads), ROWS_PER_CALL):
        records = [
            {"Data": each, "PartitionKey": "bench"} for each in payloads[start : start + ROWS_PER_CALL]
        ]
        kinesis.put_records(StreamName=stream, Records=records)


def _delivered(stack: Stack, clock: Clock) -> int:
    """Bytes of all files, once they have all rows; what is in buffers is let out again and again."""
    s3, bucket = stack.client("s3"), stack.output("LakeBucketName")
    counted: dict[str, tuple[int, int]] = {}  # key → rows and bytes
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (rows := sum(number for number, _ in counted.values())) < ROWS:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {rows} of {ROWS} rows came into the lake")
        clock.advance(timedelta(minutes=5))
        time.sleep(0.5)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for each in page.get("Contents", []):
                if each["Key"] not in counted:
                    content = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                    counted[each["Key"]] = _rows_of(content), len(content)
    return sum(size for _, size in counted.values())


def _rows_of(content: bytes) -> int:
    import duckdb  # noqa: PLC0415  the other benchmarks do without it

    with NamedTemporaryFile(suffix=".parquet") as file:
        file.write(content)
        file.flush()
        found = duckdb.execute(f"SELECT count(*) FROM '{file.name}'").fetchone()
    return int(found[0]) if found else 0


def rows() -> Iterator[dict[str, Any]]:
    """Visits of known people, five frames a second, with numbers as Rekognition writes them."""
    chance = Random(SEED)
    faces = [str(UUID(int=chance.getrandbits(128), version=4)) for _ in range(PEOPLE)]
    for number in range(ROWS // FRAMES_PER_VISIT):
        begin = FIRST + timedelta(seconds=number * 5)
        person, visit_id = chance.randrange(PEOPLE), f"vi-{chance.getrandbits(128):032x}"
        who = _person(person, faces[person]) | {"visit_id": visit_id}
        where = _device(chance.randrange(DEVICES))
        for frame in range(FRAMES_PER_VISIT):
            yield where | who | _face(chance) | _moments(begin, frame)


def _device(number: int) -> dict[str, Any]:
    video = f"sightline-gate-{number}/{1_795_348_800_000 + number}"
    return {
        "device_id": f"gate-{number}",
        "site": f"site-{number % SITES}",
        "video_stream_arn": f"arn:aws:kinesisvideo:us-east-1:123456789012:stream/{video}",
        "engine": "stream-processor",
        "schema_version": 1,
    }


def _person(number: int, face_id: str) -> dict[str, Any]:
    return {
        "person_id": f"person-{number}",
        "person_name": f"Person {number}",
        "watchlist_id": "default",
        "face_id": face_id,
        "external_image_id": f"person-{number}",
    }


def _face(chance: Random) -> dict[str, Any]:
    numbers = {name: _single(chance.uniform(low, high)) for name, (low, high) in RANGES.items()}
    return {"sighting_id": f"si-{chance.getrandbits(128):032x}", **numbers}


def _single(value: float) -> float:
    """Rekognition computes with 32 bits, and writes all digits of that."""
    (written,) = struct.unpack("f", struct.pack("f", value))
    return float(written)


def _moments(begin: datetime, frame: int) -> dict[str, Any]:
    fragment, in_fragment = divmod(frame, 5)
    producer, offset = begin + timedelta(seconds=fragment), in_fragment * 0.2
    return {
        "fragment_number": f"{91_343_852_333 * 10**36 + int(producer.timestamp())}",
        "frame_offset_seconds": offset,
        "seen_at": _iso(producer + timedelta(seconds=offset)),
        "server_timestamp": _iso(producer + timedelta(seconds=1.2)),
        "producer_timestamp": _iso(producer),
        "recorded_at": _iso(producer + timedelta(seconds=2.4)),
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
