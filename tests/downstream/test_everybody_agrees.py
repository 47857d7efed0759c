"""50,000 sightings, some twice, some late, and ten records that are none: every consumer agrees, to the row.

The oracle reads the bytes that were sent (`oracle.py` and its neighbours) and shares no code with a consumer.
"""

import base64
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sightline_cli.downstream import flink, presence
from sightline_cli.downstream.warehouse import Warehouse
from sightline_cli.interrupts import Interrupt
from tests.downstream import streaming_oracle as streaming
from tests.downstream.hour import PATIENCE_SECONDS, Hour, an_hour
from tests.downstream.oracle import Row, iso, moment, visits, ways
from tests.downstream.presence_oracle import presence as expected_presence

MOMENTS = ("seen_at", "server_timestamp", "producer_timestamp", "recorded_at")
BUSIEST = 5
ONE_DEVICE = "car-park"

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def hour(repository: Path) -> Iterator[Hour]:
    yield from an_hour(repository)


def comparable(row: Row) -> tuple[Any, ...]:
    """The values in the order of the row, moments as SQL has them."""
    return tuple(
        moment(value).replace(tzinfo=None) if name in MOMENTS else value for name, value in row.items()
    )


def raw(documents: Iterable[bytes], member: str) -> list[bytes]:
    """What was set aside, as it came."""
    return sorted(
        base64.b64decode(json.loads(line)[member]) for each in documents for line in each.splitlines()
    )


# ---------------------------------------------------------------- the lake


@pytest.fixture(scope="module")
def lake(hour: Hour, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Any]]:
    """Ask the lake, once every record is there or among the errors."""

    def answer(sql: str) -> list[Any]:
        return hour.asked(tmp_path_factory.mktemp("lake"), sql).rows

    def is_full() -> bool:
        errors = raw(hour.objects("LakeBucketName", "errors/"), "rawData")
        return len(answer("SELECT sighting_id FROM sightings")) + len(errors) >= hour.records

    hour.until_flushed(is_full)
    return answer


def test_the_lake_has_every_delivery_with_every_value(hour: Hour, lake: Any) -> None:
    columns = ", ".join(hour.truth.deliveries[0])

    found = Counter(lake(f"SELECT {columns} FROM sightings"))

    assert found == Counter(map(comparable, hour.truth.deliveries))


def test_the_lake_has_each_sighting_once_for_who_counts_distinct_ones(hour: Hour, lake: Any) -> None:
    ((count,),) = lake("SELECT count(DISTINCT sighting_id) FROM sightings")

    assert count == len(hour.truth.sightings)


def test_the_lakes_errors_are_exactly_what_is_no_sighting(hour: Hour, lake: Any) -> None:
    assert raw(hour.objects("LakeBucketName", "errors/"), "rawData") == sorted(hour.truth.malformed)


# ---------------------------------------------------------------- the warehouse


@pytest.fixture(scope="module")
def warehouse(hour: Hour) -> Warehouse:
    """With all that was copied merged."""
    warehouse = Warehouse(hour.stack, Interrupt())
    hour.until_flushed(lambda: warehouse.copied() >= len(hour.truth.deliveries))
    warehouse.merge()
    return warehouse


def test_the_warehouse_has_each_sighting_once_as_it_was_recorded_last(
    hour: Hour, warehouse: Warehouse
) -> None:
    names = list(hour.truth.deliveries[0])

    rows = warehouse.query(f"SELECT {', '.join(names)} FROM sightings")

    found = [dict(zip(names, row, strict=True)) for row in rows]
    assert Counter(map(comparable, map(_in_utc, found))) == Counter(
        map(comparable, hour.truth.last_recorded.values())
    )


def _in_utc(row: Row) -> Row:
    """The Data API gives moments without a zone."""
    return {name: f"{value}+00:00" if name in MOMENTS else value for name, value in row.items()}


def test_the_warehouse_leaves_out_exactly_what_is_no_sighting(hour: Hour, warehouse: Warehouse) -> None:
    set_aside = raw(hour.objects("WarehouseBucketName", "sightings/processing-failed/"), "rawData")
    manifests = map(json.loads, hour.objects("WarehouseBucketName", "errors/rows/"))
    left_out = [row for each in manifests for row in each["rows"]]

    without_moment = [each for each in hour.truth.malformed if each not in set_aside]
    assert len(set_aside) + len(without_moment) == len(hour.truth.malformed)
    assert [row["column"] for row in left_out] == ["seen_at"] * len(without_moment)


def test_the_warehouses_visits_are_those_of_the_sightings(hour: Hour, warehouse: Warehouse) -> None:
    found = warehouse.query("SELECT visit_id, device_id, person_id, sightings, best_similarity FROM visits")

    assert sorted(found) == sorted(
        [visit, seen[0]["device_id"], seen[0]["person_id"], len(seen), max(row["similarity"] for row in seen)]
        for visit, seen in visits(hour.truth.sightings.values()).items()
    )


def test_the_warehouses_journeys_are_the_ways_between_visits(hour: Hour, warehouse: Warehouse) -> None:
    found = warehouse.query(
        "SELECT person_id, from_device_id, to_device_id, left_at, arrived_at FROM journeys"
    )

    in_utc = [(*row[:3], *(moment(f"{at}+00:00") for at in row[3:])) for row in found]
    expected = [(*way[:3], *map(moment, way[3:])) for way in ways(hour.truth.sightings.values())]
    assert sorted(in_utc) == sorted(expected)


def test_the_warehouses_traffic_is_that_of_the_sightings(hour: Hour, warehouse: Warehouse) -> None:
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in hour.truth.sightings.values():
        groups[f"{moment(row['seen_at']):%Y-%m-%d %H:00:00}", row["site"] or "none"].append(row)

    found = warehouse.query(
        "SELECT hour, site, sightings, people, visits, unknown_faces FROM traffic_by_hour"
    )

    assert {tuple(each[:2]): each[2:] for each in found} == {
        group: [
            len(seen),
            len({row["person_id"] for row in seen} - {None}),
            len({row["visit_id"] for row in seen} - {None}),
            sum(row["person_id"] is None for row in seen),
        ]
        for group, seen in groups.items()
    }


# ---------------------------------------------------------------- the API


def test_the_api_has_each_sighting_once(hour: Hour) -> None:
    assert hour.indexed() == len(hour.truth.sightings)


def test_the_api_shows_the_sightings_of_a_device_with_every_value(hour: Hour) -> None:
    """One device, ten minutes at a time: the DynamoDB of this machine copies all it finds for every page."""
    expected: dict[str, list[Row]] = defaultdict(list)
    for row in hour.truth.last_recorded.values():
        if row["device_id"] == ONE_DEVICE:
            expected[row["seen_at"][:15]].append(row)

    found = {
        ten: hour.items(f"/sightings?device_id={ONE_DEVICE}&from={ten}0:00Z&to={ten}9:59.999Z&")
        for ten in expected
    }

    assert {ten: sorted(rows, key=_by_moment, reverse=True) for ten, rows in expected.items()} == found


def _by_moment(row: Row) -> tuple[str, str]:
    return row["seen_at"], row["sighting_id"]


def test_the_index_parks_exactly_what_is_no_sighting(hour: Hour) -> None:
    place = f"parked/{hour.stack.output('SightingsStreamName')}/"

    assert raw(hour.objects("ParkedRecordsBucketName", place), "payload") == sorted(hour.truth.malformed)


# ---------------------------------------------------------------- Flink SQL


@pytest.fixture(scope="module")
def results(flink_home: None, hour: Hour, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """What the queries said: query → rows."""
    told, groups = flink.environment(hour.runtime), flink.properties(hour.runtime)
    with flink.FlinkJob(groups, told, tmp_path_factory.mktemp("flink")) as job:
        job.wait_running(PATIENCE_SECONDS)
        job.wait_read(hour.records, PATIENCE_SECONDS)
        job.drain(PATIENCE_SECONDS)
    found: dict[str, list[Row]] = defaultdict(list)
    for output in ("StreamingResultsStreamName", "CrowdingStreamName"):
        for each in map(json.loads, hour.stream(output)):
            found[each["query"]].append(each)
    return found


@pytest.fixture(scope="module")
def streamed(hour: Hour) -> dict[str, list[Row]]:
    """What they must say."""
    sent = streaming.on_time_and_late(hour.truth.sightings.values())
    windows = streaming.people_per_minute(sent.on_time)
    return {
        "people_per_minute": windows,
        "busiest_devices": streaming.busiest_devices(windows, BUSIEST),
        "journeys": streaming.journeys(sent.on_time),
        "crowding": streaming.crowds(windows, 2),
        "late_sightings": streaming.late_sightings(sent.late),
    }


@pytest.mark.parametrize(
    "query", ["people_per_minute", "busiest_devices", "journeys", "crowding", "late_sightings"]
)
def test_a_streaming_query_says_exactly_what_the_sightings_say(
    query: str, results: dict[str, list[Row]], streamed: dict[str, list[Row]]
) -> None:
    expected = Counter(json.dumps(row, sort_keys=True) for row in streamed[query])

    assert Counter(json.dumps(row, sort_keys=True) for row in results[query]) == expected


def test_every_sighting_is_in_one_window_or_late(results: dict[str, list[Row]], hour: Hour) -> None:
    counted = sum(row["sightings"] for row in results["people_per_minute"])

    assert counted + len(results["late_sightings"]) == len(hour.truth.sightings)


def test_flink_tells_of_exactly_what_is_no_sighting(results: dict[str, list[Row]], hour: Hour) -> None:
    told = sorted(row["payload"] for row in results["malformed_records"])

    assert told == sorted(each.decode(errors="replace")[:1000] for each in hour.truth.malformed)


def test_the_lake_keeps_what_flink_said(
    results: dict[str, list[Row]], hour: Hour, tmp_path_factory: pytest.TempPathFactory
) -> None:
    said = [row for query, rows in results.items() if query != "crowding" for row in rows]
    kept: list[Row] = []

    def is_full() -> bool:
        answer = hour.asked(
            tmp_path_factory.mktemp("results"), "SELECT * EXCLUDE (dt) FROM streaming_results"
        )
        kept[:] = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        return len(kept) >= len(said)

    hour.until_flushed(is_full)

    assert Counter(map(_without_nulls, kept)) == Counter(map(_without_nulls, said))


def _without_nulls(row: Row) -> frozenset[tuple[str, Any]]:
    """The table of all results has columns that are another query's."""
    texts = {name: iso(at.replace(tzinfo=UTC)) for name, at in row.items() if isinstance(at, datetime)}
    return frozenset((name, each) for name, each in (row | texts).items() if each is not None)


# ---------------------------------------------------------------- presence


@pytest.fixture(scope="module")
def present(presence_home: None, hour: Hour, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """What `GET /presence` shows after the worker has read all."""
    folder = tmp_path_factory.mktemp("presence")
    with presence.PresenceWorker(presence.environment(hour.runtime), folder) as worker:
        worker.wait_running(PATIENCE_SECONDS)
        hour.until(lambda: worker.handled >= hour.records)
    return sorted(hour.items("/presence?"), key=lambda each: str(each["person_id"]))


def test_everybody_is_where_the_sightings_say(present: list[Row], hour: Hour) -> None:
    assert present == expected_presence(hour.truth.sightings.values(), datetime.now(UTC))


def test_the_presence_worker_sets_exactly_what_is_no_sighting_aside(present: list[Row], hour: Hour) -> None:
    messages = hour.messages("PresenceFailuresQueueUrl")

    assert sorted(base64.b64decode(each["payload"]) for each in messages) == sorted(hour.truth.malformed)
