"""The saved queries of analytics/athena on a lake that Firehose wrote, against answers without SQL."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from sightline_local.cloud.athena.answer import text_of
from tests.integration.analytics.conftest import DAY_OF_THE_QUESTION, Lake, moment
from tests.integration.analytics.sightings import LAST_DAY

Row = dict[str, Any]
Answers = list[tuple[Any, ...]]


def once(rows: Iterable[Row], days: int) -> list[Row]:
    """What was seen since so many days before the last one, without what came twice."""
    since = (LAST_DAY - timedelta(days=days)).date().isoformat()
    return list({row["sighting_id"]: row for row in rows if row["seen_at"][:10] >= since}.values())


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def number_of(rows: list[Row], name: str) -> int:
    return len({row[name] for row in rows} - {None})


def seen(row: Row) -> datetime:
    return moment(row["seen_at"])


def seconds_between(first: datetime, last: datetime) -> float:
    return (last - first) / timedelta(milliseconds=1) / 1000


def traffic_by_hour_and_site(rows: list[Row]) -> Answers:
    groups = grouped(
        once(rows, 7),
        lambda row: (seen(row).replace(minute=0, second=0, microsecond=0), row["site"] or "none"),
    )
    return [
        (*key, number_of(each, "person_id"), number_of(each, "visit_id"), len(each))
        for key, each in sorted(groups.items())
    ]


def busiest_devices(rows: list[Row]) -> Answers:
    found = [
        (
            device,
            each[0]["site"] or "none",
            number_of(each, "visit_id"),
            number_of(each, "person_id"),
            len(each),
            max(map(seen, each)),
        )
        for device, each in grouped(once(rows, 7), lambda row: row["device_id"]).items()
    ]
    return sorted(found, key=lambda line: (-line[2], -line[4], line[0]))[:10]


def visits(rows: list[Row]) -> list[tuple[datetime, str, list[Row]]]:
    groups = grouped((row for row in rows if row["visit_id"]), lambda row: row["visit_id"])
    return sorted((min(map(seen, each)), visit_id, each) for visit_id, each in groups.items())


def visits_of_a_person(rows: list[Row]) -> Answers:
    return [
        (
            visit_id,
            each[0]["device_id"],
            each[0]["site"] or "none",
            began,
            max(map(seen, each)),
            seconds_between(began, max(map(seen, each))),
            len(each),
            max(row["similarity"] for row in each),
        )
        for began, visit_id, each in visits([row for row in once(rows, 30) if row["person_id"] == "ada"])
    ]


def journeys_over_devices(rows: list[Row]) -> Answers:
    ways: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for person, theirs in grouped(once(rows, 7), lambda row: row["person_id"]).items():
        stops = visits(theirs)
        for (_, _, before), (began, _, after) in pairwise(stops):
            way = before[0]["device_id"], after[0]["device_id"]
            seconds = seconds_between(max(map(seen, before)), began)
            if way[0] != way[1] and seconds <= 1800:
                ways[way].append((person, seconds))
    found = [
        (
            *way,
            len(each),
            len({person for person, _ in each}),
            min(s for _, s in each),
            max(s for _, s in each),
        )
        for way, each in ways.items()
    ]
    return sorted(found, key=lambda line: (-line[2], line[:2]))


def unknown_faces_per_device(rows: list[Row]) -> Answers:
    found = []
    for (day, device), each in grouped(
        once(rows, 7), lambda row: (row["seen_at"][:10], row["device_id"])
    ).items():
        if unknown := sum(row["person_id"] is None for row in each):
            found.append((day, device, unknown, len(each), round(100 * unknown / len(each), 1)))
    return sorted(found, key=lambda line: (line[0], -line[2], line[1]))


def similarity_distribution(rows: list[Row]) -> Answers:
    matches = [row for row in once(rows, 30) if row["similarity"] is not None]
    groups = grouped(matches, lambda row: int(row["similarity"]))
    return [
        (
            percent,
            len(each),
            number_of(each, "person_id"),
            sum(row["similarity"] >= percent for row in matches),
        )
        for percent, each in sorted(groups.items())
    ]


def late_arrivals(rows: list[Row]) -> Answers:
    found = []
    for device, each in grouped(once(rows, 7), lambda row: row["device_id"]).items():
        delays = [seconds_between(seen(row), moment(row["recorded_at"])) for row in each]
        late = sum(delay > 60 for delay in delays)
        found.append((device, len(each), late, round(100 * late / len(each), 1), max(delays)))
    return sorted(found, key=lambda line: (-line[2], line[0]))


COMPUTED: dict[str, Callable[[list[Row]], Answers]] = {
    each.__name__: each
    for each in (
        traffic_by_hour_and_site,
        busiest_devices,
        visits_of_a_person,
        journeys_over_devices,
        unknown_faces_per_device,
        similarity_distribution,
        late_arrivals,
    )
}


def test_every_saved_query_has_its_answer_here(repository: Path) -> None:
    saved = {file.stem for file in (repository / "analytics" / "athena").glob("*.sql")}

    assert saved == set(COMPUTED)


@pytest.mark.parametrize("name", sorted(COMPUTED))
def test_a_saved_query_answers_what_python_computes(name: str, lake: Lake, repository: Path) -> None:
    sql = (repository / "analytics" / "athena" / f"{name}.sql").read_text()

    answer = lake.ask(sql)

    expected = COMPUTED[name](lake.rows)
    assert len(expected) > 2, "these rows do not try it"
    assert answer.rows == expected


def test_the_known_rows_try_what_is_difficult(lake: Lake) -> None:
    """Repeated, late, unknown, without a site, and older than each query looks back."""
    again = Counter(row["sighting_id"] for row in lake.rows)

    assert max(again.values()) > 1
    assert any(row["person_id"] is None for row in lake.rows)
    assert any(row["site"] is None for row in lake.rows)
    assert len(once(lake.rows, 7)) < len(once(lake.rows, 30)) < len(once(lake.rows, 1000))


@pytest.mark.parametrize("name", sorted(COMPUTED))
def test_athena_of_the_local_runtime_answers_the_same(lake: Lake, repository: Path, name: str) -> None:
    sql = (repository / "analytics" / "athena" / f"{name}.sql").read_text()
    sql = sql.replace("current_date", f"DATE '{DAY_OF_THE_QUESTION}'")
    athena = lake.stack.client("athena")
    query = athena.start_query_execution(
        QueryString=sql,
        WorkGroup="sightline-lake",
        QueryExecutionContext={"Database": lake.stack.output("LakeDatabaseName")},
    )["QueryExecutionId"]

    deadline = time.monotonic() + 30
    while (status := athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"])[
        "State"
    ] in ("QUEUED", "RUNNING"):
        assert time.monotonic() < deadline
        time.sleep(0.05)

    assert status["State"] == "SUCCEEDED", status
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
    rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    answer = lake.ask(sql)
    texts = [[None if value is None else text_of(value) for value in row] for row in answer.rows]
    assert [[datum.get("VarCharValue") for datum in row] for row in rows] == [list(answer.columns), *texts]
