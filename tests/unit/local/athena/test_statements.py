"""Statements of Athena: their tables, the names of their columns, and the partitions that they can need."""

from collections.abc import Iterable, Sequence

import pytest

from sightline_local.cloud.athena.catalog import Column, Table
from sightline_local.cloud.athena.errors import QueryFailed, in_athenas_words
from sightline_local.cloud.athena.partitions import Values
from sightline_local.cloud.athena.pruning import needed
from sightline_local.cloud.athena.statement import Statement, TableName, parse, statement_of
from sightline_local.cloud.service import ServiceError

VISITS = Table(
    TableName("lake", "visits"),
    (Column("id", "string", "VARCHAR"),),
    (Column("dt", "string", "VARCHAR"),),
    "s3://lake/visits/",
    {},
)
KNOWN: list[Values] = [("2026-11-20",), ("2026-11-21",)]


def read(sql: str, *parameters: str) -> Statement:
    return statement_of(parse(sql, parameters), "lake")


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1", []),
        ("SELECT * FROM visits", ["lake.visits"]),
        ('SELECT * FROM AwsDataCatalog."Other".Visits v', ["other.visits"]),
        ("WITH visits AS (SELECT * FROM visits) SELECT * FROM visits", ["lake.visits"]),
        ("WITH a AS (SELECT 1 AS x) SELECT * FROM a JOIN b USING (x)", ["lake.b"]),
        (
            "SELECT * FROM a WHERE x IN (SELECT x FROM b) UNION ALL SELECT * FROM c",
            ["lake.a", "lake.b", "lake.c"],
        ),
    ],
)
def test_the_tables_of_a_statement_are_those_that_with_does_not_name(sql: str, tables: list[str]) -> None:
    assert sorted(str(each) for each in read(sql).tables) == [f"awsdatacatalog.{each}" for each in tables]


def test_a_table_needs_a_database_and_gluess_catalog() -> None:
    with pytest.raises(QueryFailed, match="MISSING_SCHEMA_NAME"):
        statement_of(parse("SELECT * FROM visits", ()), None)
    with pytest.raises(QueryFailed, match="CATALOG_NOT_FOUND: Catalog 'other' not found"):
        read("SELECT * FROM other.lake.visits")


def asked(sql: str) -> list[str]:
    """The conditions by which partitions are chosen; none when all are needed."""
    conditions: list[str] = []

    def select(condition: str, known: Sequence[Values]) -> Iterable[Values]:
        conditions.append(condition)
        return known[:1]

    chosen = needed(read(sql), VISITS, KNOWN, select)
    assert chosen == set(KNOWN if not conditions else KNOWN[:1])
    return conditions


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        ("dt = '2026-11-20'", "dt = '2026-11-20'"),
        ("v.dt >= '2026' AND id = 'x' AND (dt <> 'y')", "dt >= '2026'"),
        ("dt BETWEEN 'a' AND 'b' AND dt IN ('a', 'b')", "dt BETWEEN 'a' AND 'b' AND dt IN ('a', 'b')"),
    ],
)
def test_conditions_that_concern_only_keys_choose_the_partitions(where: str, condition: str) -> None:
    assert asked(f"SELECT id FROM visits AS v WHERE {where}") == [condition]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM visits",
        "SELECT id FROM visits WHERE id = 'x'",
        "SELECT id FROM visits WHERE dt = 'a' OR id = 'x'",
        "SELECT id FROM visits WHERE dt = id",
        "SELECT id FROM visits WHERE coalesce(dt, 'a') = 'a'",
        "SELECT id FROM visits WHERE dt IN (SELECT max(dt) FROM other)",
        "SELECT 1 FROM other AS o LEFT JOIN visits AS v ON v.dt = 'a' WHERE o.dt = 'b'",
        "SELECT 1 FROM other AS o LEFT JOIN visits AS v ON true WHERE v.dt IS NULL",
        "SELECT id FROM visits WHERE dt = 'a' UNION ALL SELECT id FROM visits",
    ],
)
def test_any_other_condition_leaves_all_partitions(sql: str) -> None:
    statement = read(sql)

    assert needed(statement, VISITS, KNOWN, lambda _condition, known: known[:1]) == set(KNOWN)


def test_each_place_that_names_the_table_adds_its_partitions() -> None:
    sql = "SELECT 1 FROM visits a JOIN visits b ON a.id = b.id WHERE a.dt = 'x' AND b.dt = 'y'"

    assert sorted(asked(sql)) == ["dt = 'x'", "dt = 'y'"]


def test_columns_without_a_name_are_called_by_their_place() -> None:
    sql = read("SELECT id, count(*), 1 + 1 AS Two FROM visits GROUP BY 1").duckdb()

    assert sql.startswith('SELECT id, COUNT(*) AS "_col1", 1 + 1 AS "two" FROM')


def test_parameters_stand_in_the_order_of_their_question_marks_wherever_those_are() -> None:
    sql = "WITH a AS (SELECT ? AS x) SELECT '?', ? FROM a WHERE x < ? -- really?"

    found = read(sql, "1", "'two'", "DATE '2026-11-22'").duckdb()

    assert found.startswith(
        """WITH a AS (SELECT 1 AS x) SELECT '?' AS "_col0", 'two' AS "_col1" FROM a WHERE x <"""
    )


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ('SELECT "$path", * FROM t', 'SELECT "$path", * EXCLUDE ("$path") FROM'),
        ('SELECT "$path", t.* FROM t', 'SELECT "$path", t.* EXCLUDE ("$path") FROM'),
        ('SELECT count(*) FROM t GROUP BY "$path"', 'SELECT COUNT(*) AS "_col0" FROM'),
        ('SELECT * FROM (SELECT "$path" AS p FROM t) AS s', "SELECT * FROM (SELECT"),
        ('WITH s AS (SELECT "$path" AS p FROM t) SELECT s.* FROM s JOIN t ON true', "SELECT s.* FROM s"),
    ],
)
def test_only_stars_over_tables_hide_the_path(sql: str, shown: str) -> None:
    assert shown in read(sql).duckdb()


@pytest.mark.parametrize("parameters", [(), ("1", "2"), ("'unclosed",), ("word",), ("(SELECT 1)",)])
def test_parameters_that_do_not_fit_are_refused(parameters: tuple[str, ...]) -> None:
    with pytest.raises(ServiceError):
        parse("SELECT ?", parameters)


@pytest.mark.parametrize("sql", ["SELECT now() AT TIME ZONE 'UTC'", "INSERT OVERWRITE visits SELECT 1, 'a'"])
def test_what_only_athena_can_is_refused_by_name(sql: str) -> None:
    with pytest.raises((QueryFailed, ServiceError)):
        read(sql).duckdb()


@pytest.mark.parametrize(
    ("duckdb", "athena"),
    [
        (
            'Binder Error: Referenced column "x" not found in FROM clause!\nmore',
            "COLUMN_NOT_FOUND: Column 'x' ",
        ),
        (
            "Catalog Error: Scalar Function with name f does not exist!",
            "FUNCTION_NOT_FOUND: Function 'f' not",
        ),
        (
            "Conversion Error: Could not convert string 'x' to INT32",
            "INVALID_CAST_ARGUMENT: Cannot cast 'x' to",
        ),
        ("Out of Memory Error: too much\nmore", "GENERIC_USER_ERROR: too much"),
    ],
)
def test_errors_are_told_in_athenas_words(duckdb: str, athena: str) -> None:
    assert in_athenas_words(duckdb).startswith(athena)
