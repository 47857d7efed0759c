"""The saved queries are what the template gives to Athena, and the lake's table is the row of a sighting."""

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from tests.builders import a_sighting_row

SAVED = sorted(Path(__file__).resolve().parents[2].joinpath("analytics", "athena").glob("*.sql"))


def columns_of(template: dict[str, Any]) -> dict[str, str]:
    table = template["Resources"]["LakeTable"]["Properties"]["TableInput"]
    return {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}


@pytest.mark.parametrize("file", SAVED, ids=lambda file: file.stem)
def test_a_saved_query_is_one_statement_whose_first_line_is_its_question(
    file: Path, template: dict[str, Any]
) -> None:
    text = file.read_text()

    (statement,) = [each for each in sqlglot.parse(text, read="trino") if not isinstance(each, exp.Semicolon)]
    assert text.startswith("-- ")
    assert "?" in text.splitlines()[0]
    assert isinstance(statement, exp.Query)
    # An unbounded question would read, and cost, all that was ever seen.
    assert any(column.name == "dt" for column in statement.find_all(exp.Column))
    tables = {table.name for table in statement.find_all(exp.Table)} - {cte.alias for cte in statement.ctes}
    assert tables == {"sightings"}
    assert columns_of(template)


def test_the_template_has_every_saved_query_word_for_word(template: dict[str, Any]) -> None:
    given = {
        each["Properties"]["Name"].lower().replace(" ", "_"): each["Properties"]["QueryString"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Athena::NamedQuery"
    }

    assert given == {file.stem: file.read_text() for file in SAVED}


def test_the_table_has_the_members_of_the_row_in_its_order(template: dict[str, Any]) -> None:
    row = a_sighting_row()
    moments = {"seen_at", "recorded_at", "server_timestamp", "producer_timestamp"}
    kinds = {str: "string", float: "double", int: "int"}
    expected = {
        name: "timestamp" if name in moments else kinds.get(type(value)) for name, value in row.items()
    }

    columns = columns_of(template)

    assert list(columns) == list(row)
    for name, kind in expected.items():
        if kind is not None:  # the sample has no value for it
            assert columns[name] == kind, name
