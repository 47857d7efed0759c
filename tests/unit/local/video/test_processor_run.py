"""A running processor with its surroundings faked: order, delay, failures, the end."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from sightline_faces import Face, WeightsError, WorkerError
from sightline_local.cloud.rekognition.collection import Collection
from sightline_local.cloud.rekognition.position import Position, advanced
from sightline_local.cloud.rekognition.processor_run import FRAMES_UNDER_WAY, ProcessorRun, Watching
from sightline_local.cloud.rekognition.role_session import ProcessorFailedError
from sightline_media import Fragment, get_media_tags, remux
from tests.unit.local.video.test_face_records import KNOWN, a_face
from tests.unit.local.video.test_fragment_store import NOON
from tests.unit.media.videos import make_video


class FakeSource:
    """Gives the fragments it was made with, then waits like a silent camera."""

    def __init__(self, fragments: list[Fragment], stopping: Event) -> None:
        self._fragments = fragments
        self._stopping = stopping
        self.failure: Exception | None = None
        self.opened_at = NOON

    def open(self) -> None:
        if self.failure:
            raise self.failure

    def fragments(self) -> Iterator[Fragment]:
        yield from self._fragments
        self._stopping.wait(10)

    def interrupt(self) -> None: ...


class FakeFaceStream:
    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.failure: Exception | None = None

    def check(self) -> None: ...

    def put(self, records: list[dict[str, Any]]) -> None:
        if self.failure:
            raise self.failure
        self.records += records


class FakeWorkers:
    """Answers when it is told to, in any order."""

    def __init__(self) -> None:
        self.jobs: list[Future[list[Face]]] = []
        self.answer: Callable[[], list[Face]] | None = None

    def submit(self, rgb: Any, *, photo: bool = False) -> Future[list[Face]]:
        job: Future[list[Face]] = Future()
        self.jobs.append(job)
        if self.answer:
            answer(job, self.answer)
        return job

    def warm(self) -> None: ...
    def close(self) -> None: ...


def answer(job: Future[list[Face]], make: Callable[[], list[Face]]) -> None:
    try:
        job.set_result(make())
    except (WorkerError, WeightsError) as error:
        job.set_exception(error)


class Scene:
    """A run and everything around it."""

    def __init__(self, fragments: list[Fragment], position: Position | None = None) -> None:
        self.stopping = Event()
        self.reached: list[Position] = []
        self.source = FakeSource(fragments, self.stopping)
        self.face_stream = FakeFaceStream()
        self.workers = FakeWorkers()
        self.collection: Collection | None = Collection("people", "arn", NOON)
        self.states: list[tuple[str, str | None]] = []
        watching = Watching("gate", "arn:video", 80.0, lambda: self.collection, position)
        surroundings: dict[str, Any] = {"source": self.source, "face_stream": self.face_stream}
        self.run = ProcessorRun(
            watching,
            **surroundings,
            pool=lambda: self.workers,
            report=lambda status, message: self.states.append((status, message)),
            stopping=self.stopping,
            reached=self.reached.append,
        )

    def wait(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def places(self) -> list[tuple[str, float]]:
        found = [record["InputInformation"]["KinesisVideo"] for record in self.face_stream.records]
        return [(one["FragmentNumber"], one["FrameOffsetInSeconds"]) for one in found]

    def end(self) -> list[tuple[str, str | None]]:
        self.run.stop()
        self.run.join(10)
        return self.states


@pytest.fixture(scope="module")
def two_seconds(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    """Two fragments of one second each, ten frames a second."""
    path = make_video(tmp_path_factory.mktemp("video") / "v.mkv", seconds=2, fps=10, gop_seconds=1)
    return list(remux(path))


def arrived(fragments: list[Fragment], seconds_ago: float = 0.0) -> list[Fragment]:
    now = time.time() - seconds_ago
    return [
        replace(fragment, tags=get_media_tags(str(number), now, 1000.0 + number))
        for number, fragment in enumerate(fragments, 1)
    ]


def nobody() -> list[Face]:
    return []


def test_five_frames_a_second_are_recorded_with_their_places(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds))
    scene.workers.answer = nobody

    scene.run.start()
    scene.wait(lambda: len(scene.face_stream.records) >= 10)

    assert scene.end() == [("RUNNING", None), ("STOPPED", None)]
    assert scene.places() == [(number, offset) for number in "12" for offset in (0.0, 0.2, 0.4, 0.6, 0.8)]


def test_records_are_in_the_order_of_the_video_whatever_the_workers_do(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds))
    scene.run.start()
    scene.wait(lambda: len(scene.workers.jobs) == 10)

    for job in reversed(scene.workers.jobs[1:]):
        job.set_result([])
    time.sleep(0.3)
    early = list(scene.face_stream.records)
    scene.workers.jobs[0].set_result([])
    scene.wait(lambda: len(scene.face_stream.records) == 10)

    assert early == []
    assert scene.places() == sorted(scene.places())
    scene.end()


def test_matches_are_looked_up_when_the_frame_is_analysed(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds[:1]))
    scene.run.start()
    scene.wait(lambda: len(scene.workers.jobs) == 5)

    scene.workers.jobs[0].set_result([a_face()])
    scene.wait(lambda: len(scene.face_stream.records) == 1)
    assert scene.collection is not None
    scene.collection.add((KNOWN, np.zeros(128, np.float32)))
    scene.workers.jobs[1].set_result([a_face(), a_face(known=False)])
    scene.wait(lambda: len(scene.face_stream.records) == 2)

    matched = [
        [len(face["MatchedFaces"]) for face in record["FaceSearchResponse"]]
        for record in scene.face_stream.records
    ]
    assert matched == [[0], [1, 0]]
    scene.end()


def test_fragments_over_ten_seconds_late_are_skipped_and_the_log_says_so(
    two_seconds: list[Fragment], caplog: pytest.LogCaptureFixture
) -> None:
    late, in_time = arrived(two_seconds, seconds_ago=30), arrived(two_seconds)
    scene = Scene([late[0], in_time[1]])
    scene.workers.answer = nobody

    with caplog.at_level(logging.WARNING):
        scene.run.start()
        scene.wait(lambda: len(scene.face_stream.records) == 5)

    assert {number for number, _ in scene.places()} == {"2"}
    assert "s behind, skipping a fragment" in caplog.text
    scene.end()


def test_a_late_fragment_is_analysed_with_fewer_frames(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds, seconds_ago=8))
    scene.workers.answer = nobody

    scene.run.start()
    scene.wait(lambda: len(scene.face_stream.records) >= 2)

    scene.end()
    assert scene.places() == [("1", 0.0), ("2", 0.0)]


def test_busy_workers_bound_the_frames_under_way(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds * 3))

    scene.run.start()
    time.sleep(0.5)

    assert len(scene.workers.jobs) <= FRAMES_UNDER_WAY
    assert scene.end()[-1] == ("STOPPED", None)


def test_a_frame_that_kills_its_worker_is_left_out(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds[:1]))
    scene.run.start()
    scene.wait(lambda: len(scene.workers.jobs) == 5)

    scene.workers.jobs[0].set_exception(WorkerError("a worker ended, twice"))
    for job in scene.workers.jobs[1:]:
        job.set_result([])
    scene.wait(lambda: len(scene.face_stream.records) == 4)

    assert scene.end()[-1] == ("STOPPED", None)


# ---------------------------------------------------------------- going on after a restart


def test_its_position_is_the_last_frame_that_was_written(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds))
    scene.workers.answer = nobody
    scene.run.start()
    scene.wait(lambda: scene.reached and scene.reached[-1].offset_seconds == 0.8)
    scene.wait(lambda: scene.reached[-1].fragment_number == "2")

    scene.end()

    opened, *places = [(each.fragment_number, each.offset_seconds) for each in scene.reached]
    assert opened == (None, 0.0)
    assert places == sorted(places)
    assert set(places) <= set(scene.places())


def test_it_goes_on_behind_the_frames_that_were_analysed(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds), Position(NOON, "1", 0.4))
    scene.workers.answer = nobody

    scene.run.start()
    scene.wait(lambda: len(scene.face_stream.records) >= 7)

    scene.end()
    assert scene.places() == [("1", 0.6), ("1", 0.8)] + [("2", n) for n in (0.0, 0.2, 0.4, 0.6, 0.8)]


def test_video_that_waited_for_the_restart_is_not_skipped_as_late(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds, seconds_ago=3600), Position(NOON))
    scene.workers.answer = nobody

    scene.run.start()
    scene.wait(lambda: len(scene.face_stream.records) >= 10)

    scene.end()
    assert len(scene.places()) == 10


class FakeKinesis:
    """A face stream of two shards, one record a page."""

    def __init__(self, *records: tuple[str, str, float]) -> None:
        self.asked_from: object = None
        self._pages = [{"Data": json.dumps(a_record(*record))} for record in records]

    def list_shards(self, StreamARN: str) -> Any:  # noqa: N803
        return {"Shards": [{"ShardId": "s-0"}, {"ShardId": "s-1"}]}

    def get_shard_iterator(self, *, ShardId: str, Timestamp: object, **_: object) -> Any:  # noqa: N803
        self.asked_from = Timestamp
        return {"ShardIterator": "0" if ShardId == "s-1" else "999"}

    def get_records(self, ShardIterator: str) -> Any:  # noqa: N803
        at = int(ShardIterator)
        return {"Records": self._pages[at : at + 1], "NextShardIterator": str(at + 1)}


def a_record(video: str, number: str, offset: float) -> dict[str, Any]:
    place = {"StreamArn": video, "FragmentNumber": number, "FrameOffsetInSeconds": offset}
    return {"InputInformation": {"KinesisVideo": place}}


def test_what_was_written_after_the_last_kept_position_is_seen_in_the_face_stream() -> None:
    kinesis = FakeKinesis(("v", "9", 0.8), ("v", "10", 0.0), ("v", "10", 0.2), ("other", "99", 0.0))

    found = advanced(Position(NOON, "9", 0.8), kinesis, "arn:faces", "v")

    assert found == Position(NOON, "10", 0.2)
    assert kinesis.asked_from == NOON - timedelta(seconds=2)


def test_without_any_record_it_goes_on_from_when_it_was_opened() -> None:
    assert advanced(Position(NOON), FakeKinesis(), "arn:faces", "v") == Position(NOON)


# ---------------------------------------------------------------- failures


def failed(scene: Scene) -> str | None:
    scene.wait(lambda: scene.states and scene.states[-1][0] == "FAILED")
    scene.run.join(10)
    return scene.states[-1][1]


def test_a_failure_while_connecting_is_the_status_message(two_seconds: list[Fragment]) -> None:
    scene = Scene([])
    scene.source.failure = ProcessorFailedError("Access denied to Kinesis Video")

    scene.run.start()

    assert failed(scene) == "Access denied to Kinesis Video"
    assert [status for status, _ in scene.states] == ["FAILED"]


def test_a_failure_while_writing_ends_the_run(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds))
    scene.workers.answer = nobody
    scene.face_stream.failure = ProcessorFailedError("Access denied to Kinesis Data")

    scene.run.start()

    assert failed(scene) == "Access denied to Kinesis Data"


def test_a_collection_that_is_deleted_under_way_ends_the_run(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds))
    scene.run.start()
    scene.wait(lambda: scene.workers.jobs)

    scene.collection = None
    scene.workers.jobs[0].set_result([a_face()])

    assert failed(scene) == "Collection not found"


def test_an_engine_that_does_not_start_ends_the_run_and_says_why(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds))

    def broken() -> list[Face]:
        raise WeightsError("the weights are missing")

    scene.workers.answer = broken
    scene.run.start()

    assert failed(scene) == "the weights are missing"


def test_stopping_does_not_wait_for_slow_workers(two_seconds: list[Fragment]) -> None:
    scene = Scene(arrived(two_seconds))
    scene.run.start()
    scene.wait(lambda: scene.workers.jobs)
    began = time.monotonic()

    states = scene.end()

    assert time.monotonic() - began < 2
    assert states[-1] == ("STOPPED", None)


def test_the_video_of_the_test_is_what_it_says(two_seconds: list[Fragment], tmp_path: Path) -> None:
    assert [fragment.timecode_ms for fragment in two_seconds] == [0, 1000]
    assert [len(fragment.blocks) for fragment in two_seconds] == [10, 10]
