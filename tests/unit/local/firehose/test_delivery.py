"""A delivery stream in parts: what waits, what is tried again, what is given up, what counts as done."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sightline_local.cloud.firehose.bucket_writer import BucketWriter
from sightline_local.cloud.firehose.buffers import Buffer, Buffers, Place
from sightline_local.cloud.firehose.copies import Copies
from sightline_local.cloud.firehose.failures import CONVERSION_FAILED
from sightline_local.cloud.firehose.outbox import Content, Outbox
from sightline_local.cloud.firehose.records import DIRECT, Progress, Record
from sightline_local.cloud.firehose.settings import Settings, read_settings
from sightline_local.cloud.redshift.errors import CopyFailed
from sightline_local.iam import AccessDenied, Credentials

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/hose"
ID = uuid.UUID(int=7)
S3 = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::lake"}


def after(**by: float) -> datetime:
    return START + timedelta(**by)


def record(number: int, lane: str = DIRECT, data: bytes = b"x") -> Record:
    return Record(lane, number, data, START.timestamp())


class FakeAccess:
    """A role that may do everything, or nothing."""

    role_arn = ROLE

    def __init__(self) -> None:
        self.denied = False
        self.objects: dict[str, bytes] = {}

    def authorize(self, action: str, resource: str) -> None:
        if self.denied:
            raise AccessDenied(f"{action} on {resource}")

    def credentials(self) -> Credentials:
        return Credentials("key", "secret", "token")

    def client(self, service: str) -> Any:
        assert service in ("s3", "secretsmanager")
        return self

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803  boto3's names
        assert Bucket == "lake"
        self.objects[Key] = Body

    def get_secret_value(self, SecretId: str) -> Mapping[str, str]:  # noqa: N803
        return {"SecretString": json.dumps({"username": SecretId, "password": "pw"})}


class FakeLog:
    def __init__(self) -> None:
        self.codes: list[str] = []

    def tell(self, code: str, message: str) -> None:
        assert message
        self.codes.append(code)


@pytest.fixture
def access() -> FakeAccess:
    return FakeAccess()


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


def settings(**s3: Any) -> Settings:
    wanted = {"DeliveryStreamName": "out", "ExtendedS3DestinationConfiguration": {**S3, **s3}}
    return read_settings(wanted)


def writer(access: FakeAccess, **s3: Any) -> BucketWriter:
    return BucketWriter("out", settings(**s3).bucket, access, lambda: ID)  # type: ignore[arg-type]


# ---------------------------------------------------------------- progress


def test_a_lane_is_done_up_to_its_first_open_record() -> None:
    progress = Progress()
    progress.take([record(5, "a"), record(6, "a"), record(7, "a"), record(3, "b")])
    assert progress.done([record(6, "a"), record(7, "a")]) == {}
    assert progress.done([record(3, "b")]) == {"b": 3}
    assert progress.done([record(5, "a")]) == {"a": 7}


# ---------------------------------------------------------------- buffers


def test_a_buffer_is_due_by_its_size_or_by_the_age_of_its_first_record() -> None:
    buffers = Buffers(size_bytes=10, seconds=60, most_bytes=1000)
    buffers.add(Place(("a",)), record(1, data=b"x" * 9), START)
    buffers.add(Place(("b",)), record(2, data=b"x" * 10), after(seconds=30))
    assert [b.place.partition for b in buffers.due(after(seconds=59))] == [("b",)]
    assert buffers.next_due() == after(seconds=60)
    assert [b.place.partition for b in buffers.due(after(seconds=60))] == [("a",)]
    assert (buffers.next_due(), buffers.waiting_bytes) == (None, 0)


def test_when_too_much_waits_the_largest_goes_out_early() -> None:
    buffers = Buffers(size_bytes=100, seconds=60, most_bytes=12)
    for partition, size in (("a", 4), ("b", 8), ("c", 5)):
        buffers.add(Place((partition,)), record(1, data=b"x" * size), START)
    assert [b.place.partition for b in buffers.due(START)] == [("b",)]
    assert buffers.partitions() == 2


# ---------------------------------------------------------------- names


def test_objects_are_named_as_aws_names_them(access: FakeAccess) -> None:
    assert writer(access).key(Place(), START) == f"2026/01/02/03/out-1-2026-01-02-03-04-05-{ID}"
    assert writer(access, CompressionFormat="GZIP").key(Place(), START).endswith(f"{ID}.gz")
    assert writer(access, FileExtension=".json").key(Place(), START).endswith(f"{ID}.json")


def test_a_time_zone_of_the_stream_counts_for_prefix_and_name(access: FakeAccess) -> None:
    key = writer(access, CustomTimeZone="Asia/Tokyo").key(Place(), START)
    assert key.startswith("2026/01/02/12/out-1-2026-01-02-12-04-05-")


# ---------------------------------------------------------------- outbox


class Sent:
    """An outbox with what it told."""

    def __init__(self, access: FakeAccess, log: FakeLog) -> None:
        self.delivered: list[int] = []
        self.lost: list[int] = []
        self.box = Outbox(
            writer(access),
            log,  # type: ignore[arg-type]
            lambda buffer: Content(b"content", buffer.records),
            lambda _key, records, _is_failure: self.delivered.extend(r.sequence for r in records),
            lambda records: self.lost.extend(r.sequence for r in records),
        )

    def add(self, number: int, error_type: str = "") -> None:
        self.box.add(Buffer(Place((), error_type), START, [record(number)], 1))


def test_what_cannot_be_written_is_tried_again_in_order(access: FakeAccess, log: FakeLog) -> None:
    sent = Sent(access, log)
    access.denied = True
    sent.add(1)
    sent.add(2)
    sent.box.send(START)
    assert (sent.delivered, sent.box.retry_at) == ([], after(seconds=1))

    access.denied = False
    sent.box.send(after(seconds=0.5))
    assert sent.delivered == []
    sent.box.send(after(seconds=1))

    assert sent.delivered == [1, 2]
    assert log.codes == ["S3.AccessDenied"]


def test_after_a_day_records_are_lost(access: FakeAccess, log: FakeLog) -> None:
    sent = Sent(access, log)
    access.denied = True
    sent.add(1)
    sent.box.send(START)
    sent.box.send(after(hours=23))
    assert sent.lost == []
    sent.box.send(after(hours=25))
    assert (sent.lost, sent.box.waiting_bytes) == ([1], 0)


def test_what_could_not_be_converted_is_never_lost(access: FakeAccess, log: FakeLog) -> None:
    sent = Sent(access, log)
    access.denied = True
    sent.add(1, CONVERSION_FAILED)
    sent.box.send(START)
    sent.box.send(after(days=9))
    assert (sent.lost, sent.box.waiting_bytes) == ([], 1)


# ---------------------------------------------------------------- copies


class FakeWarehouse:
    def __init__(self) -> None:
        self.fails = False
        self.calls: list[dict[str, Any]] = []

    def copy(self, **call: Any) -> int:
        self.calls.append(call)
        if self.fails:
            raise CopyFailed("no such table")
        return 1


def copies(access: FakeAccess, log: FakeLog, warehouse: FakeWarehouse, **changes: Any) -> Copies:
    wanted = {
        "RoleARN": ROLE,
        "ClusterJDBCURL": "jdbc:redshift://w:5439/dev",
        "CopyCommand": {"DataTableName": "t"},
        "Username": "loader",
        "Password": "secret-1",
        "RetryOptions": {"DurationInSeconds": 600},
        "S3Configuration": {**S3, "Prefix": "stage/"},
        **changes,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    made = read_settings({"DeliveryStreamName": "out", "RedshiftDestinationConfiguration": given})
    assert made.copying is not None
    objects = BucketWriter("out", made.bucket, access, lambda: ID)  # type: ignore[arg-type]
    secret = access if made.copying.secret_arn else None
    return Copies(made.copying, warehouse, writer=objects, access=access, secret_access=secret, log=log)  # type: ignore[arg-type]


def test_all_waiting_objects_are_copied_by_one_manifest(access: FakeAccess, log: FakeLog) -> None:
    warehouse = FakeWarehouse()
    waiting = copies(access, log, warehouse)
    waiting.add("stage/one", [record(1)])
    waiting.add("stage/two", [record(2), record(3)])

    done = waiting.run(START)

    assert [each.sequence for each in done] == [1, 2, 3]
    manifest = f"stage/manifests/2026/01/02/03/out-1-2026-01-02-03-04-05-{ID}"
    assert json.loads(access.objects[manifest]) == {
        "entries": [
            {"url": "s3://lake/stage/one", "mandatory": True},
            {"url": "s3://lake/stage/two", "mandatory": True},
        ]
    }
    (call,) = warehouse.calls
    assert (call["user"], call["password"], waiting.waiting_records()) == ("loader", "secret-1", 0)
    assert f"FROM 's3://lake/{manifest}'" in call["statement"]


def test_a_copy_that_fails_is_tried_again_every_five_minutes(access: FakeAccess, log: FakeLog) -> None:
    warehouse = FakeWarehouse()
    warehouse.fails = True
    waiting = copies(access, log, warehouse)
    waiting.add("stage/one", [record(1)])
    assert waiting.run(START) == []
    waiting.add("stage/two", [record(2)])
    assert waiting.run(after(minutes=4)) == []
    assert (len(warehouse.calls), waiting.retry_at) == (1, after(minutes=5))

    warehouse.fails = False
    assert [each.sequence for each in waiting.run(after(minutes=5))] == [1]
    assert [each.sequence for each in waiting.run(after(minutes=5))] == [2]


def test_after_the_retry_duration_a_manifest_of_errors_names_the_objects(
    access: FakeAccess, log: FakeLog
) -> None:
    warehouse = FakeWarehouse()
    warehouse.fails = True
    waiting = copies(access, log, warehouse)
    waiting.add("stage/one", [record(1)])
    assert waiting.run(START) == waiting.run(after(minutes=5)) == []

    assert [each.sequence for each in waiting.run(after(minutes=10))] == [1]

    (errors,) = [key for key in access.objects if "/errors/manifests/" in key]
    assert errors.startswith("stage/errors/manifests/2026/01/02/03/out-1-")
    assert json.loads(access.objects[errors])["entries"][0]["url"] == "s3://lake/stage/one"
    assert set(log.codes) == {"Redshift.DataLoadFailed"}


def test_user_and_password_may_come_from_a_secret(access: FakeAccess, log: FakeLog) -> None:
    warehouse = FakeWarehouse()
    by_secret = {"Enabled": True, "SecretARN": "arn:secret", "RoleARN": ROLE}
    waiting = copies(
        access, log, warehouse, Username=None, Password=None, SecretsManagerConfiguration=by_secret
    )
    waiting.add("stage/one", [record(1)])
    waiting.run(START)
    assert (warehouse.calls[0]["user"], warehouse.calls[0]["password"]) == ("arn:secret", "pw")
