"""The store of fragments: order, retention, memory, readers that wait."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from sightline_local.cloud.kinesisvideo.fragment_number import FragmentNumbers
from sightline_local.cloud.kinesisvideo.kept_video import StoredFragment
from sightline_local.cloud.kinesisvideo.ring import BUFFER_BYTES, NewFragment, StreamGoneError
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import SETTLING, VideoStream

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock, tmp_path: Path) -> Iterator[FragmentStore]:
    made = FragmentStore(tmp_path / "spilled", memory_bytes_per_stream=1000, clock=clock)
    yield made
    made.close()


def a_stream(name: str = "gate", retention_hours: int = 1) -> VideoStream:
    return VideoStream(f"arn:aws:kinesisvideo:r:1:stream/{name}/1", name, NOON, None, retention_hours)


def keep(store: FragmentStore, stream: VideoStream, media: bytes = b"media") -> StoredFragment:
    fragment = NewFragment(b"header", media, producer_time=1.0, duration_ms=2000)
    return store.append(stream, store.next_number(stream), fragment)


def kept(store: FragmentStore, stream: VideoStream) -> list[str]:
    return [fragment.number for fragment in store.fragments(stream)]


def spilled(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "spilled").rglob("*.cluster"))


# ---------------------------------------------------------------- numbers


def test_numbers_have_47_digits_and_grow_even_within_a_millisecond_and_when_the_clock_goes_back() -> None:
    numbers = FragmentNumbers(noise=lambda bits: (1 << bits) - 1)
    quiet = FragmentNumbers(noise=lambda _bits: 0)

    given = [
        numbers.next(1_800_000_000_000),
        numbers.next(1_800_000_000_000),
        numbers.next(1_700_000_000_000),
    ]

    assert given == sorted(given, key=int)
    assert len(set(given)) == 3
    assert {len(number) for number in [*given, quiet.next(1_700_000_000_000)]} == {47}


# ---------------------------------------------------------------- retention


def test_fragments_older_than_the_retention_are_let_go(store: FragmentStore, clock: Clock) -> None:
    stream = a_stream(retention_hours=1)
    store.add(stream)
    old = keep(store, stream)
    clock.pass_(minutes=61)

    young = keep(store, stream)

    assert kept(store, stream) == [young.number]
    assert store.media(stream, old) is None
    assert store.find(stream, old.number) is None


def test_a_stream_without_retention_keeps_five_minutes(store: FragmentStore, clock: Clock) -> None:
    stream = a_stream(retention_hours=0)
    store.add(stream)
    keep(store, stream)
    clock.pass_(minutes=4)
    second = keep(store, stream)
    clock.pass_(minutes=2)

    third = keep(store, stream)

    assert kept(store, stream) == [second.number, third.number]


def test_a_stream_without_retention_keeps_200_megabytes(tmp_path: Path) -> None:
    store = FragmentStore(tmp_path)
    stream = a_stream(retention_hours=0)
    store.add(stream)
    big = bytes(BUFFER_BYTES // 4)

    numbers = [keep(store, stream, big).number for _ in range(5)]

    assert kept(store, stream) == numbers[2:]  # the headers count, too
    store.close()


def test_a_shorter_retention_takes_effect_at_once(store: FragmentStore, clock: Clock) -> None:
    stream = a_stream(retention_hours=10)
    store.add(stream)
    keep(store, stream)
    clock.pass_(hours=2)

    store.replace(stream.retaining(1))

    assert kept(store, stream) == []


# ---------------------------------------------------------------- memory and files


def test_what_does_not_fit_in_memory_is_in_a_file_and_still_there(
    store: FragmentStore, tmp_path: Path
) -> None:
    stream = a_stream()
    store.add(stream)

    fragments = [keep(store, stream, bytes([n]) * 400) for n in range(5)]

    assert len(spilled(tmp_path)) == 3
    assert [store.media(stream, fragment) for fragment in fragments] == [bytes([n]) * 400 for n in range(5)]


def test_files_go_with_their_fragments(store: FragmentStore, clock: Clock, tmp_path: Path) -> None:
    stream = a_stream(retention_hours=1)
    store.add(stream)
    for _ in range(5):
        keep(store, stream, b"x" * 400)
    clock.pass_(hours=2)

    keep(store, stream)

    assert spilled(tmp_path) == []


def test_deleting_the_stream_removes_its_files(store: FragmentStore, clock: Clock, tmp_path: Path) -> None:
    stream = a_stream()
    store.add(stream)
    for _ in range(5):
        keep(store, stream, b"x" * 400)

    store.replace(stream.deleted(clock()))

    assert spilled(tmp_path) == []


def test_a_temporary_folder_is_gone_after_close() -> None:
    store = FragmentStore(memory_bytes_per_stream=10)
    stream = a_stream()
    store.add(stream)
    for _ in range(3):
        keep(store, stream, b"x" * 40)
    folder = store._temporary
    assert folder is not None
    assert list(folder.rglob("*.cluster"))

    store.close()
    store.close()

    assert not folder.exists()


# ---------------------------------------------------------------- readers


def test_a_reader_gets_what_comes_after_its_place(store: FragmentStore) -> None:
    stream = a_stream()
    store.add(stream)
    first, second = keep(store, stream), keep(store, stream)

    assert store.wait_after(stream, 0, 0) == first
    assert store.wait_after(stream, int(first.number), 0) == second
    assert store.wait_after(stream, int(second.number), 0.01) is None
    assert store.newest_number(stream) == int(second.number)


def in_a_thread(work: Callable[[], object]) -> tuple[Thread, list[object]]:
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(work())
        except StreamGoneError as error:
            outcome.append(error)

    thread = Thread(target=run)
    thread.start()
    return thread, outcome


def test_a_waiting_reader_is_woken_by_the_next_fragment(store: FragmentStore) -> None:
    stream = a_stream()
    store.add(stream)
    reader, outcome = in_a_thread(lambda: store.wait_after(stream, 0, 10))

    fragment = keep(store, stream)
    reader.join(5)

    assert outcome == [fragment]


def test_a_waiting_reader_is_told_when_the_stream_is_deleted(store: FragmentStore, clock: Clock) -> None:
    stream = a_stream()
    store.add(stream)
    reader, outcome = in_a_thread(lambda: store.wait_after(stream, 0, 10))

    store.replace(stream.deleted(clock()))
    reader.join(5)

    assert isinstance(outcome[0], StreamGoneError)
    with pytest.raises(StreamGoneError):
        keep(store, stream)


# ---------------------------------------------------------------- streams


def test_a_deleted_stream_holds_its_name_until_it_is_gone(store: FragmentStore, clock: Clock) -> None:
    stream = a_stream()
    assert store.add(stream)
    assert not store.add(a_stream())

    store.replace(stream.deleted(clock()))
    assert not store.add(a_stream())
    clock.now += SETTLING

    assert store.named("gate") is None
    assert store.add(a_stream())


def test_an_arn_means_the_stream_of_that_birth_only(store: FragmentStore) -> None:
    stream = a_stream()
    store.add(stream)

    assert store.with_arn(stream.arn) == stream
    assert store.with_arn("arn:aws:kinesisvideo:r:1:stream/gate/2") is None
    assert store.with_arn("arn:aws:kinesisvideo:r:1:stream/gate") is None


def test_a_stream_is_creating_first_then_active() -> None:
    stream = a_stream()

    assert stream.status(NOON) == "CREATING"
    assert stream.status(NOON + SETTLING) == "ACTIVE"
    assert stream.deleted(NOON).status(NOON + SETTLING) == "DELETING"


def test_every_change_has_a_new_version() -> None:
    stream = a_stream()

    assert len({stream.version, stream.retaining(2).version, stream.deleted(NOON).version}) == 3
