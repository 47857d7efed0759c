"""The Data API of Redshift: no connection, no driver; statements are asked about until they have ended."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sightline.aws import busy_means_unavailable
from sightline.errors import UnavailableError
from sightline.settings import Settings
from sightline.warehouse.model import StatementFailedError

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """A workgroup of Redshift Serverless or a cluster (one of the two is empty), and how to log in."""

    workgroup: str
    cluster: str
    database: str
    secret_arn: str

    def arguments(self) -> dict[str, str]:
        where = {"WorkgroupName": self.workgroup, "ClusterIdentifier": self.cluster}
        named = {name: value for name, value in where.items() if value}
        return {**named, "Database": self.database, "SecretArn": self.secret_arn}


class WarehouseSettings(Settings):
    """Where the warehouse is, in the environment of every function that asks it."""

    warehouse_workgroup: str
    warehouse_cluster: str
    warehouse_database: str
    warehouse_secret_arn: str

    @property
    def place(self) -> Place:
        return Place(
            self.warehouse_workgroup,
            self.warehouse_cluster,
            self.warehouse_database,
            self.warehouse_secret_arn,
        )


@dataclass(frozen=True, slots=True)
class RedshiftWarehouse:
    """`client` is a boto3 client of redshift-data; `pause` waits for so many seconds."""

    client: Any
    place: Place
    pause: Callable[[float], None]
    patience_seconds: float = 600

    def run(self, statements: Sequence[str]) -> list[int]:
        """A batch is one transaction; so is a single statement, which BatchExecuteStatement takes, too."""
        with _refusals():
            started = self.client.batch_execute_statement(Sqls=list(statements), **self.place.arguments())
        parts = self._ended(started["Id"]).get("SubStatements", [])
        return [max(0, part.get("ResultRows", 0)) for part in parts]

    def query(self, statement: str) -> list[dict[str, Any]]:
        with _refusals():
            started = self.client.execute_statement(Sql=statement, **self.place.arguments())
        self._ended(started["Id"])
        return list(self._rows(started["Id"]))

    def _ended(self, statement_id: str) -> dict[str, Any]:
        waited, pause_seconds = 0.0, FIRST_PAUSE_SECONDS
        while True:
            with _refusals():
                found: dict[str, Any] = self.client.describe_statement(Id=statement_id)
            if found["Status"] == "FINISHED":
                return found
            if found["Status"] in ("FAILED", "ABORTED"):
                raise StatementFailedError(" ".join(str(found.get("Error", found["Status"])).split()))
            if waited > self.patience_seconds:
                raise UnavailableError(f"The warehouse did not finish within {waited:.0f} seconds.")
            self.pause(pause_seconds)
            waited += pause_seconds
            pause_seconds = min(pause_seconds * 1.5, LONGEST_PAUSE_SECONDS)

    def _rows(self, statement_id: str) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        while True:
            with _refusals():
                page = self.client.get_statement_result(Id=statement_id, **token)
            names = [column["name"] for column in page["ColumnMetadata"]]
            for record in page["Records"]:
                yield dict(zip(names, map(_value, record), strict=True))
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}


@contextmanager
def _refusals() -> Iterator[None]:
    with busy_means_unavailable("The warehouse"):
        try:
            yield
        except ClientError as error:
            if error.response["Error"].get("Code") == "ValidationException":
                raise StatementFailedError(error.response["Error"].get("Message", "")) from error
            raise


def _value(field: Mapping[str, Any]) -> Any:
    """`{"longValue": 3}` is 3, `{"isNull": True}` is None."""
    return None if field.get("isNull") else next(iter(field.values()))
