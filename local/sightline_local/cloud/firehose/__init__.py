"""Firehose: delivery streams that read, transform, buffer and deliver to S3 and to a warehouse."""

from sightline_local.cloud.firehose.service import FirehoseService

__all__ = ["FirehoseService"]
