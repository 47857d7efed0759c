"""Tables as Glue describes them, asked for with the rights of the caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline_local.cloud.athena.errors import found_in_catalog, not_emulated
from sightline_local.cloud.athena.statement import TableName
from sightline_local.cloud.firehose.hive_types import UnknownType, parse_type

_PARQUET = "parquet"
_COMPRESSION = ("parquet.compression", "write.compression", "write_compression")


@dataclass(frozen=True, slots=True)
class Column:
    """`type` in Hive's words, `duckdb` in DuckDB's."""

    name: str
    type: str
    duckdb: str


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are those in the files, `keys` those that the place of a file tells."""

    name: TableName
    columns: tuple[Column, ...]
    keys: tuple[Column, ...]
    location: str  # s3://bucket/prefix/
    parameters: Mapping[str, str]

    @property
    def all_columns(self) -> tuple[Column, ...]:
        return (*self.columns, *self.keys)

    @property
    def is_projected(self) -> bool:
        return self.parameters.get("projection.enabled", "").lower() == "true"

    @property
    def compression(self) -> str:
        """Of the files that INSERT writes."""
        return next((self.parameters[name] for name in _COMPRESSION if name in self.parameters), "GZIP")


class Catalog:
    """`glue` is a boto3 client with the caller's keys."""

    def __init__(self, glue: Any) -> None:
        self._glue = glue

    def table(self, name: TableName) -> Table:
        """QueryFailed when it is not there, not for the caller, or of a kind that is not emulated."""
        with found_in_catalog(f"SCHEMA_NOT_FOUND: Schema '{name.database}' does not exist"):
            self._glue.get_database(Name=name.database)
        with found_in_catalog(f"TABLE_NOT_FOUND: Table '{name}' does not exist"):
            found = self._glue.get_table(DatabaseName=name.database, Name=name.name)["Table"]
        storage = found.get("StorageDescriptor", {})
        if _PARQUET not in str(storage.get("InputFormat", "")).lower():
            raise not_emulated(f"the format of {name}: it reads Parquet")
        return Table(
            name,
            tuple(_column(each) for each in storage.get("Columns", [])),
            tuple(_column(each) for each in found.get("PartitionKeys") or []),
            storage["Location"].rstrip("/") + "/",
            found.get("Parameters", {}),
        )

    def registered(self, table: Table) -> dict[str, tuple[str, ...]]:
        """Location → values of the keys, of the partitions that somebody registered."""
        with found_in_catalog(f"TABLE_NOT_FOUND: Table '{table.name}' does not exist"):
            pages = self._glue.get_paginator("get_partitions").paginate(
                DatabaseName=table.name.database, TableName=table.name.name
            )
            return {
                each["StorageDescriptor"]["Location"].rstrip("/") + "/": tuple(each["Values"])
                for page in pages
                for each in page["Partitions"]
            }

    def register(self, table: Table, values: tuple[str, ...], location: str) -> None:
        """A partition that INSERT has made; one that is there already stays."""
        name = {"DatabaseName": table.name.database, "TableName": table.name.name}
        with found_in_catalog(f"TABLE_NOT_FOUND: Table '{table.name}' does not exist"):
            self._glue.batch_create_partition(
                **name,
                PartitionInputList=[{"Values": list(values), "StorageDescriptor": {"Location": location}}],
            )


def _column(given: Mapping[str, str]) -> Column:
    kind = given.get("Type", "string")
    try:
        return Column(given["Name"].lower(), kind, parse_type(kind).duckdb)
    except UnknownType as error:
        raise not_emulated(f"{error} of the column {given['Name']}") from error
