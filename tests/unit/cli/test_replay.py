"""Face records from a file: what is accepted, in which order and at which pace it is sent."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sightline_cli.errors import CliError, MisuseError
from sightline_cli.replay import BATCH_RECORDS, MalformedError, Replay, parse_record


def a_line(producer_timestamp: float = 1700000000.0, offset: float = 0.0, **changes: Any) -> bytes:
    record = {
        "InputInformation": {
            "KinesisVideo": {
                "StreamArn": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/sightline-gate/17",
                "FragmentNumber": "91343852333181432392682062607743920146264735141",
                "ServerTimestamp": producer_timestamp + 0.3,
                "ProducerTimestamp": producer_timestamp,
                "FrameOffsetInSeconds": offset,
            }
        },
        "StreamProcessorInformation": {"Status": "RUNNING"},
        "FaceSearchResponse": [],
    }
    return json.dumps(record | changes).encode()


class FakeFaceStream:
    """Accepts everything, but for the positions in `refused` of each first call."""

    def __init__(self, refused: set[int] | None = None) -> None:
        self.calls: list[list[bytes]] = []
        self.accepted: list[bytes] = []
        self._refused = refused or set()

    def put(self, records: list[bytes]) -> list[bool]:
        self.calls.append(records)
        answers = [number not in self._refused for number in range(len(records))]
        self._refused = set()
        self.accepted += [record for record, ok in zip(records, answers, strict=True) if ok]
        return answers


class FakeClock:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(round(seconds, 6))
        self.seconds += seconds


class Bench:
    def __init__(self, speed: float = 0.0, refused: set[int] | None = None) -> None:
        self.stream, self.clock, self.complaints = FakeFaceStream(refused), FakeClock(), dict[int, str]()
        self.replay = Replay(
            self.stream.put, self.complaints.__setitem__, speed, now=self.clock.now, sleep=self.clock.sleep
        )


def test_the_lines_are_sent_as_they_stand_in_their_order() -> None:
    bench = Bench()
    lines = [a_line(1700000000 + number) for number in range(250)]

    result = bench.replay.run(line + b"\n" for line in lines)

    assert bench.stream.accepted == lines
    assert (result.sent, result.malformed) == (250, 0)
    assert max(map(len, bench.stream.calls)) <= BATCH_RECORDS
    assert bench.clock.sleeps == []


def test_malformed_lines_are_named_by_number_and_the_others_go_in() -> None:
    bench = Bench()
    good = a_line()
    lines = [good, b"{", b"", b"[]", good, b'"text"', b"\xff\xfe{}", b'{"InputInformation": {}}', b"NaN"]

    result = bench.replay.run(line + b"\n" for line in lines)

    assert bench.stream.accepted == [good, good]
    assert bench.complaints == {
        2: "not JSON",
        4: "not a JSON object",
        6: "not a JSON object",
        7: "not UTF-8",
        8: "KinesisVideo is missing",
        9: "not JSON",
    }
    assert (result.sent, result.malformed) == (2, 6)


@pytest.mark.parametrize("name", ["StreamArn", "FragmentNumber", "ProducerTimestamp"])
def test_what_names_the_frame_may_not_be_missing(name: str) -> None:
    record = json.loads(a_line())
    del record["InputInformation"]["KinesisVideo"][name]

    with pytest.raises(MalformedError, match=f"{name} is missing"):
        parse_record(json.dumps(record).encode())


@pytest.mark.parametrize("value", [1e300, -5, True, "1700000000", None])
def test_a_producer_timestamp_that_is_no_time_is_malformed(value: object) -> None:
    record = json.loads(a_line())
    record["InputInformation"]["KinesisVideo"]["ProducerTimestamp"] = value

    with pytest.raises(MalformedError, match="ProducerTimestamp"):
        parse_record(json.dumps(record).encode())


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b'{"a": 1}' + b" " * (2 << 20)]
)
def test_a_hostile_line_is_malformed_and_no_crash(line: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_record(line)


@given(some.binary(max_size=200))
def test_no_line_of_bytes_makes_anything_but_a_record_or_a_complaint(line: bytes) -> None:
    with contextlib.suppress(MalformedError):
        parse_record(line)


def test_what_the_documentation_leaves_out_is_accepted() -> None:
    scientific = a_line().replace(b"1700000000.0,", b"1.7E9,")
    record = json.loads(a_line(Unknown={"later": 1}))
    del record["FaceSearchResponse"]
    del record["InputInformation"]["KinesisVideo"]["FrameOffsetInSeconds"]

    assert parse_record(scientific).taken_at == 1.7e9
    assert parse_record(json.dumps(record).encode()).taken_at == 1700000000.0


def test_the_pace_is_that_of_the_frames_divided_by_the_speed() -> None:
    bench = Bench(speed=2.0)
    lines = [
        a_line(1700000000, 0.0),
        a_line(1700000000, 0.5),
        a_line(1700000001, 0.0),
        a_line(1700000003, 0.0),
    ]

    result = bench.replay.run(lines)

    assert bench.clock.sleeps == [0.25, 0.25, 1.0]
    assert [len(call) for call in bench.stream.calls] == [1, 1, 1, 1]
    assert result.seconds == pytest.approx(1.5)


def test_a_frame_that_is_older_than_the_one_before_waits_for_nothing_and_keeps_its_place() -> None:
    bench = Bench(speed=1.0)
    lines = [a_line(1700000010), a_line(1700000005), a_line(1700000011)]

    bench.replay.run(lines)

    assert bench.stream.accepted == lines
    assert bench.clock.sleeps == [1.0]


def test_records_that_the_stream_refused_are_sent_again_and_only_those() -> None:
    bench = Bench(refused={1})
    lines = [a_line(1700000000 + number) for number in range(3)]

    result = bench.replay.run(lines)

    assert bench.stream.calls == [lines, [lines[1]]]
    assert result.sent == 3


def test_a_stream_that_refuses_for_ever_is_an_error_that_says_what_to_do() -> None:
    clock = FakeClock()
    replay = Replay(lambda records: [False] * len(records), print, 0.0, now=clock.now, sleep=clock.sleep)

    with pytest.raises(CliError, match="refused 1 records 8 times: try a lower --speed"):
        replay.run([a_line()])


@pytest.mark.parametrize("speed", [-1.0, float("inf"), float("nan")])
def test_a_speed_that_means_nothing_is_a_misuse(speed: float) -> None:
    with pytest.raises(MisuseError, match="--speed"):
        Bench(speed=speed)
