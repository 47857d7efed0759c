"""Video streams with a data directory: everything acknowledged is there again, nothing else."""

import errno
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sightline_local.cloud.kinesisvideo.kept_video import StoredFragment
from sightline_local.cloud.kinesisvideo.ring import FragmentNotKeptError, NewFragment
from sightline_local.cloud.kinesisvideo.store import FragmentStore
from sightline_local.cloud.kinesisvideo.video_stream import VideoStream
from sightline_local.state import Facts

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
Restart = Callable[..., FragmentStore]


@pytest.fixture
def restart(tmp_path: Path) -> Iterator[Restart]:
    """A store on the same directory as the one before, which is gone as by kill -9."""
    facts: list[Facts] = []

    def start(now: datetime = NOON, memory_bytes: int = 1000) -> FragmentStore:
        if facts:
            facts.pop().close()
        facts.append(Facts(tmp_path / "facts.sqlite"))
        return FragmentStore(facts=facts[0], clock=lambda: now, memory_bytes_per_stream=memory_bytes)

    yield start
    if facts:
        facts.pop().close()


def a_stream(name: str = "gate", created_ms: int = 1, retention_hours: int = 1) -> VideoStream:
    arn = f"arn:aws:kinesisvideo:r:1:stream/{name}/{created_ms}"
    return VideoStream(arn, name, NOON, "video/h264", retention_hours, tags={"a": "b"})


def keep(
    store: FragmentStore, stream: VideoStream, media: bytes = b"media", header: bytes = b"h"
) -> StoredFragment:
    return store.append(stream, store.next_number(stream), NewFragment(header, media, 1.5, 2000))


def files(tmp_path: Path) -> list[str]:
    return sorted(file.stem for file in (tmp_path / "fragments").rglob("*.cluster"))


def test_streams_and_fragments_are_there_again_byte_for_byte(restart: Restart) -> None:
    before, stream = restart(), a_stream()
    before.add(stream)
    fragments = [keep(before, stream, bytes([n]) * 400, b"header %d" % (n % 2)) for n in range(6)]

    after = restart()

    assert after.streams() == [stream]
    assert after.fragments(stream) == fragments
    assert [after.media(stream, each) for each in fragments] == [bytes([n]) * 400 for n in range(6)]
    assert after.find(stream, fragments[3].number) == fragments[3]


def test_numbers_go_on_growing_even_when_the_clock_went_back(restart: Restart) -> None:
    before, stream = restart(), a_stream()
    before.add(stream)
    last = keep(before, stream)

    after = restart(NOON - timedelta(minutes=5))

    assert int(after.next_number(stream)) > int(last.number)


def test_changes_of_a_stream_are_kept_and_a_deleted_one_leaves_nothing(
    restart: Restart, tmp_path: Path
) -> None:
    before, stays, goes = restart(), a_stream(), a_stream("old")
    for stream in (stays, goes):
        before.add(stream)
        keep(before, stream)
    before.replace(changed := stays.retaining(7))
    before.replace(goes.deleted(NOON))

    after = restart()

    assert after.streams() == [changed]
    assert len(files(tmp_path)) == 1


def test_what_is_older_than_the_retention_goes_at_the_start(restart: Restart, tmp_path: Path) -> None:
    before, stream = restart(), a_stream(retention_hours=1)
    before.add(stream)
    keep(before, stream)

    after = restart(NOON + timedelta(hours=2))

    assert after.fragments(stream) == []
    assert files(tmp_path) == []
    assert restart().fragments(stream) == []


def test_a_file_that_was_not_acknowledged_and_a_fact_without_its_file_are_no_fragments(
    restart: Restart, tmp_path: Path
) -> None:
    before, stream = restart(), a_stream()
    before.add(stream)
    lost, whole = keep(before, stream), keep(before, stream)
    folder = tmp_path / "fragments" / stream.slug
    (folder / f"{lost.number}.cluster").unlink()
    (folder / f"{int(whole.number) + 1}.cluster").write_bytes(b"cut o")

    after = restart()

    assert after.fragments(stream) == [whole]
    assert files(tmp_path) == [whole.number]


def test_the_folder_of_a_stream_that_was_just_deleted_goes(restart: Restart, tmp_path: Path) -> None:
    (tmp_path / "fragments" / "gate-7").mkdir(parents=True)
    restart()._open_all()
    assert not (tmp_path / "fragments" / "gate-7").exists()


def test_a_stream_that_is_made_anew_begins_empty(restart: Restart) -> None:
    before = restart()
    before.add(first := a_stream(created_ms=1))
    keep(before, first)
    before.replace(first.deleted(NOON - timedelta(seconds=1)))
    before.add(second := a_stream(created_ms=2))

    after = restart()

    assert after.streams() == [second]
    assert after.fragments(second) == []


def test_headers_that_no_fragment_has_any_more_go(restart: Restart) -> None:
    before, stream = restart(), a_stream()
    before.add(stream)
    keep(before, stream, header=b"old")

    after = restart(NOON + timedelta(minutes=59))
    keep(after, stream, header=b"new")
    restart(NOON + timedelta(minutes=61)).fragments(stream)
    last = restart(NOON + timedelta(minutes=61))

    assert [each.header for each in last.fragments(stream)] == [b"new"]
    assert [value for _, value in last._kept._facts.all("kinesisvideo.header")] == [b"new"]


def test_a_full_disk_refuses_the_fragment_and_leaves_nothing_of_it(
    restart: Restart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, stream = restart(), a_stream()
    store.add(stream)
    kept = keep(store, stream)

    def half_written(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half_written)
        with pytest.raises(FragmentNotKeptError, match="No space left on device"):
            keep(store, stream)

    assert store.fragments(stream) == [kept]
    assert files(tmp_path) == [kept.number]
    keep(store, stream)
    assert len(restart().fragments(stream)) == 2


def test_a_fact_that_cannot_be_written_refuses_the_fragment(restart: Restart, tmp_path: Path) -> None:
    store, stream = restart(), a_stream()
    store.add(stream)
    store._kept._facts._db.execute("PRAGMA query_only = 1")

    with pytest.raises(FragmentNotKeptError):
        keep(store, stream)

    assert store.fragments(stream) == []
    assert files(tmp_path) == []


def test_the_lists_of_fragments_are_read_when_they_are_needed_or_in_the_background(
    restart: Restart, tmp_path: Path
) -> None:
    before, stream = restart(), a_stream()
    before.add(stream)
    kept = keep(before, stream)

    in_need = restart()
    assert in_need._unopened == {stream.arn}
    assert in_need.newest_number(stream) == int(kept.number)
    assert in_need._unopened == set()

    in_background = restart(NOON + timedelta(hours=2))
    in_background._open_all()
    assert files(tmp_path) == []


def test_a_stream_whose_list_was_not_read_can_be_changed_and_deleted(
    restart: Restart, tmp_path: Path
) -> None:
    before, stream = restart(), a_stream()
    before.add(stream)
    keep(before, stream)

    restart().replace(stream.retaining(2))
    restart().replace(stream.deleted(NOON))

    assert restart().streams() == []
    assert files(tmp_path) == []
