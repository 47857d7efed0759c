"""Managed Service for Apache Flink, by the name that its API has kept."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable, error_code
from sightline.streaming.model import Status

# Somebody (CloudFormation, the service itself) changes it at this moment: who waits finds out.
_NOT_NOW = {"ResourceInUseException", "ConcurrentModificationException"}


@dataclass(frozen=True, slots=True)
class FlinkApplication:
    """`client` is a boto3 client of kinesisanalyticsv2."""

    client: Any
    name: str

    def status(self) -> Status | None:
        with busy_means_unavailable("Managed Service for Apache Flink"):
            try:
                found = self.client.describe_application(ApplicationName=self.name)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return None
                raise
        return Status(found["ApplicationDetail"]["ApplicationStatus"])

    def start(self) -> None:
        restore = {"ApplicationRestoreType": "RESTORE_FROM_LATEST_SNAPSHOT"}
        self._ask("start_application", RunConfiguration={"ApplicationRestoreConfiguration": restore})

    def stop(self) -> None:
        self._ask("stop_application", Force=True)

    def _ask(self, method: str, **arguments: Any) -> None:
        with busy_means_unavailable("Managed Service for Apache Flink"):
            try:
                getattr(self.client, method)(ApplicationName=self.name, **arguments)
            except ClientError as error:
                if error_code(error) not in _NOT_NOW:
                    raise
