"""The files of analytics/redshift: what Redshift would refuse, and what must agree with the rest."""

import re
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from samtranslator.yaml_helper import yaml_parse
from sqlglot import exp

from sightline.clock import utc_now
from sightline.warehouse.model import (
    LONGEST_STATEMENT_BYTES,
    MOST_STATEMENTS,
    read_migrations,
    statements_of,
)
from tests.builders import a_sighting

VALUES = {"DAYS": "365", "FILES": "s3://bucket/dimensions/", "ROLE": "arn:aws:iam::123456789012:role/r"}
FOLDER = Path(__file__).parents[3] / "analytics" / "redshift"
STORAGE = re.compile(r"\bDISTSTYLE \w+|(?:\bCOMPOUND )?\bSORTKEY \([^)]*\)")
FILES = sorted(FOLDER.rglob("*.sql"))


def plain(statement: str) -> str:
    """Without the clauses about storage, of which sqlglot knows a part."""
    return STORAGE.sub("", statement)


@pytest.fixture(scope="module")
def template(repository: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((repository / "template.yaml").read_text())
    return parsed


@pytest.fixture(scope="module")
def row() -> list[str]:
    """The columns of a sighting in their order."""
    return list(a_sighting().to_row(visit_id=None, recorded_at=utc_now()))


def columns_of(table: str) -> list[str]:
    for file in FILES:
        for statement in statements_of(file.read_text(), **VALUES):
            tree = sqlglot.parse_one(plain(statement), read="redshift")
            made = isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema)
            if made and tree.this.this.sql() == table:
                return [column.name for column in tree.this.find_all(exp.ColumnDef)]
    raise AssertionError(table)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_sqlglot_understands_every_statement(file: Path) -> None:
    for statement in statements_of(file.read_text(), **VALUES):
        (tree,) = sqlglot.parse(plain(statement), read="redshift")
        assert tree is not None
        assert tree.find(exp.Command) is None, statement


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_statements_are_cut_where_sql_cuts_them(file: Path) -> None:
    ours = statements_of(file.read_text(), **VALUES)
    theirs = sqlglot.tokenize(file.read_text(), read="redshift")
    assert len(ours) == sum(token.token_type is sqlglot.TokenType.SEMICOLON for token in theirs)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_fits_into_one_call_of_the_data_api(file: Path) -> None:
    statements = statements_of(file.read_text(), **VALUES)
    assert len(statements) < MOST_STATEMENTS  # one more remembers a migration
    assert all(len(each.encode()) <= LONGEST_STATEMENT_BYTES for each in statements)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_says_what_it_is_for(file: Path) -> None:
    assert file.read_text().startswith("-- ")


@pytest.mark.parametrize("table", ["staging.sightings", "sightings"])
def test_the_tables_have_the_columns_of_a_sighting(table: str, row: list[str]) -> None:
    assert columns_of(table) == row


def test_firehose_copies_every_column_of_a_sighting(template: dict[str, Any], row: list[str]) -> None:
    stream = template["Resources"]["SightingsToWarehouse"]["Properties"]
    command = stream["RedshiftDestinationConfiguration"]["CopyCommand"]
    assert [name.strip() for name in command["DataTableColumns"].split(",")] == row


def test_merging_names_every_column_everywhere(row: list[str]) -> None:
    _, insert, merge, *_ = statements_of((FOLDER / "jobs/merge_sightings.sql").read_text(), **VALUES)
    inserted = sqlglot.parse_one(insert, read="redshift")
    assert isinstance(inserted, exp.Insert)
    assert [column.name for column in inserted.this.expressions] == row
    assert [column.name for column in inserted.expression.expressions] == row
    merged = sqlglot.parse_one(merge, read="redshift")
    changed = [each.this.name for each in merged.find_all(exp.EQ) if each.parent is not merged]
    assert changed == row[1:]


def test_the_template_names_the_last_migration(template: dict[str, Any]) -> None:
    migrations = read_migrations({path.name: path.read_text() for path in FOLDER.glob("*.sql")})
    assert template["Resources"]["WarehouseSchema"]["Properties"]["Version"] == migrations[-1].version


def test_the_package_of_the_functions_has_the_files(repository: Path) -> None:
    linked = repository / "functions" / "warehouse" / "sql"
    assert linked.resolve() == FOLDER


def test_what_rows_are_sorted_by_is_in_the_table() -> None:
    for file in FILES:
        for statement in statements_of(file.read_text(), **VALUES):
            for clause in STORAGE.findall(statement):
                table = statement.split()[2]
                keys = [key.strip() for key in clause.partition("(")[2].rstrip(")").split(",")]
                assert set(keys) - {""} <= set(columns_of(table)), statement
