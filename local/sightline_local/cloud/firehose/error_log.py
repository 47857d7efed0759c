"""Delivery errors for CloudWatch Logs, under the stream's role.

https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-logs.html
"""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.iam import TrustDenied

_logger = logging.getLogger(__name__)


class ErrorLog:
    """A log stream that exists already; without one, errors are in the runtime's own log only."""

    def __init__(
        self,
        stream_arn: str,
        destination: str,
        place: tuple[str, str] | None,  # log group and log stream
        client: Callable[[str], Any],
        now: Callable[[], datetime],
    ) -> None:
        self._stream_arn = stream_arn
        self._destination = destination
        self._place = place
        self._client = client
        self._now = now

    def tell(self, code: str, message: str) -> None:
        _logger.warning("%s: %s: %s", self._stream_arn.rpartition("/")[2], code, message)
        if self._place is None:
            return
        text = {
            "deliveryStreamARN": self._stream_arn,
            "destination": self._destination,
            "deliveryStreamVersionId": 1,
            "message": message,
            "errorCode": code,
        }
        event = {"timestamp": int(self._now().timestamp() * 1000), "message": json.dumps(text)}
        try:
            group, log_stream = self._place
            logs = self._client("logs")
            logs.put_log_events(logGroupName=group, logStreamName=log_stream, logEvents=[event])
        except (ClientError, BotoCoreError, TrustDenied) as error:
            _logger.warning("%s could not write its log: %s", self._stream_arn, error)


def s3_error(error: Exception) -> tuple[str, str]:
    """Code and message of what went wrong with an object."""
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
    if code in ("AccessDenied", "TrustDenied"):
        return "S3.AccessDenied", (
            "Access was denied. Ensure that the trust policy for the provided IAM role allows Amazon Data "
            f"Firehose to assume the role, and the access policy allows access to the S3 bucket. ({error})"
        )
    if code == "NoSuchBucket":
        return "S3.NoSuchBucket", (
            "The specified bucket does not exist. Create the bucket or use a different bucket that does "
            "exist."
        )
    return "InternalError", f"An internal error occurred while attempting to deliver data. ({error})"
