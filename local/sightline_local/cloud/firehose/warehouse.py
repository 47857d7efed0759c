"""The Redshift destination as it was asked for, and the door to the warehouse behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sightline_local.cloud.firehose.refusals import invalid
from sightline_local.iam import Credentials


class Warehouse(Protocol):
    """What Firehose needs of Redshift."""

    def copy(
        self, *, jdbc_url: str, user: str, password: str, statement: str, credentials: Credentials
    ) -> int:
        """Log in and run COPY, all or nothing, reading with these keys; the number of rows, or CopyFailed."""
        ...


@dataclass(frozen=True, slots=True)
class Copying:
    """Where rows are copied to, as whom, and how long a COPY that fails is tried again."""

    role_arn: str
    jdbc_url: str
    table: str
    columns: str | None
    options: str
    username: str | None
    password: str | None = field(repr=False)
    secret_arn: str | None
    secret_role_arn: str | None
    retry_seconds: int

    def statement(self, manifest_url: str) -> str:
        """As https://docs.aws.amazon.com/firehose/latest/dev/create-destination.html shows it."""
        columns = f" ({self.columns})" if self.columns else ""
        keys = f"CREDENTIALS 'aws_iam_role={self.role_arn}'"
        return (
            f"COPY {self.table}{columns} FROM '{manifest_url}' {keys} MANIFEST {self.options}".strip() + ";"
        )


def read_copying(wanted: Mapping[str, Any]) -> Copying:
    """ServiceError InvalidArgumentException unless there is one way to log in."""
    secret = wanted.get("SecretsManagerConfiguration", {})
    by_secret = bool(secret.get("Enabled"))
    by_password = "Username" in wanted and "Password" in wanted
    if by_secret == by_password or (by_secret and not secret.get("SecretARN")):
        raise invalid("Either Username and Password or SecretsManagerConfiguration is required.")
    command = wanted["CopyCommand"]
    return Copying(
        role_arn=wanted["RoleARN"],
        jdbc_url=wanted["ClusterJDBCURL"],
        table=command["DataTableName"],
        columns=command.get("DataTableColumns") or None,
        options=command.get("CopyOptions", ""),
        username=wanted.get("Username"),
        password=wanted.get("Password"),
        secret_arn=secret.get("SecretARN") if by_secret else None,
        secret_role_arn=secret.get("RoleARN", wanted["RoleARN"]) if by_secret else None,
        retry_seconds=wanted.get("RetryOptions", {}).get("DurationInSeconds", 3600),
    )
