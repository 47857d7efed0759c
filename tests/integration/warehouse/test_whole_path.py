"""From the sightings stream into the warehouse's tables and views, on the local runtime."""

import gzip
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sightline.clock import to_iso
from tests.builders import a_sighting

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
GATES = {"gate-1": "Harbour", "gate-2": "Harbour", "door-1": "Museum", "van-1": None}
MALFORMED = [
    *(b"", b"no json", b'{"sighting_id": "cut off', b"[1, 2]", b"\xff\xfe", b'"text"', b"3", b"null"),
    *(b'{"sighting_id": "", "device_id": "gate-1"}', b'{"sighting_id": "si-1", "device_id": 1}'),
]
UNFIT: list[dict[str, Any]] = [
    {"seen_at": "yesterday"},
    {"similarity": "very"},
    {"device_id": "gate-" + "1" * 100},
    {"sighting_id": "x" * 100},
]


def a_row(number: int, gate: str, person: str | None, at: datetime, visit: str) -> dict[str, Any]:
    row = a_sighting().to_row(visit_id=visit, recorded_at=at + timedelta(seconds=2))
    known = {"person_id": person, "person_name": person and person.title()}
    return row | {
        "sighting_id": f"si-{number:06}",
        "device_id": gate,
        "site": GATES[gate],
        "seen_at": to_iso(at),
        "similarity": None if person is None else 80 + number % 20 + 0.25,
        **known,
    }


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    """Five people (and strangers) who walk from gate to gate for ten hours, seen three times each visit."""
    chance = random.Random(7)
    made: list[dict[str, Any]] = []
    for visit in range(400):
        gate = chance.choice(sorted(GATES))
        person = chance.choice(["ada", "grace", "alan", "zoë", None])
        begin = START + timedelta(seconds=90 * visit)
        for step in range(3):
            at = begin + timedelta(seconds=step * chance.randint(1, 9))
            made.append(a_row(len(made), gate, person, at, f"vi-{visit:04}"))
    return made


@pytest.fixture(scope="module")
def stack(start_stack: Callable[[str], Any], rows: list[dict[str, Any]]) -> Iterator[Any]:
    """The rows have come: some twice, some late, with records between them that are no rows."""
    for stack in start_stack("serverless"):
        chance = random.Random(8)
        records = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
        late = [records.pop(chance.randrange(len(records))) for _ in range(6)]
        twice = chance.sample(records, 12)
        for place, bad in enumerate(MALFORMED):
            records.insert(place * 100 + 5, bad)
        for place, unfit in enumerate(UNFIT):
            records.insert(place * 90 + 7, json.dumps(rows[place] | unfit).encode())
        stack.put([*records, *twice, *late])
        stack.copied(len(rows) + len(twice))
        stack.merged = stack.invoke("MergeSightings")
        yield stack


def test_every_sighting_is_there_once_as_it_was_sent(stack: Any, rows: list[dict[str, Any]]) -> None:
    assert stack.merged["sightings"] == len(rows)
    columns = ", ".join(rows[0])
    found = {each[0]: each for each in stack.sql(f"SELECT {columns} FROM sightings")}
    assert len(found) == len(rows)
    for row in rows:
        for (name, sent), kept in zip(row.items(), found[row["sighting_id"]], strict=True):
            if name.endswith(("_at", "_timestamp")):
                kept_at = datetime.fromisoformat(kept).replace(tzinfo=UTC)
                assert kept_at == datetime.fromisoformat(sent), name
            else:
                assert kept == sent, name


def test_staging_is_empty_afterwards(stack: Any) -> None:
    assert stack.sql("SELECT COUNT(*) FROM staging.sightings") == [[0]]


def test_a_row_that_does_not_fit_is_in_a_manifest_with_its_reason_and_takes_no_other_with_it(
    stack: Any,
) -> None:
    left_out = [row for each in stack.objects("errors/rows/") for row in json.loads(each)["rows"]]
    columns = {row["column"] for row in left_out}
    assert columns == {"seen_at", "similarity", "device_id", "sighting_id"}
    assert len(left_out) == stack.merged["left_out"] == len(UNFIT)
    assert all(row["reason"] and row["file"].startswith("s3://") and row["line"] > 0 for row in left_out)


def test_a_record_that_is_no_json_object_is_set_aside_as_it_came(stack: Any) -> None:
    files = [
        gzip.decompress(each) if each[:2] == b"\x1f\x8b" else each
        for each in stack.objects("sightings/processing-failed/")
    ]
    documents = [json.loads(line) for each in files for line in each.splitlines()]
    assert len(documents) == len(MALFORMED)


def test_the_same_files_copied_again_add_no_row(stack: Any, rows: list[dict[str, Any]]) -> None:
    before = stack.sql("SELECT COUNT(*), MAX(recorded_at) FROM sightings")
    stack.put([json.dumps(row).encode() for row in rows[:300]])
    stack.copied(300)

    assert stack.invoke("MergeSightings")["sightings"] == 300

    assert stack.sql("SELECT COUNT(*), MAX(recorded_at) FROM sightings") == before


def test_visits_are_what_the_rows_say(stack: Any, rows: list[dict[str, Any]]) -> None:
    by_visit: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_visit[row["visit_id"]].append(row)

    found = stack.sql(
        "SELECT visit_id, device_id, person_id, seconds, sightings, best_similarity FROM visits"
    )

    assert {each[0]: each[1:] for each in found} == {
        visit: [
            seen[0]["device_id"],
            seen[0]["person_id"],
            (_at(max(seen, key=_at)) - _at(min(seen, key=_at))).seconds,
            len(seen),
            None if seen[0]["person_id"] is None else max(each["similarity"] for each in seen),
        ]
        for visit, seen in by_visit.items()
    }


def test_journeys_are_the_ways_between_two_devices(stack: Any, rows: list[dict[str, Any]]) -> None:
    last: dict[str, str] = {}
    ways: Counter[tuple[str, str, str]] = Counter()
    for row in rows[::3]:  # visits follow each other
        person, gate = row["person_id"], row["device_id"]
        if person is not None:
            if last.get(person, gate) != gate:
                ways[person, last[person], gate] += 1
            last[person] = gate

    found = stack.sql(
        "SELECT person_id, from_device_id, to_device_id, COUNT(*), MIN(seconds)"
        " FROM journeys GROUP BY 1, 2, 3"
    )

    assert {tuple(each[:3]): each[3] for each in found} == ways
    assert all(each[4] > 0 for each in found)


def test_traffic_is_counted_by_hour_and_site(stack: Any, rows: list[dict[str, Any]]) -> None:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[f"{_at(row):%Y-%m-%d %H:00:00}", row["site"] or "none"].append(row)

    found = stack.sql("SELECT hour, site, sightings, people, visits, unknown_faces FROM traffic_by_hour")

    assert {tuple(each[:2]): each[2:] for each in found} == {
        group: [
            len(seen),
            len({each["person_id"] for each in seen} - {None}),
            len({each["visit_id"] for each in seen}),
            sum(each["person_id"] is None for each in seen),
        ]
        for group, seen in groups.items()
    }


def test_nothing_wakes_the_warehouse_when_nothing_has_come_for_a_day(stack: Any) -> None:
    stack.client("s3").delete_objects(
        Bucket=stack.bucket, Delete={"Objects": [{"Key": key} for key in _manifests(stack)]}
    )
    stack.sql("INSERT INTO staging.sightings (sighting_id, device_id, seen_at) VALUES ('x', 'y', GETDATE())")

    assert stack.invoke("MergeSightings") == {"sightings": 0, "left_out": 0}

    assert stack.sql("SELECT sighting_id FROM staging.sightings") == [["x"]]


def _at(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["seen_at"])


def _manifests(stack: Any) -> list[str]:
    found = stack.client("s3").list_objects_v2(Bucket=stack.bucket, Prefix="sightings/manifests/")
    return [each["Key"] for each in found["Contents"]]
