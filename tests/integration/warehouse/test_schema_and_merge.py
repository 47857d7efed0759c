"""Migrations and the merge, statement by statement, on the database that stands in for Redshift."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sightline.errors import RejectedError
from sightline.warehouse.model import StatementFailedError, read_migrations, statements_of
from sightline.warehouse.service import SchemaUpdate
from sightline_local.cloud.redshift.database import Database, Session
from sightline_local.cloud.redshift.errors import SqlError


class StandIn:
    """A `Warehouse` in this process."""

    def __init__(self) -> None:
        self._session = Session(Database("sightline"), "sightline", lambda _session, _sql: 0)

    def run(self, statements: Sequence[str]) -> list[int]:
        try:
            return [result.count for result in self._session.run(list(statements))]
        except SqlError as error:
            raise StatementFailedError(str(error)) from error

    def query(self, statement: str) -> list[dict[str, Any]]:
        (result,) = self._session.run([statement])
        assert result.columns is not None
        names = [column.name for column in result.columns]
        return [dict(zip(names, row, strict=True)) for row in result.rows]


def update(warehouse: StandIn, files: Mapping[str, str]) -> tuple[int, ...]:
    return SchemaUpdate(warehouse, read_migrations(files)).apply()


@pytest.fixture
def warehouse() -> StandIn:
    return StandIn()


FIRST = {"001_a.sql": "CREATE TABLE a (x INTEGER);\nCREATE VIEW b AS SELECT x FROM a;"}


def test_files_are_applied_once_and_new_ones_later(warehouse: StandIn) -> None:
    assert update(warehouse, FIRST) == (1,)
    assert update(warehouse, FIRST) == ()
    more = FIRST | {"002_c.sql": "ALTER TABLE a ADD COLUMN y INTEGER;"}
    assert update(warehouse, more) == (2,)
    assert warehouse.query("SELECT version, name FROM migrations ORDER BY 1") == [
        {"version": 1, "name": "001_a.sql"},
        {"version": 2, "name": "002_c.sql"},
    ]


def test_a_file_of_which_one_statement_fails_is_not_applied_at_all_and_can_be_repaired(
    warehouse: StandIn,
) -> None:
    broken = FIRST | {"002_c.sql": "CREATE TABLE c (x INTEGER);\nCREATE VIEW d AS SELECT y FROM nothing;"}
    with pytest.raises(StatementFailedError, match="nothing"):
        update(warehouse, broken)
    assert warehouse.query("SELECT version FROM migrations") == [{"version": 1}]

    repaired = FIRST | {"002_c.sql": "CREATE TABLE c (x INTEGER);"}
    assert update(warehouse, repaired) == (2,)


def test_a_file_that_changed_after_it_was_applied_stops_the_new_ones_too(warehouse: StandIn) -> None:
    update(warehouse, FIRST)
    changed = {"001_a.sql": FIRST["001_a.sql"] + " ", "002_c.sql": "CREATE TABLE c (x INTEGER);"}
    with pytest.raises(RejectedError, match="changed"):
        update(warehouse, changed)
    assert warehouse.query("SELECT version FROM migrations") == [{"version": 1}]


def test_what_is_copied_while_a_merge_runs_waits_for_the_next_one(
    warehouse: StandIn, repository: Path
) -> None:
    folder = repository / "analytics" / "redshift"
    update(warehouse, {path.name: path.read_text() for path in folder.glob("*.sql")})
    job = statements_of((folder / "jobs" / "merge_sightings.sql").read_text(), DAYS="365")

    def arrives(*ids: str) -> None:
        values = ", ".join(f"('{each}', 'gate-3', GETDATE(), GETDATE())" for each in ids)
        columns = "sighting_id, device_id, seen_at, recorded_at"
        warehouse.run([f"INSERT INTO staging.sightings ({columns}) VALUES {values}"])

    arrives("a", "b", "b")
    warehouse.run(job[:2])
    arrives("c")
    warehouse.run(job[2:])

    assert warehouse.query("SELECT sighting_id AS id FROM sightings ORDER BY 1") == [{"id": "a"}, {"id": "b"}]
    assert warehouse.query("SELECT sighting_id AS id FROM staging.sightings") == [{"id": "c"}]
    assert warehouse.run(job)[1] == 1
    assert warehouse.query("SELECT COUNT(*) AS n FROM sightings") == [{"n": 3}]


def test_sightings_older_than_the_days_of_the_stack_are_forgotten(
    warehouse: StandIn, repository: Path
) -> None:
    folder = repository / "analytics" / "redshift"
    update(warehouse, {path.name: path.read_text() for path in folder.glob("*.sql")})
    columns = "sighting_id, device_id, seen_at"
    for days in (1, 29, 31):
        values = f"'{days}', 'gate-3', DATEADD(day, -{days}, GETDATE())"
        warehouse.run([f"INSERT INTO staging.sightings ({columns}) VALUES ({values})"])

    warehouse.run(statements_of((folder / "jobs" / "merge_sightings.sql").read_text(), DAYS="30"))

    found = warehouse.query("SELECT sighting_id AS id FROM sightings ORDER BY 1")
    assert found == [{"id": "1"}, {"id": "29"}]
