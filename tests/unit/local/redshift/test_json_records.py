"""How COPY reads JSON."""

import pytest

from sightline_local.cloud.redshift.json_records import JsonPathError, by_names, by_paths, rows_of

NAMES = by_names(["a", "b"], ignore_case=False)
NOTHING: frozenset[int] = frozenset()


def values(text: str, super_columns: frozenset[int] = NOTHING) -> list[list[str | None]]:
    return [list(row.values) for row in rows_of(text, NAMES, super_columns) if not row.problem]


@pytest.mark.parametrize("between", ["", "\n", " \n\n ", "\r\n"])
def test_objects_follow_each_other_with_or_without_space(between: str) -> None:
    assert values(f'{{"a": 1}}{between}{{"a": 2}}{between}') == [["1", None], ["2", None]]


def test_numbers_stay_as_they_were_written() -> None:
    assert values('{"a": 1.50, "b": 1.5E9}') == [["1.50", "1.5E9"]]


def test_values_are_texts_and_what_is_nested_is_json() -> None:
    assert values('{"a": true, "b": {"x": [1, "é"]}}') == [["true", '{"x":[1,"é"]}']]


def test_a_super_column_keeps_the_kind_of_its_value() -> None:
    assert values('{"a": "1", "b": 1}', frozenset({0, 1})) == [['"1"', "1"]]
    assert values('{"a": null}', frozenset({0, 1})) == [[None, None]]


def test_a_broken_object_takes_no_other_with_it() -> None:
    text = '{"a": 1}{"a": \n{"a": 2}\n{"a" 3}{"a": 4}[{"a": 5}]'
    rows = list(rows_of(text, NAMES, NOTHING))
    assert [row.values[0] if not row.problem else row.problem for row in rows] == [
        "1",
        "Invalid value.",
        "2",
        "Invalid value.",
        "4",
        None,  # a list has no member of that name
    ]


def test_lines_are_those_of_the_last_line_of_an_object() -> None:
    rows = rows_of('{"a": 1}\n{"a":\n2}\n{"a": 3}', NAMES, NOTHING)
    assert [row.line for row in rows] == [1, 3, 4]


def test_names_match_by_case_unless_it_is_to_be_ignored() -> None:
    row = {"A": "x", "b": "y"}
    assert by_names(["a", "b"], ignore_case=False)(row) == [None, "y"]
    assert by_names(["a", "b"], ignore_case=True)(row) == ["x", "y"]


def test_paths_lead_into_objects_and_lists() -> None:
    pick = by_paths("""{"jsonpaths": ["$['a']['b c']", "$.a.n[1]", "$[\\"x\\"]"]}""", 3)
    assert pick({"a": {"b c": 1, "n": [2, 3]}, "x": 4}) == [1, 3, 4]
    assert pick({"a": 1}) == [None, None, None]


@pytest.mark.parametrize("text", ["", "{}", '{"jsonpaths": ["a"]}', '{"jsonpaths": ["$.a", "$.b", "$.c"]}'])
def test_a_jsonpaths_file_must_have_a_path_for_each_column(text: str) -> None:
    with pytest.raises(JsonPathError):
        by_paths(text, 2)
