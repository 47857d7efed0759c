"""Data format conversion as it was asked for: JSON by a Glue table to Parquet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sightline_local.cloud.firehose.refusals import invalid, not_emulated


@dataclass(frozen=True, slots=True)
class Conversion:
    """The Glue table whose columns the Parquet files have, and how keys of the JSON find their column."""

    role_arn: str
    database: str
    table: str
    region: str | None
    catalog_id: str | None
    version: str = "LATEST"
    compression: str = "SNAPPY"
    case_insensitive: bool = True
    dots_to_underscores: bool = False
    json_keys: Mapping[str, str] = field(default_factory=dict)  # column → key, where they differ


def read_conversion(wanted: Mapping[str, Any]) -> Conversion | None:
    """None when there is none; ServiceError InvalidArgumentException for what is missing or unknown."""
    if not wanted or not wanted.get("Enabled", True):
        return None
    schema = wanted.get("SchemaConfiguration", {})
    for name in ("RoleARN", "DatabaseName", "TableName"):
        if not schema.get(name):
            raise invalid(f"SchemaConfiguration.{name} is required when data format conversion is enabled.")
    reader = wanted.get("InputFormatConfiguration", {}).get("Deserializer", {})
    writer = wanted.get("OutputFormatConfiguration", {}).get("Serializer", {})
    if "OpenXJsonSerDe" not in reader:
        raise not_emulated("a Deserializer other than OpenXJsonSerDe")
    if "ParquetSerDe" not in writer:
        raise not_emulated("a Serializer other than ParquetSerDe")
    openx = reader["OpenXJsonSerDe"] or {}
    return Conversion(
        role_arn=schema["RoleARN"],
        database=schema["DatabaseName"],
        table=schema["TableName"],
        region=schema.get("Region"),
        catalog_id=schema.get("CatalogId"),
        version=schema.get("VersionId", "LATEST"),
        compression=(writer["ParquetSerDe"] or {}).get("Compression", "SNAPPY"),
        case_insensitive=openx.get("CaseInsensitive", True),
        dots_to_underscores=openx.get("ConvertDotsInJsonKeysToUnderscores", False),
        json_keys=openx.get("ColumnToJsonKeyMappings", {}),
    )
