"""CloudWatch Logs of functions: read from the files of their output. moto keeps all other groups."""

from sightline_local.cloud.logs.service import LogsService

__all__ = ["LogsService"]
