"""AWS::Glue: databases and tables, whose columns say what Parquet files of a delivery stream hold."""

from collections.abc import Mapping
from typing import Any

from sightline_local.cloud.firehose.hive_types import UnknownType, parse_type
from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, Checked, ListOf, Place, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _check_type(resource: Resource, value: Any, place: Place) -> None:
    try:
        parse_type(str(value))
    except UnknownType as error:
        raise resource.error(f"the local runtime does not know {error} of a column", *place) from error


_COLUMNS = ListOf({"Comment": CARRIED, "Name": CARRIED, "Type": Checked(_check_type)})


def _make_database(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    wanted = properties["DatabaseInput"]
    name = str(wanted.get("Name") or site.physical_name(resource.logical_id)).lower()
    site.client("glue").create_database(DatabaseInput={**wanted, "Name": name})
    return Made(name, {})


DATABASE = ResourceType(
    name="AWS::Glue::Database",
    accepts={
        "CatalogId": WITHOUT_EFFECT,  # there is one catalog: the account's
        "DatabaseInput": {
            "Description": CARRIED,
            "LocationUri": CARRIED,
            "Name": CARRIED,
            "Parameters": CARRIED,
        },
    },
    create=_make_database,
    required=frozenset({"CatalogId", "DatabaseInput"}),
)


def _make_table(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    wanted = properties["TableInput"]
    name = str(wanted.get("Name") or site.physical_name(resource.logical_id)).lower()
    settings = {**wanted, "Name": name, "PartitionKeys": wanted.get("PartitionKeys", [])}
    site.client("glue").create_table(DatabaseName=properties["DatabaseName"], TableInput=settings)
    return Made(name, {})


TABLE = ResourceType(
    name="AWS::Glue::Table",
    accepts={
        "CatalogId": WITHOUT_EFFECT,
        "DatabaseName": CARRIED,
        "TableInput": {
            "Description": CARRIED,
            "Name": CARRIED,
            "Parameters": CARRIED,
            "PartitionKeys": _COLUMNS,
            "StorageDescriptor": {
                "Columns": _COLUMNS,
                "InputFormat": CARRIED,
                "Location": CARRIED,
                "OutputFormat": CARRIED,
                "Parameters": CARRIED,
                "SerdeInfo": {"Name": CARRIED, "Parameters": CARRIED, "SerializationLibrary": CARRIED},
            },
            "TableType": CARRIED,
        },
    },
    create=_make_table,
    required=frozenset({"CatalogId", "DatabaseName", "TableInput"}),
)
