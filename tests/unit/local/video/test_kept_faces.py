"""Collections, faces and stream processors with a data directory."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sightline_faces import Box
from sightline_local.cloud.rekognition.collection import Collections
from sightline_local.cloud.rekognition.kept_faces import KeptCollections, KnownFace
from sightline_local.cloud.rekognition.kept_processors import KeptProcessors
from sightline_local.cloud.rekognition.position import Position, Positions
from sightline_local.cloud.rekognition.processors import Processors, Report
from sightline_local.state import Facts, FactsNotKeptError

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
FACE = KnownFace("f-1", "i-1", "ada", Box(0.1, 0.2, 0.3, 0.4), 99.9)
NAMELESS = KnownFace("f-2", "i-2", None, Box(0.0, 0.0, 0.5, 0.5), 98.0)
ROW = np.linspace(-0.2, 0.2, 128, dtype=np.float32)

Reopen = Callable[[], Facts]


@pytest.fixture
def reopen(tmp_path: Path) -> Iterator[Reopen]:
    """The facts at the next start; those of the one before are closed."""
    opened: list[Facts] = []

    def again() -> Facts:
        if opened:
            opened.pop().close()
        opened.append(Facts(tmp_path / "facts.sqlite"))
        return opened[0]

    yield again
    if opened:
        opened.pop().close()


# ---------------------------------------------------------------- collections


def started(facts: Facts, *of_template: str, now: datetime = NOON) -> tuple[Collections, list[str]]:
    """What the template has is made, then the rest is restored."""
    collections = Collections("arn:collection/", KeptCollections(facts))
    for collection_id in of_template:
        collections.create(collection_id, now)
    return collections, collections.restore()


def test_faces_are_found_again_just_as_similar(reopen: Reopen) -> None:
    before, _ = started(reopen(), "people")
    people = before.get("people")
    assert people is not None
    people.add((FACE, ROW), (NAMELESS, ROW + np.float32(0.5)))
    wanted = people.search(ROW + np.float32(0.001), 80)

    after, aside = started(reopen(), "people", now=NOON + timedelta(days=1))

    again = after.get("people")
    assert again is not None
    assert again.faces() == [FACE, NAMELESS]
    assert again.search(ROW + np.float32(0.001), 80) == wanted != []
    assert (again.created_at, again.arn, aside) == (NOON, "arn:collection/people", [])


def test_a_collection_of_a_call_is_made_again_and_a_deleted_one_is_not(reopen: Reopen) -> None:
    before, _ = started(reopen())
    before.create("mine", NOON)
    old = before.create("old", NOON)
    assert old is not None
    old.add((FACE, ROW))
    before.remove("old")

    after, aside = started(reopen())

    assert (after.ids(), aside) == (["mine"], [])
    anew = after.create("old", NOON)
    assert anew is not None
    assert anew.faces() == []


def test_what_the_template_has_no_more_is_kept_aside_until_it_has_it_again(reopen: Reopen) -> None:
    before, _ = started(reopen(), "people")
    people = before.get("people")
    assert people is not None
    people.add((FACE, ROW))

    without, aside = started(reopen())
    assert (without.ids(), aside) == ([], ["collection people"])

    again, aside = started(reopen(), "people")
    known = again.get("people")
    assert known is not None
    assert (known.faces(), aside) == ([FACE], [])


def test_faces_that_were_deleted_stay_deleted(reopen: Reopen) -> None:
    before, _ = started(reopen(), "people")
    people = before.get("people")
    assert people is not None
    people.add((FACE, ROW), (NAMELESS, ROW))
    assert people.remove(["f-1", "f-9"]) == (["f-1"], ["f-9"])

    after, _ = started(reopen(), "people")

    again = after.get("people")
    assert again is not None
    assert again.faces() == [NAMELESS]


def test_a_face_that_cannot_be_kept_is_not_known(reopen: Reopen) -> None:
    facts = reopen()
    collections, _ = started(facts, "people")
    people = collections.get("people")
    assert people is not None
    facts._db.execute("PRAGMA query_only = 1")

    with pytest.raises(FactsNotKeptError):
        people.add((FACE, ROW))

    assert people.faces() == []


# ---------------------------------------------------------------- stream processors


class FakeRun:
    def __init__(self, report: Report, position: Position | None) -> None:
        self.report = report
        self.position = position
        self.started = False

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.report("STOPPED", None)

    def join(self, seconds: float) -> None: ...


class OneStart:
    def __init__(self, facts: Facts) -> None:
        self.runs: list[FakeRun] = []
        self.kept = KeptProcessors(facts)
        self.processors = Processors("arn:processor/", self._new_run, lambda: NOON, self.kept)
        self.processors.restore()
        self.processors.begin()

    def _new_run(self, _arn: str, _definition: Any, report: Report, position: Position | None) -> FakeRun:
        self.runs.append(FakeRun(report, position))
        return self.runs[-1]

    def make(self, name: str = "gate") -> None:
        self.processors.create(
            {
                "Name": name,
                "Input": {"KinesisVideoStream": {"Arn": f"arn:video/{name}"}},
                "Output": {"KinesisDataStream": {"Arn": f"arn:faces/{name}"}},
                "RoleArn": "arn:role",
                "Settings": {"FaceSearch": {"CollectionId": "people"}},
                "Tags": {"a": "b"},
            }
        )

    def described(self, name: str = "gate") -> dict[str, Any]:
        return self.processors.describe({"Name": name})


def test_a_processor_that_ran_runs_again_where_it_was(reopen: Reopen) -> None:
    before = OneStart(reopen())
    before.make()
    before.processors.start({"Name": "gate"})
    before.runs[0].report("RUNNING", None)
    before.kept.positions.keep("gate", Position(NOON, "917", 0.4))
    described = before.described()

    after = OneStart(reopen())

    assert [(run.started, run.position) for run in after.runs] == [(True, Position(NOON, "917", 0.4))]
    after.runs[0].report("RUNNING", None)
    assert after.described() == described


def test_an_orderly_end_of_the_runtime_stops_no_processor_for_good(reopen: Reopen) -> None:
    before = OneStart(reopen())
    before.make()
    before.processors.start({"Name": "gate"})
    before.runs[0].report("RUNNING", None)

    before.processors.close()

    assert [run.started for run in OneStart(reopen()).runs] == [True]


def test_one_that_was_stopped_failed_or_deleted_does_not_run_again(reopen: Reopen) -> None:
    before = OneStart(reopen())
    for name in ("gate", "door", "roof"):
        before.make(name)
        before.processors.start({"Name": name})
        before.runs[-1].report("RUNNING", None)
    before.processors.stop({"Name": "gate"})
    before.runs[1].report("FAILED", "Access denied to Role")
    before.runs[2].report("FAILED", None)
    before.processors.delete({"Name": "roof"})

    after = OneStart(reopen())

    assert after.runs == []
    assert after.described("gate")["Status"] == "STOPPED"
    assert after.described("door")["StatusMessage"] == "Access denied to Role"
    assert [one["Name"] for one in after.processors.list({})["StreamProcessors"]] == ["door", "gate"]


def test_one_that_was_stopping_is_stopped(reopen: Reopen) -> None:
    before = OneStart(reopen())
    before.make()
    before.processors.start({"Name": "gate"})
    state = before.kept.all()[0]
    before.kept.keep(replace(state, status="STOPPING"))

    after = OneStart(reopen())

    assert (after.described()["Status"], after.runs) == ("STOPPED", [])


def test_a_new_start_begins_with_what_is_new(reopen: Reopen) -> None:
    it = OneStart(reopen())
    it.make()
    it.kept.positions.keep("gate", Position(NOON, "917", 0.4))

    it.processors.start({"Name": "gate"})

    assert it.runs[0].position is None
    assert it.kept.positions.get("gate") is None


def test_a_position_that_cannot_be_kept_stops_nothing(
    reopen: Reopen, caplog: pytest.LogCaptureFixture
) -> None:
    facts = reopen()
    facts._db.execute("PRAGMA query_only = 1")

    Positions(facts).keep("gate", Position(NOON, "917", 0.4))

    assert "its position is not kept" in caplog.text
