"""The face stream as a processor writes it: in order, each record until it is there."""

import json
import logging
from threading import Event
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sightline_local.cloud.rekognition.role_session import ProcessorFailedError, RoleSession, is_denial

_log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5


class FaceStream:
    def __init__(
        self,
        role: RoleSession,
        stream_arn: str,
        *,
        partition_key: str,
        stopping: Event,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._role = role
        self._name = stream_arn.rpartition("/")[2]
        self._account = stream_arn.split(":")[4]
        self._partition_key = partition_key
        self._stopping = stopping
        self._retry_seconds = retry_seconds

    def check(self) -> None:
        """ProcessorFailedError unless the stream is there and the role may write to it.

        The role may do nothing but put, so an empty put asks: that it is empty is refused last.
        """
        try:
            self._role.client("kinesis").put_records(StreamName=self._name, Records=[])
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                self._fail_or_go_on(error)
        except BotoCoreError as error:
            _log.warning("%s: PutRecords failed, trying again: %s", self._name, error)

    def put(self, records: list[dict[str, Any]]) -> None:
        """Write them all, one key for all so that they stay in order in a stream with many shards, too."""
        left = [
            {"Data": json.dumps(record, separators=(",", ":")).encode(), "PartitionKey": self._partition_key}
            for record in records
        ]
        while left and not self._stopping.is_set():
            left = self._put(left)
            if left:
                self._stopping.wait(self._retry_seconds)

    def _put(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The entries that are still to be written."""
        try:
            results = self._role.client("kinesis").put_records(StreamName=self._name, Records=entries)[
                "Records"
            ]
        except ClientError as error:
            self._fail_or_go_on(error)
            return entries
        except BotoCoreError as error:
            _log.warning("%s: PutRecords failed, trying again: %s", self._name, error)
            return entries
        failed = [number for number, result in enumerate(results) if result.get("ErrorCode")]
        return [entries[number] for number in failed]

    def _fail_or_go_on(self, error: ClientError) -> None:
        code = error.response["Error"]["Code"]
        if is_denial(code):
            raise ProcessorFailedError("Access denied to Kinesis Data") from error
        if code == "ResourceNotFoundException":
            raise ProcessorFailedError(
                f"Stream {self._name} under account {self._account} not found"
            ) from error
        _log.warning("%s: PutRecords failed, trying again: %s", self._name, error)
