"""The lake of a local stack: its Parquet files, fetched from S3, are the tables of a DuckDB."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_cli.stack import Stack

PREFIX = "sightings/"
# What the streaming SQL found; only in stacks that have it.
RESULTS_PREFIX = "streaming/"
SETTINGS = {"autoinstall_known_extensions": "false", "memory_limit": "1GB"}
_AT_ONCE = 8
_TRIES = 3
_A_DAY = 86_400.0
# DuckDB points at the place of a mistake in further lines, and repeats the statement there.
_POINTER = re.compile(r"\s*\n\s*LINE \d+:.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows` has a value per column and row; moments are in UTC and have no zone."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def fetch(stack: Stack, folder: Path, check: Callable[[], None]) -> int:
    """Put the files into `folder`/dt=DAY/ and give their number; `check` is called before each."""
    if "LakeBucketName" not in stack.outputs:
        name = stack.target.stack_name
        raise CliError(f"the stack {name} has no lake: deploy it with the parameter Lake=true")
    # A folder `site=` must not hide the column of that name, which has the site as the device says it.
    return _download(stack, PREFIX, lambda key: folder / key.removeprefix(PREFIX).partition("/")[0], check)


def fetch_results(stack: Stack, folder: Path, check: Callable[[], None]) -> int:
    """Put what streaming SQL found into `folder`/streaming/query=QUERY/dt=DAY/; give the number of files."""
    return _download(stack, RESULTS_PREFIX, lambda key: (folder / key).parent, check)


def _download(stack: Stack, prefix: str, place_of: Callable[[str], Path], check: Callable[[], None]) -> int:
    """All of it or, since a compaction takes files away while they are fetched, all of it once more."""
    bucket, s3 = stack.output("LakeBucketName"), stack.client("s3")
    for _ in range(_TRIES):
        files = [(key, place_of(key) / f"{n}.parquet") for n, key in enumerate(_keys(s3, bucket, prefix))]

        def download(file: tuple[str, Path]) -> None:
            check()
            key, place = file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())

        try:
            with ThreadPoolExecutor(_AT_ONCE) as downloads:
                list(downloads.map(download, files))
            return len(files)
        except s3.exceptions.NoSuchKey:
            for _, place in files:
                place.unlink(missing_ok=True)
    raise CliError("the lake is being compacted: ask again when that has ended")


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (each["Key"] for each in page.get("Contents", []))


def open_lake(folder: Path) -> duckdb.DuckDBPyConnection:
    """The files of `fetch` as `sightings`, those of `fetch_results` (if any) as `streaming_results`.

    A statement reaches nothing else of this machine.
    """
    lake = duckdb.connect()
    quoted = str(folder).replace("'", "''")
    for name, value in SETTINGS.items():
        lake.execute(f"SET {name} = '{value}'")
    lake.execute(f"SET temp_directory = '{quoted}/.more'")
    lake.execute(f"SET allowed_directories = ['{quoted}']")
    _view(lake, "sightings", f"{quoted}/dt=*/*.parquet", "{dt: VARCHAR}")
    if (folder / RESULTS_PREFIX).is_dir():
        files = f"{quoted}/{RESULTS_PREFIX}query=*/dt=*/*.parquet"
        _view(lake, "streaming_results", files, "{query: VARCHAR, dt: VARCHAR}")
    lake.execute("SET enable_external_access = false")
    lake.execute("SET lock_configuration = true")
    return lake


def _view(lake: duckdb.DuckDBPyConnection, name: str, files: str, partitions: str) -> None:
    options = f"union_by_name = true, hive_partitioning = true, hive_types = {partitions}"
    lake.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{files}', {options})")  # noqa: S608  quoted


def ask(lake: duckdb.DuckDBPyConnection, sql: str, interrupt: Interrupt) -> Answer:
    """What DuckDB's SQL gives; CliError for a mistake in it, KeyboardInterrupt on a wish to stop."""
    with ThreadPoolExecutor(1) as asking:
        answer = asking.submit(_answer, lake, sql)
        try:
            while not interrupt.wait_for(answer.done, _A_DAY):
                pass
        except KeyboardInterrupt:
            while not answer.done():  # a statement that has not begun yet does not hear it
                lake.interrupt()
                time.sleep(0.05)
            raise
        return answer.result()


def _answer(lake: duckdb.DuckDBPyConnection, sql: str) -> Answer:
    try:
        found = lake.execute(sql)
        return Answer(tuple(column[0] for column in found.description or ()), found.fetchall())
    except duckdb.Error as error:
        raise CliError(f"wrong SQL: {_POINTER.sub('', str(error))}") from error
