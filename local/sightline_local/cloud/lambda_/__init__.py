"""Lambda's API, over `Functions` and `Mappings`."""

from sightline_local.cloud.lambda_.service import LambdaService

__all__ = ["LambdaService"]
