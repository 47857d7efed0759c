"""Migrations and the merge, statement by statement, on the database that stands in for Redshift."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from sightline.errors import RejectedError
from sightline.warehouse.model import StatementFailedError, read_migrations, statements_of
from sightline.warehouse.redshift_data import Place, RedshiftWarehouse
from sightline.warehouse.service import SchemaUpdate
from sightline_local.runtime import Runtime, RuntimeOptions

LOGIN = {"username": "sightline", "password": "Secret-1x"}
TEMPLATE = f"""
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {{Name: login, SecretString: '{json.dumps(LOGIN)}'}}
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    template = tmp_path_factory.mktemp("stack") / "template.yaml"
    template.write_text(TEMPLATE)
    session = boto3.Session("local", "local", region_name="us-east-1")
    with Runtime(RuntimeOptions(template, api_port=0, aws_port=0)) as runtime:
        yield lambda service: session.client(service, endpoint_url=runtime.aws_url)  # type: ignore[call-overload]


NAMES = (f"warehouse-{number}" for number in count())


@pytest.fixture
def warehouse(client: Callable[[str], Any]) -> RedshiftWarehouse:
    """An empty one."""
    name, serverless = next(NAMES), client("redshift-serverless")
    serverless.create_namespace(
        namespaceName=name, adminUsername=LOGIN["username"], adminUserPassword=LOGIN["password"]
    )
    serverless.create_workgroup(workgroupName=name, namespaceName=name)
    secret = client("secretsmanager").describe_secret(SecretId="login")["ARN"]
    return RedshiftWarehouse(client("redshift-data"), Place(name, "", "dev", secret), time.sleep)


def update(warehouse: RedshiftWarehouse, files: Mapping[str, str]) -> tuple[int, ...]:
    return SchemaUpdate(warehouse, read_migrations(files)).apply()


FIRST = {"001_a.sql": "CREATE TABLE a (x INTEGER);\nCREATE VIEW b AS SELECT x FROM a;"}


def test_files_are_applied_once_and_new_ones_later(warehouse: RedshiftWarehouse) -> None:
    assert update(warehouse, FIRST) == (1,)
    assert update(warehouse, FIRST) == ()
    more = FIRST | {"002_c.sql": "ALTER TABLE a ADD COLUMN y INTEGER;"}
    assert update(warehouse, more) == (2,)
    assert warehouse.query("SELECT version, name FROM migrations ORDER BY 1") == [
        {"version": 1, "name": "001_a.sql"},
        {"version": 2, "name": "002_c.sql"},
    ]


def test_a_file_of_which_one_statement_fails_is_not_applied_at_all_and_can_be_repaired(
    warehouse: RedshiftWarehouse,
) -> None:
    broken = FIRST | {"002_c.sql": "CREATE TABLE c (x INTEGER);\nCREATE VIEW d AS SELECT y FROM nothing;"}
    with pytest.raises(StatementFailedError, match="nothing"):
        update(warehouse, broken)
    assert warehouse.query("SELECT version FROM migrations") == [{"version": 1}]

    repaired = FIRST | {"002_c.sql": "CREATE TABLE c (x INTEGER);"}
    assert update(warehouse, repaired) == (2,)


def test_a_file_that_changed_after_it_was_applied_stops_new_ones_too(
    warehouse: RedshiftWarehouse,
) -> None:
    update(warehouse, FIRST)
    changed = {"001_a.sql": FIRST["001_a.sql"] + " ", "002_c.sql": "CREATE TABLE c (x INTEGER);"}
    with pytest.raises(RejectedError, match="changed"):
        update(warehouse, changed)
    assert warehouse.query("SELECT version FROM migrations") == [{"version": 1}]


def test_what_is_copied_while_a_merge_runs_waits_for_the_next_one(
    warehouse: RedshiftWarehouse, repository: Path
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
    warehouse: RedshiftWarehouse, repository: Path
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
