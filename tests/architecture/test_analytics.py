"""The saved queries are what the template gives to Athena, and the lake's table is the row of a sighting."""

from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from tests.builders import a_sighting_row

FOLDER = Path(__file__).resolve().parents[2] / "analytics" / "athena"
SAVED = sorted(FOLDER.rglob("*.sql"))
# The files of a folder ask the table of that name.
TABLES = {"athena": ("LakeTable", "sightings"), "streaming": ("StreamingResultsTable", "streaming_results")}


def columns_of(template: dict[str, Any], table_id: str = "LakeTable") -> dict[str, str]:
    table = template["Resources"][table_id]["Properties"]["TableInput"]
    return {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}


def called(file: Path) -> str:
    """Its name among the saved queries, as `streaming journeys`."""
    return "_".join([*file.relative_to(FOLDER).parent.parts, file.stem])


@pytest.mark.parametrize("file", SAVED, ids=called)
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
    table_id, name = TABLES[file.parent.name]
    assert tables == {name}
    assert template["Resources"][table_id]["Properties"]["TableInput"]["Name"] == name


def test_the_template_has_every_saved_query_word_for_word(template: dict[str, Any]) -> None:
    given = {
        each["Properties"]["Name"].lower().replace(" ", "_"): each["Properties"]["QueryString"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Athena::NamedQuery"
    }

    assert given == {called(file): file.read_text() for file in SAVED}


def test_every_result_of_the_streaming_sql_has_its_saved_query_and_its_folder(
    template: dict[str, Any],
) -> None:
    table = template["Resources"]["StreamingResultsTable"]["Properties"]["TableInput"]
    folders = table["Parameters"]["projection.query.values"].split(",")

    asked = {file.stem: file.read_text() for file in SAVED if file.parent.name == "streaming"}

    assert sorted(asked) == sorted(folders)
    for name, text in asked.items():
        assert f"query = '{name}'" in text


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
