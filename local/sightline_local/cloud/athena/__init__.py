"""Athena: SQL over the Parquet files of Glue's tables, each query with the rights of its caller.

Reading order: statement.py (what is asked), catalog.py, partitions.py and pruning.py (which files that
concerns), files.py (S3), engine.py (DuckDB), answer.py (what is given back), runs.py and service.py.
"""

from sightline_local.cloud.athena.service import AthenaService

__all__ = ["AthenaService"]
