"""The Redshift Data API: statements that run by themselves and are asked for by their ids."""

from sightline_local.cloud.redshift_data.warehouse_services import WarehouseServices

__all__ = ["WarehouseServices"]
