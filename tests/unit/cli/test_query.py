"""`sightline query`: Athena's SQL in DuckDB's words, and answers for people and for programs."""

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from sightline_cli.app import main
from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_cli.query.answer import json_lines, show
from sightline_cli.query.lake import Answer, ask, fetch, fetch_results, open_lake
from sightline_cli.query.statement import as_duckdb
from sightline_cli.stack import Stack, Target


def value_of(sql: str) -> Any:
    """What a statement of Athena gives in DuckDB: one value."""
    found = duckdb.connect().execute(as_duckdb(sql)).fetchone()
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("SELECT date_format(TIMESTAMP '2026-11-22 13:02:07', '%Y-%m-%d %H:%i')", "2026-11-22 13:02"),
        (
            "SELECT date_diff('millisecond', TIMESTAMP '2026-11-22 13:00:00.9', TIMESTAMP '2026-11-22')",
            -46_800_900,
        ),
        ("SELECT array_join(array_agg(x ORDER BY x DESC), '-') FROM (VALUES 'a', 'b') AS t (x)", "b-a"),
        ("SELECT count_if(x > 1) FROM (VALUES 1, 2, 3) AS t (x)", 2),
        ("SELECT element_at(ARRAY[10, 20], 2)", 20),
        ("SELECT day_of_week(DATE '2026-11-22')", 7),
        (
            "SELECT from_iso8601_timestamp('2026-11-22T13:02:07+01:00')",
            datetime.fromisoformat("2026-11-22 12:02:07"),
        ),
        ("SELECT TIMESTAMP '2026-11-22 13:02:07 UTC'", datetime.fromisoformat("2026-11-22 13:02:07")),
    ],
)
def test_athenas_words_become_duckdbs(sql: str, value: Any) -> None:
    assert value_of(sql) == value


def test_now_is_utc_and_without_a_zone_as_the_moments_of_the_lake() -> None:
    now = datetime.now(UTC).replace(tzinfo=None)

    assert abs(value_of("SELECT now()") - now) < timedelta(minutes=1)
    assert value_of("SELECT current_timestamp - INTERVAL '1' HOUR") < now


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("", "there is no SQL in it"),
        ("-- only a comment", "there is no SQL in it"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("DROP TABLE sightings", "begin with SELECT or WITH"),
        ("INSERT INTO sightings SELECT 1", "begin with SELECT or WITH"),
        ("COPY sightings TO 'x'", "begin with SELECT or WITH"),
        ("SELEC 1", "line 1, column 7"),
        ("SELECT (1", "line 1, column 9"),
        ("SELECT 'a", "wrong SQL"),
        ("SELECT seen_at AT TIME ZONE 'Europe/Berlin' FROM sightings", "here all moments are in UTC"),
    ],
)
def test_what_is_no_question_is_refused_in_a_line(sql: str, told: str) -> None:
    with pytest.raises(CliError, match=told) as refusal:
        as_duckdb(sql)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["query"], "give a question"),
        (["query", "SELECT 1", "--file", "x.sql"], "give a question"),
        (["query", "SELECT 1", "--aws"], "asked in Athena"),
    ],
)
def test_a_misuse_is_one_line_and_exit_code_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(arguments)

    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert code == 2


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code = main(["query", "--file", str(tmp_path / "none.sql")])

    assert "none.sql: No such file" in capsys.readouterr().err
    assert code == 1


MOMENT = datetime.fromisoformat("2026-11-22 13:02:07.250")


def test_a_row_is_an_object_a_line_and_says_moments_as_sightings_do() -> None:
    values = (
        "Zürich",
        MOMENT,
        date(2026, 11, 22),
        Decimal(7),
        Decimal("7.5"),
        float("nan"),
        None,
        [1, MOMENT],
    )
    answer = Answer(tuple("abcdefgh"), [values])

    (line,) = json_lines(answer)

    assert json.loads(line) == {
        "a": "Zürich",
        "b": "2026-11-22T13:02:07.250Z",
        "c": "2026-11-22",
        "d": 7,
        "e": 7.5,
        "f": None,
        "g": None,
        "h": [1, "2026-11-22T13:02:07.250Z"],
    }


def test_two_columns_of_one_name_cannot_be_an_object() -> None:
    with pytest.raises(CliError, match="two columns are called n"):
        list(json_lines(Answer(("n", "m", "n"), [(1, 2, 3)])))


def shown(answer: Answer, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show(answer, console)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_an_answer_is_a_table_and_null_is_empty() -> None:
    lines = shown(Answer(("device_id", "visits"), [("gate-3", 12), ("door", None)]), 40)

    assert [line.split() for line in lines if "─" not in line] == [
        ["device_id", "visits"],
        ["gate-3", "12"],
        ["door"],
        ["2", "rows"],
    ]


def test_an_answer_that_is_too_wide_is_a_block_per_row() -> None:
    assert shown(Answer(("name", "n"), [("Ada Lovelace of Harbour", 1)]), 20) == [
        "row 1",
        "name  Ada Lovelace of Harbour",
        "n     1",
        "1 row",
    ]


def test_what_somebody_called_a_device_does_not_move_the_cursor() -> None:
    assert "?[2J" in shown(Answer(("name",), [("\x1b[2J",)]), 40)[2]


class OneBucket:
    """The S3 of `fetch`: key → content."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        assert Bucket == "lake"
        keys = [key for key in self.objects if key.startswith(Prefix)]
        return [{"Contents": [{"Key": key}]} for key in keys] or [{}]

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "lake"
        return {"Body": io.BytesIO(self.objects[Key])}


class CompactedMeanwhile(OneBucket):
    """Each listing is followed by a compaction that puts the next files in the place of all."""

    class exceptions:  # noqa: N801  as boto3 has it
        class NoSuchKey(Exception):  # noqa: N818
            pass

    def __init__(self, objects: dict[str, bytes], then: list[dict[str, bytes]]) -> None:
        super().__init__(objects)
        self._then = then

    def paginate(self, *, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        listed = super().paginate(Bucket=Bucket, Prefix=Prefix)
        self.objects = self._then.pop(0) if self._then else self.objects
        return listed

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise self.exceptions.NoSuchKey
        return super().get_object(Bucket=Bucket, Key=Key)


def a_stack(objects: dict[str, bytes], bucket: type[OneBucket] = OneBucket, **more: Any) -> Stack:
    stack = Stack(Target("http://127.0.0.1:1", "us-east-1"))
    stack.outputs = {"LakeBucketName": "lake"}
    stack._clients["s3"] = bucket(objects, **more)
    return stack


def parquet_of(sql: str, folder: Path) -> bytes:
    file = folder / "made.parquet"
    duckdb.connect().execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")
    return file.read_bytes()


def test_a_folder_of_a_site_does_not_hide_the_column_and_errors_are_no_sightings(tmp_path: Path) -> None:
    stack = a_stack(
        {
            "sightings/dt=2026-11-22/site=Tor_3/a.parquet": parquet_of(
                "SELECT 1 AS n, 'Tor 3' AS site", tmp_path
            ),
            "sightings/dt=2026-11-23/site=none/b.parquet": parquet_of(
                "SELECT 2 AS n, NULL::TEXT AS site", tmp_path
            ),
            "errors/processing-failed/dt=2026-11-22/c": b"{}",
        }
    )
    place = tmp_path / "it's here"
    place.mkdir()

    assert fetch(stack, place, lambda: None) == 2
    with open_lake(place) as lake:
        answer = ask(lake, "SELECT n, site, dt FROM sightings ORDER BY n", Interrupt())

    assert answer.rows == [(1, "Tor 3", "2026-11-22"), (2, None, "2026-11-23")]


def test_a_lake_that_is_compacted_meanwhile_is_fetched_once_more(tmp_path: Path) -> None:
    small = {
        f"sightings/dt=2026-11-22/site=none/{n}.parquet": parquet_of(f"SELECT {n} AS n", tmp_path)
        for n in range(3)
    }
    whole = {"sightings/dt=2026-11-22/whole.parquet": parquet_of("SELECT range AS n FROM range(3)", tmp_path)}
    stack = a_stack(small, CompactedMeanwhile, then=[whole])
    place = tmp_path / "lake"
    place.mkdir()

    assert fetch(stack, place, lambda: None) == 1
    with open_lake(place) as lake:
        assert ask(lake, "SELECT n FROM sightings ORDER BY n", Interrupt()).rows == [(0,), (1,), (2,)]


def test_a_lake_that_does_not_hold_still_is_said_in_a_line(tmp_path: Path) -> None:
    nights = [{f"sightings/dt=2026-11-22/{n}.parquet": b""} for n in range(9)]
    stack = a_stack(nights[0], CompactedMeanwhile, then=nights[1:])

    with pytest.raises(CliError, match="ask again when that has ended"):
        fetch(stack, tmp_path, lambda: None)


def test_a_file_with_a_newer_column_goes_with_older_ones(tmp_path: Path) -> None:
    stack = a_stack(
        {
            "sightings/dt=2026-11-22/site=none/a.parquet": parquet_of("SELECT 1 AS n", tmp_path),
            "sightings/dt=2026-11-22/site=none/b.parquet": parquet_of("SELECT 2 AS n, 3 AS newer", tmp_path),
        }
    )
    place = tmp_path / "lake"
    place.mkdir()

    fetch(stack, place, lambda: None)
    with open_lake(place) as lake:
        assert ask(lake, "SELECT n, newer FROM sightings ORDER BY n", Interrupt()).rows == [(1, None), (2, 3)]


def test_what_the_streaming_sql_found_is_a_table_of_its_own_and_no_sighting(tmp_path: Path) -> None:
    found = parquet_of("SELECT 7 AS people, NULL::TEXT AS person_id", tmp_path)
    stack = a_stack(
        {
            "sightings/dt=2026-11-22/site=none/a.parquet": parquet_of("SELECT 1 AS n", tmp_path),
            "streaming/query=people_per_minute/dt=2026-11-22/b.parquet": found,
            "streaming-errors/processing-failed/dt=2026-11-22/c": b"{}",
        }
    )
    place = tmp_path / "lake"
    place.mkdir()

    assert (fetch(stack, place, lambda: None), fetch_results(stack, place, lambda: None)) == (1, 1)
    with open_lake(place) as lake:
        sightings = ask(lake, "SELECT n FROM sightings", Interrupt())
        results = ask(lake, "SELECT query, dt, people FROM streaming_results", Interrupt())

    assert sightings.rows == [(1,)]
    assert results.rows == [("people_per_minute", "2026-11-22", 7)]


def test_whoever_asks_to_stop_does_not_wait_for_the_answer(tmp_path: Path) -> None:
    (tmp_path / "dt=2026-11-22").mkdir()
    (tmp_path / "dt=2026-11-22" / "0.parquet").write_bytes(parquet_of("SELECT 1 AS n", tmp_path))
    interrupt = Interrupt()
    interrupt.requested = True
    endless = (
        "SELECT count(*) FROM range(100000) a, range(100000) b, range(100000) c WHERE a.range <> c.range"
    )

    with open_lake(tmp_path) as lake, pytest.raises(KeyboardInterrupt):
        ask(lake, endless, interrupt)
