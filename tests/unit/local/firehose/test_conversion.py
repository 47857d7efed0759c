"""JSON to Parquet by the columns of a Glue table."""

import json
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline_local.cloud.firehose.conversion_settings import Conversion
from sightline_local.cloud.firehose.hive_types import UnknownType, parse_type
from sightline_local.cloud.firehose.parquet import (
    MALFORMED,
    PARSE_ERROR,
    NotConverted,
    Schema,
    schema_of,
    write_parquet,
)


def schema(columns: dict[str, str], **settings: Any) -> Schema:
    described = [{"Name": name, "Type": kind} for name, kind in columns.items()]
    return schema_of(described, Conversion("role", "lake", "table", None, None, **settings))


def read(data: bytes, of: Schema, folder: Path) -> list[Any]:
    file = folder / "rows.parquet"
    file.write_bytes(write_parquet(of.rows(data), of))
    return duckdb.sql(f"SELECT * FROM '{file}'").fetchall()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("string", '"x"', "x"),
        ("string", "12", "12"),
        ("string", '{"a": [1, "é"]}', '{"a":[1,"é"]}'),
        ("int", '"12"', 12),
        ("bigint", "9007199254740993", 9007199254740993),
        ("double", "1", 1.0),
        ("double", '"0.5"', 0.5),
        ("boolean", '"true"', True),
        ("decimal(6,2)", "1.239", Decimal("1.24")),
        ("varchar(2)", '"abc"', "ab"),
        ("date", '"2026-01-02"', date(2026, 1, 2)),
        ("array<int>", "[1, null]", [1, None]),
        ("map<string,double>", '{"a": 1}', {"a": 1.0}),
        ("struct<Left:double,top:double>", '{"left": 1, "other": 2}', {"left": 1.0, "top": None}),
        ("array<struct<id:string>>", '[{"ID": "a"}]', [{"id": "a"}]),
        ("int", "null", None),
    ],
)
def test_values_are_read_as_the_openx_serde_reads_them(
    kind: str, text: str, value: Any, tmp_path: Path
) -> None:
    assert read(f'{{"c": {text}}}'.encode(), schema({"c": kind}), tmp_path) == [(value,)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1518033528", "2018-02-07 19:58:48"),
        ("1518033528123", "2018-02-07 19:58:48.123000"),
        ("1518033528.123", "2018-02-07 19:58:48.123000"),
        ('"2017-02-07T15:13:01.39256Z"', "2017-02-07 15:13:01.392560"),
        ('"2017-2-7 15:13:01.14"', "2017-02-07 15:13:01.140000"),
    ],
)
def test_times_are_read_in_every_form_that_aws_lists(text: str, moment: str, tmp_path: Path) -> None:
    ((value,),) = read(f'{{"c": {text}}}'.encode(), schema({"c": "timestamp"}), tmp_path)
    assert str(value) == moment


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", '"x"'),
        ("int", "1.5"),
        ("int", "3000000000"),
        ("tinyint", "200"),
        ("double", '"much"'),
        ("double", "true"),
        ("double", "1e999"),
        ("boolean", "1"),
        ("decimal(3,2)", "10"),
        ("decimal(3,2)", '"nan"'),
        ("timestamp", '"yesterday"'),
        ("timestamp", "1e30"),
        ("date", "1"),
        ("array<int>", "1"),
        ("struct<a:int>", "[]"),
        ("map<string,int>", "1"),
        ("string", r'"\ud800"'),
    ],
)
def test_a_value_that_does_not_fit_its_column_makes_the_record_malformed(kind: str, text: str) -> None:
    with pytest.raises(NotConverted, match="column c") as failure:
        schema({"c": kind}).rows(f'{{"c": {text}}}'.encode())
    assert failure.value.code == MALFORMED


@pytest.mark.parametrize("data", [b"", b"no", b"{", b'{"c": NaN}', b"\xff", b"[" * 100_000])
def test_what_is_no_json_cannot_be_parsed(data: bytes) -> None:
    with pytest.raises(NotConverted) as failure:
        schema({"c": "int"}).rows(data)
    assert failure.value.code == PARSE_ERROR


def test_keys_find_their_column_in_any_case_and_unknown_keys_are_left_out(tmp_path: Path) -> None:
    assert read(b'{"PersonId": "ada", "x": 1}', schema({"personid": "string"}), tmp_path) == [("ada",)]


def test_keys_may_be_mapped_and_dots_become_underscores(tmp_path: Path) -> None:
    mapped = schema(
        {"when": "bigint", "a_b": "int"}, json_keys={"when": "Timestamp"}, dots_to_underscores=True
    )
    assert read(b'{"Timestamp": 5, "a.b": 1}', mapped, tmp_path) == [(5, 1)]


def test_keys_may_be_told_apart_by_case(tmp_path: Path) -> None:
    assert read(b'{"C": 1}', schema({"c": "int"}, case_insensitive=False), tmp_path) == [(None,)]


def test_one_record_may_hold_several_objects(tmp_path: Path) -> None:
    assert read(b'{"c": 1}{"c": 2}\n{"c": 3}', schema({"c": "int"}), tmp_path) == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    "kind",
    ["", "uniontype<int>", "array<int", "array<int>>", "struct<a int>", "decimal(x)", "binary", "int;"],
)
def test_a_type_that_is_not_emulated_is_refused(kind: str) -> None:
    with pytest.raises(UnknownType):
        parse_type(kind)


def test_files_are_compressed_with_snappy_unless_told_otherwise(tmp_path: Path) -> None:
    for compression in ("SNAPPY", "GZIP", "UNCOMPRESSED"):
        read(b'{"c": 1}', schema({"c": "int"}, compression=compression), tmp_path)
        file = tmp_path / "rows.parquet"
        used = duckdb.sql(f"SELECT compression FROM parquet_metadata('{file}')").fetchall()
        assert used == [(compression,)]


_TYPES = ("string", "int", "double", "boolean", "decimal(5,2)", "timestamp", "date", "array<string>")
_ALL = {f"c{n}": kind for n, kind in enumerate((*_TYPES, "map<string,double>", "struct<a:int,b:array<int>>"))}
_TEXTS = st.text(max_size=6)
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | st.dates().map(str)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(_TEXTS | st.sampled_from("ab"), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.lists(st.tuples(st.sampled_from(sorted(_ALL)), _VALUES), max_size=8))
@settings(max_examples=20, deadline=None)
def test_whatever_records_hold_they_fit_or_are_put_aside(fields: list[tuple[str, Any]]) -> None:
    """A record that DuckDB refused would hold up the whole delivery stream."""
    whole = schema(_ALL)
    rows = []
    for name, value in fields:
        with suppress(NotConverted):
            rows += whole.rows(json.dumps({name: value}).encode())
    assert write_parquet(rows, whole).startswith(b"PAR1" if rows else b"")
