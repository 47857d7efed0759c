"""However runs of the compaction overlap, stop and repeat: no sighting is ever missing."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import ConflictError
from sightline.lake.service import CompactionPlanning, Removal
from tests.fakes.lake import FakeLakeFiles

NOW = datetime(2026, 11, 22, 2, 20, tzinfo=UTC)
DAY = "2026-11-21"
RUNS, STEPS = 3, 7


class Lake:
    """Files with the ids of their sightings; each run takes a step when it is told to."""

    def __init__(self) -> None:
        self.files = FakeLakeFiles()
        self.content: dict[str, frozenset[int]] = {}
        self.arrived: set[int] = set()
        self.forgotten: set[int] = set()  # what a query overlooks, against all promises
        self.runs = [self.run() for _ in range(RUNS)]

    def put(self, ids: frozenset[int]) -> str:
        key = f"sightings/dt={DAY}/{len(self.content):04}"
        self.content[key] = ids
        self.files.put(key, NOW)
        return key

    def arrive(self, number: int) -> None:
        """A file of new sightings and one that was there before, as Kinesis delivers them."""
        ids = frozenset({number, number // 2})
        self.arrived |= ids
        self.put(ids)

    def there(self) -> set[int]:
        return set().union(*(self.content[key] for key in self.files.files))

    def step(self, number: int) -> None:
        """Some steps of one of the runs."""
        times, run = divmod(number, RUNS)
        for _ in range(times + 1):
            if next(self.runs[run], None) is None:
                self.kill(run)

    def kill(self, number: int) -> None:
        self.runs[number] = self.run()

    def forget(self, number: int) -> None:
        self.forgotten = {number}

    def run(self) -> Iterator[str]:
        """One day, in the steps between which others may do anything."""
        name = f"run-{len(self.files.lists)}"
        plans = CompactionPlanning(self.files, lambda: NOW, 1, 1, 10**9).plan(name)
        yield "planned"
        for plan in plans:
            ids = self.there() - self.forgotten
            yield "read"
            written = []
            for half in (0, 1):
                written.append(self.put(frozenset(each for each in ids if each % 2 == half)))
                yield "written"
            url = self.check(name, written)
            yield "checked"
            with suppress(ConflictError):
                Removal(self.files).remove(DAY, plan.list_key, [f"s3://lake/{key}" for key in written], url)
            yield "removed"

    def check(self, name: str, written: list[str]) -> str:
        new = set().union(*(self.content[key] for key in written if key in self.files.files))
        uncovered = [key for key in self.files.files if not self.content[key] <= new]
        self.files.answers[name] = [f"s3://lake/{key}" for key in uncovered]
        return name


ACTIONS = st.one_of(
    st.tuples(st.just("step"), st.integers(0, RUNS * STEPS - 1)),
    st.tuples(st.just("kill"), st.integers(0, RUNS - 1)),
    st.tuples(st.just("arrive"), st.integers(0, 40)),
    st.tuples(st.just("forget"), st.integers(0, 3)),
)


@given(st.lists(ACTIONS, max_size=40))
def test_no_sighting_is_missing_after_any_step_of_any_run(actions: list[tuple[str, int]]) -> None:
    lake = Lake()
    lake.arrive(1)
    lake.arrive(2)

    for what, number in actions:
        getattr(lake, what)(number)
        assert lake.there() == lake.arrived


def test_a_run_that_nobody_disturbs_leaves_only_what_it_wrote() -> None:
    lake = Lake()
    for number in range(10):
        lake.arrive(number)

    for _ in range(7):
        lake.step(0)

    assert len(lake.files.files) == 2
    assert lake.there() == lake.arrived
