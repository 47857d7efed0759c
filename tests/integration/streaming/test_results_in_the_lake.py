"""What the streaming SQL found, in the lake: every row with every value; an answer to each saved query."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sightline_cli.interrupts import Interrupt
from sightline_cli.query.lake import ask, fetch_results, open_lake
from sightline_cli.query.statement import as_duckdb
from tests.integration.streaming.conftest import System, until

BEGIN = "2026-11-22T12:00:00.000Z"
MINUTE = {"window_start": BEGIN, "window_end": "2026-11-22T12:01:00.000Z"}
NOON = datetime(2026, 11, 22, 12)  # noqa: DTZ001  moments of the lake have no zone


def minute(device_id: str, site: str | None, known: int, unknown: int, sightings: int) -> dict[str, Any]:
    people = {"people": known + unknown, "known_people": known, "unknown_faces": unknown}
    counted = {"device_id": device_id, "site": site, **people, "sightings": sightings}
    return {"query": "people_per_minute", **MINUTE, **counted}


def place(rank: int, device_id: str, people: int) -> dict[str, Any]:
    counted = {"rank": rank, "device_id": device_id, "people": people, "sightings": people * 3}
    return {"query": "busiest_devices", **MINUTE, **counted}


def journey(person_id: str, seconds: int) -> dict[str, Any]:
    arrived_at = (datetime(2026, 11, 22, 12, 0, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%H:%M:%S")
    return {
        "query": "journeys",
        "person_id": person_id,
        "from_device": "gate-3",
        "to_device": "door",
        "left_at": BEGIN,
        "arrived_at": f"2026-11-22T{arrived_at}.000Z",
        "seconds": seconds,
    }


def late(sighting_id: str) -> dict[str, Any]:
    seen = {"sighting_id": sighting_id, "device_id": "gate-3", "person_id": "ada", "seen_at": BEGIN}
    return {"query": "late_sightings", **seen, "window_start": BEGIN}


def malformed(payload: str) -> dict[str, Any]:
    return {"query": "malformed_records", "payload": payload, "reason": "no JSON object"}


ROWS = [
    minute("gate-3", "Harbour", 3, 2, 40),
    minute("door", None, 1, 0, 4),
    place(1, "gate-3", 5),
    place(2, "door", 1),
    journey("ada", 60),
    journey("grace", 90),
    late("si-1"),
    late("si-2"),
    malformed("not a row"),
    malformed("not a row"),
]
NO_RESULTS = [b"no JSON", {"people": 3}]
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "people_per_minute": [(NOON, "door", "none", 1, 1, 0, 4), (NOON, "gate-3", "Harbour", 5, 3, 2, 40)],
    "busiest_devices": [("gate-3", 1, 1, 5, 15), ("door", 0, 1, 1, 3)],
    "journeys": [("gate-3", "door", 2, 2, 60.0, 75.0, 90.0)],
    "late_sightings": [(NOON, "gate-3", 2, 1)],
    "malformed_records": [("no JSON object", "not a row", 2)],
}


def fill(system: System) -> None:
    """The buffers' time passes until every query has its folder, and the errors have theirs."""

    def delivered() -> bool:
        system.clock.advance(timedelta(minutes=5))
        found = system.keys("LakeBucketName", "streaming/")
        return {key.split("/")[1] for key in found} == {f"query={name}" for name in ANSWERS} and bool(
            system.keys("LakeBucketName", "streaming-errors/")
        )

    until(delivered)


@pytest.fixture(scope="module")
def lake(system: System, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    # A row that came twice, because the application began again; what has no second copy is counted.
    again = [row for row in ROWS if row["query"] != "malformed_records"]
    system.write("StreamingResultsStreamName", [*ROWS, *NO_RESULTS, *again])
    fill(system)
    folder = tmp_path_factory.mktemp("lake")
    (folder / "dt=2026-11-22").mkdir()
    duckdb.sql("SELECT 1 AS n").write_parquet(str(folder / "dt=2026-11-22" / "0.parquet"))
    assert fetch_results(system.stack, folder, lambda: None) == len(ANSWERS)
    return open_lake(folder)


def today(system: System) -> str:
    """The day of the runtime's clock, on which the rows came."""
    return system.clock.now().date().isoformat()


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_saved_query_answers_from_what_came(
    name: str, lake: duckdb.DuckDBPyConnection, repository: Path, system: System
) -> None:
    sql = (repository / "analytics" / "athena" / "streaming" / f"{name}.sql").read_text()

    rows = ask(lake, as_duckdb(sql.replace("current_date", f"DATE '{today(system)}'")), Interrupt()).rows

    if name == "malformed_records":  # its first column is the day on which they came
        rows = [row[1:] for row in rows]
    assert rows == ANSWERS[name]


def test_athena_answers_a_saved_query_as_it_is_saved(system: System, lake: duckdb.DuckDBPyConnection) -> None:
    del lake  # it is filled
    athena = system.client("athena")
    group = "sightline-lake"
    ids = athena.list_named_queries(WorkGroup=group)["NamedQueryIds"]
    saved = [athena.get_named_query(NamedQueryId=each)["NamedQuery"] for each in ids]
    (query,) = [each for each in saved if each["Name"] == "Streaming people per minute"]

    started = athena.start_query_execution(
        QueryString=query["QueryString"],
        QueryExecutionContext={"Database": query["Database"]},
        WorkGroup=group,
    )["QueryExecutionId"]

    def ended() -> Any:
        found = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
        return found if found["State"] not in ("QUEUED", "RUNNING") else None

    assert until(ended)["State"] == "SUCCEEDED", ended()
    rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
    told = [[value.get("VarCharValue") for value in row["Data"]] for row in rows]
    assert told == [
        ["window_start", "device_id", "site", "people", "known_people", "unknown_faces", "sightings"],
        ["2026-11-22 12:00:00.000", "door", "none", "1", "1", "0", "4"],
        ["2026-11-22 12:00:00.000", "gate-3", "Harbour", "5", "3", "2", "40"],
    ]


def test_a_row_has_its_values_and_nothing_in_the_columns_of_other_queries(
    lake: duckdb.DuckDBPyConnection,
) -> None:
    answer = ask(lake, "SELECT * FROM streaming_results WHERE person_id = 'grace'", Interrupt())

    (row, again) = (dict(zip(answer.columns, each, strict=True)) for each in answer.rows)
    assert row == again
    values = {name: value for name, value in row.items() if value is not None and name != "dt"}
    assert values == {
        "query": "journeys",
        "person_id": "grace",
        "from_device": "gate-3",
        "to_device": "door",
        "left_at": NOON,
        "arrived_at": NOON + timedelta(seconds=90),
        "seconds": 90.0,
    }


def test_what_is_no_result_lies_beside_and_stops_no_other(
    system: System, lake: duckdb.DuckDBPyConnection
) -> None:
    del lake
    bucket, s3 = system.stack.output("LakeBucketName"), system.client("s3")
    keys = system.keys("LakeBucketName", "streaming-errors/")

    lines = [
        line
        for key in keys
        for line in s3.get_object(Bucket=bucket, Key=key)["Body"].read().splitlines()
        if line.strip()
    ]

    assert len(lines) == len(NO_RESULTS)
    assert system.keys("LakeBucketName", "errors/") == []  # those are the sightings'


def test_the_columns_of_the_table_are_the_members_of_the_rows(
    system: System, lake: duckdb.DuckDBPyConnection
) -> None:
    answer = ask(lake, "SELECT * FROM streaming_results LIMIT 1", Interrupt())
    table = system.client("glue").get_table(
        DatabaseName=system.stack.output("LakeDatabaseName"), Name="streaming_results"
    )["Table"]
    columns = [each["Name"] for each in table["StorageDescriptor"]["Columns"]]

    members = {name for row in ROWS for name in row} - {"query"}

    assert set(columns) == members
    assert sorted(answer.columns) == sorted([*columns, "query", "dt"])
