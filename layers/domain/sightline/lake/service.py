"""Compaction of the lake, around the query that writes a day anew: which days, and what goes afterwards.

A file goes only when the new files have every sighting of it and it was there before they were written. So a
run that stops anywhere, or runs twice, or beside another one, leaves sightings twice at worst.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from sightline.clock import Clock
from sightline.lake.model import DayPlan, LakeFile, checked_days, days_before, is_worth_it, removable


class LakeFiles(Protocol):
    """The lake's bucket; UnavailableError when it cannot answer now."""

    def of_day(self, day: str) -> list[LakeFile]:
        """The files of sightings that were seen on that day."""
        ...

    def write_list(self, name: str, files: Sequence[LakeFile]) -> str:
        """Where the list is."""
        ...

    def read_list(self, key: str) -> list[LakeFile]:
        """What `write_list` was given."""
        ...

    def remove(self, files: Sequence[LakeFile]) -> None:
        """All of them; safe to repeat."""
        ...

    def first_column(self, url: str) -> list[str]:
        """Of an answer of Athena's, without the name of the column."""
        ...

    def key_of(self, url: str) -> str:
        """Of an object in this bucket."""
        ...


@dataclass(frozen=True, slots=True)
class CompactionPlanning:
    """Looks `days_back` days back, for days of many small files (`is_worth_it`)."""

    files: LakeFiles
    clock: Clock
    days_back: int
    most_files: int
    largest: int

    def plan(self, run: str, wanted: Iterable[str] = ()) -> list[DayPlan]:
        """`wanted` days are written anew whatever their files are, but not a single one."""
        if days := checked_days(wanted):
            found = {day: self.files.of_day(day) for day in days}
            return [self._planned(run, day, files) for day, files in found.items() if len(files) > 1]
        found = {day: self.files.of_day(day) for day in days_before(self.clock().date(), self.days_back)}
        return [
            self._planned(run, day, files)
            for day, files in found.items()
            if is_worth_it(files, self.most_files, self.largest)
        ]

    def _planned(self, run: str, day: str, files: Sequence[LakeFile]) -> DayPlan:
        list_key = self.files.write_list(f"{run}/{day}", files)
        return DayPlan(day, len(files), sum(each.size for each in files), list_key)


@dataclass(frozen=True, slots=True)
class Removal:
    """The last step of a day."""

    files: LakeFiles

    def remove(self, day: str, list_key: str, written: Collection[str], uncovered_url: str) -> int:
        """How many files went; ConflictError, and none goes, when the new files lack a sighting of theirs.

        `written` are URLs of the new files, `uncovered_url` is the answer of the query that checked them.
        """
        uncovered = [self.files.key_of(each) for each in self.files.first_column(uncovered_url)]
        new = {self.files.key_of(each) for each in written}
        listed = self.files.read_list(list_key)
        going = removable(listed, self.files.of_day(day), new, uncovered)
        self.files.remove(going)
        return len(going)
