"""Answers of Athena: values as texts, files as CSV, types by their names."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline_local.cloud.athena.answer import column_info, csv_of, rows_of, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (7, "7"),
        (0.5, "0.5"),
        (100.0, "100.0"),
        (1e7, "1.0E7"),
        (-1.25e-5, "-1.25E-5"),
        (9_999_999.5, "9999999.5"),
        (0.0, "0.0"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (Decimal("1.50"), "1.50"),
        (datetime.fromisoformat("2026-11-22T10:00:00.250"), "2026-11-22 10:00:00.250"),
        (date(2026, 11, 22), "2026-11-22"),
        (["a", None, 1], "[a, null, 1]"),
        ({"x": 1, "y": "b"}, "{x=1, y=b}"),
        (b"\x01\xff", "01 ff"),
    ],
)
def test_values_are_written_as_athena_writes_them(value: Any, text: str) -> None:
    assert text_of(value) == text


@given(st.lists(st.lists(st.none() | st.text(), min_size=2, max_size=2)))
def test_what_is_written_as_csv_is_read_again(rows: list[list[str | None]]) -> None:
    assert list(rows_of(csv_of(["a", 'b"c'], rows))) == [["a", 'b"c'], *rows]


@pytest.mark.parametrize(
    ("duckdb", "athena"),
    [
        ("HUGEINT", ("bigint", 19, 0)),
        ("DECIMAL(18,3)", ("decimal", 18, 3)),
        ("INTEGER[]", ("array", 0, 0)),
        ("STRUCT(a INTEGER)", ("row", 0, 0)),
        ("VARCHAR", ("varchar", 2147483647, 0)),
    ],
)
def test_types_have_athenas_names(duckdb: str, athena: tuple[str, int, int]) -> None:
    info = column_info("n", duckdb)

    assert (info["Type"], info["Precision"], info["Scale"]) == athena
