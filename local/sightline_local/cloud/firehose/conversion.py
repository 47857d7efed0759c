"""Buffers of JSON to Parquet files, by the Glue table as it is at that moment, read under the role."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sightline_local.cloud.firehose.buffers import Buffer
from sightline_local.cloud.firehose.conversion_settings import Conversion
from sightline_local.cloud.firehose.failures import Failure, conversion_document
from sightline_local.cloud.firehose.outbox import Content
from sightline_local.cloud.firehose.parquet import NotConverted, Schema, schema_of, write_parquet
from sightline_local.cloud.firehose.records import Record


class ToParquet:
    """A `Converter`."""

    def __init__(self, conversion: Conversion, glue: Callable[[], Any], now: Callable[[], datetime]) -> None:
        self._conversion = conversion
        self._glue = glue
        self._now = now

    def schema(self) -> Schema:
        """What Glue knows now; ClientError, TrustDenied, or UnknownType for a column that is not emulated."""
        table = read_table(self._glue(), self._conversion)
        return schema_of(table.get("StorageDescriptor", {}).get("Columns", []), self._conversion)

    def __call__(self, buffer: Buffer) -> tuple[Content, list[Record]]:
        good: list[Record] = []
        failed: list[Record] = []
        schema = self.schema()
        body = write_parquet(self._rows(buffer.records, schema, good, failed), schema)
        return Content(body, good), failed

    def _rows(
        self, records: list[Record], schema: Schema, good: list[Record], failed: list[Record]
    ) -> Iterator[bytes]:
        """One after the other: all of a large buffer at once would take many times its memory."""
        for record in records:
            try:
                yield from schema.rows(record.data)
                good.append(record)
            except NotConverted as error:
                failure = Failure(record, error.code, str(error))
                document = conversion_document(failure, self._now(), self._conversion)
                failed.append(replace(record, data=document))


def read_table(glue: Any, conversion: Conversion) -> dict[str, Any]:
    """The table in the version that the stream asked for."""
    name = {"DatabaseName": conversion.database}
    if conversion.version == "LATEST":
        found: dict[str, Any] = glue.get_table(Name=conversion.table, **name)["Table"]
        return found
    version = glue.get_table_version(TableName=conversion.table, VersionId=conversion.version, **name)
    table: dict[str, Any] = version["TableVersion"]["Table"]
    return table
