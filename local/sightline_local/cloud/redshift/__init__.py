"""Redshift, stood in for by DuckDB: SQL, COPY from S3, serverless workgroups and provisioned clusters.

`Redshift` is cheap to make: DuckDB and sqlglot are loaded with the first statement, so a stack without a
warehouse pays nothing.
"""

from sightline_local.cloud.redshift.errors import CopyFailed, SqlError
from sightline_local.cloud.redshift.warehouses import Redshift, Warehouse

__all__ = ["CopyFailed", "Redshift", "SqlError", "Warehouse"]
