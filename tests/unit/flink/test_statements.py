"""The streaming SQL without Java: its files, and what is filled in."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

FLINK = Path(__file__).parents[3] / "analytics" / "flink"
FILES = sorted((FLINK / "sql").glob("*"))
PROPERTIES = {
    "sightings": {"stream": "S", "aws.region": "us-east-1"},
    "results": {"stream": "R", "aws.region": "us-east-1"},
    "crowding": {"stream": "C", "aws.region": "us-east-1"},
}


@pytest.fixture(scope="module")
def main() -> ModuleType:
    return _module("main")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_is_one_statement_with_a_number_and_a_name(file: Path) -> None:
    assert re.fullmatch(r"\d{3}_[a-z_]+\.sql", file.name)
    code = [line for line in file.read_text().splitlines() if not line.startswith("--")]
    assert re.match(r"(CREATE TABLE|CREATE VIEW|INSERT INTO) [a-z_]+", code[0])
    assert ";" not in "\n".join(code)


def test_no_two_files_have_the_same_number() -> None:
    numbers = [file.name[:3] for file in FILES]

    assert len({*numbers}) == len(numbers) > 0


def test_whatever_is_read_or_written_was_made_by_an_earlier_file() -> None:
    made: set[str] = set()
    for file in FILES:
        code = re.sub(r"--.*", "", file.read_text())
        own = re.match(r"\s*CREATE (?:TABLE|VIEW) (\w+)", code)
        used = {*re.findall(r"(?:INSERT INTO|FROM|TABLE\(TUMBLE\(TABLE) (\w+)", code)} - {"TABLE"}
        assert used <= made, f"{file.name}: {used - made}"
        made |= {own[1]} if own else set()


def test_every_result_table_is_written_and_says_its_own_name(main: ModuleType) -> None:
    inserts = [each for each in main.statements(PROPERTIES) if main.is_insert(each)]

    for statement in inserts:
        table = re.search(r"INSERT INTO (\w+)", statement)
        assert table is not None
        assert f"SELECT\n  '{table[1]}'," in statement or f"SELECT '{table[1]}'," in statement
    assert len(inserts) == len([file for file in FILES if file.name.startswith("1")])


def test_what_differs_from_place_to_place_is_filled_in(main: ModuleType) -> None:
    job = {"late.after.seconds": "45", "crowding.floor": "7"}
    text = "\n".join(main.statements({**PROPERTIES, "job": job}))

    assert "INTERVAL '45' SECOND" in text
    assert "people >= 7" in text
    assert text.count("'stream' = 'S'") == text.count("'stream' = 'C'") == 1
    assert text.count("'stream' = 'R'") == 5
    assert "$" not in text


def test_a_number_that_is_none_is_refused_before_it_gets_into_the_sql(main: ModuleType) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        main.statements({**PROPERTIES, "job": {"crowding.floor": "1 OR TRUE"}})


def test_a_quote_in_an_option_does_not_end_it(main: ModuleType) -> None:
    assert main.with_options({"stream": "it's"}) == "'stream' = 'it''s'"


def test_a_group_that_names_another_connector_gets_none_of_the_options_of_kinesis(main: ModuleType) -> None:
    file = {"connector": "filesystem", "path": "/tmp/here"}
    text = main.statements({**PROPERTIES, "sightings": file})[0]

    assert "WITH ('connector' = 'filesystem', 'path' = '/tmp/here', 'format' = 'sightings')" in text


def test_the_properties_are_read_as_the_service_writes_them(main: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "application_properties.json"
    file.write_text(json.dumps([{"PropertyGroupId": "job", "PropertyMap": {"crowding.floor": "3"}}]))

    assert main.read_properties(file) == {"job": {"crowding.floor": "3"}}


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"flink_{name}", FLINK / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
