"""Bodies: small ones in the fact, large ones in a file that is whole before the fact is there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sightline_local.state import Facts, FactsNotKeptError
from sightline_local.state.blobs import Blobs

LARGE = bytes(256 * 1024 + 1)


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    facts = Facts(tmp_path / "facts.sqlite")
    yield facts
    facts.close()


@pytest.fixture
def blobs(facts: Facts) -> Blobs:
    return Blobs(facts, "objects")


def files(tmp_path: Path) -> list[str]:
    return sorted(file.name for file in (tmp_path / "objects").iterdir())


def test_a_small_body_is_part_of_the_fact(blobs: Blobs, tmp_path: Path) -> None:
    kept = blobs.add(b"small")

    assert kept == b"small"
    assert blobs.read(kept) == b"small"
    assert not (tmp_path / "objects").exists()


def test_a_large_body_is_a_file_until_it_is_removed(blobs: Blobs, tmp_path: Path) -> None:
    kept = blobs.add(LARGE)

    assert files(tmp_path) == [kept]
    assert blobs.read(kept) == LARGE
    blobs.remove([kept, b"small"])
    assert files(tmp_path) == []


def test_what_no_fact_has_is_swept_away(blobs: Blobs, tmp_path: Path) -> None:
    kept, lost = blobs.add(LARGE), blobs.add(LARGE)
    (tmp_path / "objects" / f"{lost}.half").touch()

    blobs.keep_only([kept, b"small"])

    assert files(tmp_path) == [kept]


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "objects").touch()

    with pytest.raises(FactsNotKeptError, match=str(tmp_path)) as refused:
        blobs.add(LARGE)

    assert "\n" not in str(refused.value)
