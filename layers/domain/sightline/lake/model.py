"""The files of a day in the lake, and when one may go."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sightline.errors import ConflictError, RejectedError

# Files of this size on average are as quick to ask as larger ones.
LARGE_ENOUGH = 16 << 20


@dataclass(frozen=True, slots=True)
class LakeFile:
    """`size` is in bytes."""

    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day whose sightings are to be written anew; `list_key` is where the files of before are listed."""

    day: str
    files: int
    size: int
    list_key: str


def days_before(today: date, count: int) -> list[str]:
    """The last whole days, the oldest first: today's files are still being written."""
    return [(today - timedelta(days=back)).isoformat() for back in range(count, 0, -1)]


def is_worth_it(files: Sequence[LakeFile], most_files: int, largest: int) -> bool:
    """Many files that are small, of a day that one query can read: `largest` bytes."""
    size = sum(each.size for each in files)
    return len(files) > most_files and size < len(files) * LARGE_ENOUGH and size <= largest


def checked_days(days: Iterable[str]) -> list[str]:
    """Days that somebody asked for; RejectedError for what is none."""
    found = list(days)
    for day in found:
        try:
            is_day = date.fromisoformat(day).isoformat() == day
        except ValueError:
            is_day = False
        if not is_day:
            raise RejectedError(f"{day!r} is no day: write it as 2026-11-22")
    return found


def removable(
    listed: Sequence[LakeFile],
    there: Iterable[LakeFile],
    written: Collection[str],
    uncovered: Collection[str],
) -> list[LakeFile]:
    """What the new files replace: of the files of before, those that are still there as they were.

    `written` and `uncovered` are keys: of the new files, and of those with a sighting that no new file has.
    ConflictError when one of the files of before is uncovered: then none may go.
    """
    if lacking := sorted(each.key for each in listed if each.key in uncovered):
        raise ConflictError(
            f"{len(lacking)} files have sightings that were not written anew, first {lacking[0]}"
        )
    if not written:
        raise ConflictError("nothing was written anew")
    unchanged = set(there)
    return [each for each in listed if each in unchanged and each.key not in written]
