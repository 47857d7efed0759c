"""What `consume_face_records` costs: its own time, and its AWS calls, with AWS answering at once."""

import base64
import importlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from typing import Any

from benchmarks.face_record import face_record
from benchmarks.measure import Measurement

ROUNDS = 7
BATCHES, FRAMES_PER_BATCH, FRAME_SECONDS = 10, 10, 0.1
VIDEO = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/sightline-gate-3/1795348800000"
FACES = "arn:aws:kinesis:us-east-1:123456789012:stream/sightline-faces-gate-3"
BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_SERVICE_NAME": "consume_face_records",
    "POWERTOOLS_METRICS_NAMESPACE": "Sightline",
    "POWERTOOLS_LOG_LEVEL": "WARNING",
    "DEVICES_TABLE": "devices",
    "FACES_TABLE": "faces",
    "WATCHLISTS_TABLE": "watchlists",
    "VISITS_TABLE": "visits",
    "ALERTS_TABLE": "alerts",
    "ALERTS_DAYS": "365",
    "SIGHTINGS_TABLE": "sightings",
    "SIGHTINGS_STREAM": "sightings",
    "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
    "PARKED_RECORDS_BUCKET": "parked",
    "STACK_NAME": "sightline",
    "VISIT_GAP_SECONDS": "60",
}
DEVICE = {
    "device_id": {"S": "gate-3"},
    "name": {"S": "Gate 3"},
    "time_zone": {"S": "UTC"},
    "engine": {"S": "stream-processor"},
    "similarity_threshold": {"N": "90"},
}
FACE = {
    "face_id": {"S": "face-1"},
    "person_id": {"S": "ada"},
    "person_name": {"S": "Ada Lovelace"},
    "watchlist_ids": {"L": [{"S": "default"}]},
    "enrolled_at": {"S": "2026-11-01T00:00:00.000Z"},
}
ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "batch_get_item": lambda _: {"Responses": {"devices": [DEVICE], "faces": [FACE]}, "UnprocessedKeys": {}},
    "update_item": lambda _: {},
    "transact_write_items": lambda _: {},
    "publish": lambda _: {"MessageId": "m-1"},
    "put_records": lambda call: {"FailedRecordCount": 0, "Records": [{} for _ in call["Records"]]},
}


class _StubbedAws:
    """Every client at once: counts the calls and answers as AWS would when all is well."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**parameters: Any) -> dict[str, Any]:
            self.calls.append(operation)
            return ANSWERS[operation](parameters)

        return call


def _record(number: int, *, matched: bool) -> bytes:
    face_id = "face-1" if matched else None
    return face_record(
        VIDEO, number * FRAME_SECONDS, producer_seconds=BEGIN, face_id=face_id, person_id="ada"
    )


def _events(*, matched: bool) -> list[dict[str, Any]]:
    """100 frames of one person (or of nobody) in ten batches."""
    events = []
    for batch in range(BATCHES):
        numbers = range(batch * FRAMES_PER_BATCH, (batch + 1) * FRAMES_PER_BATCH)
        payloads = [base64.b64encode(_record(n, matched=matched)).decode() for n in numbers]
        records = [
            {"kinesis": {"sequenceNumber": f"4959{n:050d}", "data": data}, "eventSourceARN": FACES}
            for n, data in zip(numbers, payloads, strict=True)
        ]
        events.append({"Records": records})
    return events


def _consume(handler: Any, events: list[dict[str, Any]]) -> tuple[float, float, list[str]]:
    """A cold consumer over all events: wall seconds, CPU seconds, the AWS calls it made."""
    aws = _StubbedAws()
    handler.client = lambda _service: aws
    handler.consumer.cache_clear()
    wall, cpu = time.perf_counter(), time.process_time()
    with redirect_stdout(StringIO()):
        for event in events:
            if handler.lambda_handler(event, None)["batchItemFailures"]:
                raise RuntimeError("the consumer refused a record")
    return time.perf_counter() - wall, time.process_time() - cpu, aws.calls


def run() -> Iterator[Measurement]:
    os.environ.update(ENVIRONMENT)  # before the import: Powertools reads its part there
    handler = importlib.import_module("functions.consume_face_records.handler")
    frames = BATCHES * FRAMES_PER_BATCH
    events = {matched: _events(matched=matched) for matched in (True, False)}
    runs = {matched: [_consume(handler, each) for _ in range(ROUNDS)] for matched, each in events.items()}
    wall = statistics.median(seconds for seconds, _, _ in runs[True])
    yield Measurement("face records consumed", frames / wall, "records/s", better="higher")
    for matched, name, goal in ((True, "with a match", 5.0), (False, "without faces", 1.0)):
        cpu = statistics.median(seconds for _, seconds, _ in runs[matched])
        yield Measurement(f"consumer CPU per 100 frames {name}", cpu * 1000, "ms", goal=goal)
    yield Measurement("AWS calls per 100 frames of one person", len(runs[True][0][2]), "calls", goal=14)
