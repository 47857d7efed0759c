"""Objects on their way from the bucket into the warehouse: COPY from a manifest, tried again if it must be.

https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from sightline_local.cloud.firehose.access import RoleAccess
from sightline_local.cloud.firehose.bucket_writer import BucketWriter
from sightline_local.cloud.firehose.error_log import ErrorLog
from sightline_local.cloud.firehose.outbox import REFUSALS
from sightline_local.cloud.firehose.records import Record
from sightline_local.cloud.firehose.warehouse import Copying, Warehouse
from sightline_local.cloud.redshift.errors import CopyFailed

_BETWEEN = timedelta(minutes=5)


class Copies:
    """One COPY at a time, of all objects that wait; given up, they are named in a manifest of errors."""

    def __init__(
        self,
        copying: Copying,
        warehouse: Warehouse,
        *,
        writer: BucketWriter,
        access: RoleAccess,
        secret_access: RoleAccess | None,
        log: ErrorLog,
    ) -> None:
        self.retry_at: datetime | None = None
        self._copying = copying
        self._warehouse = warehouse
        self._writer = writer
        self._access = access
        self._secret_access = secret_access
        self._log = log
        self._waiting: list[tuple[str, list[Record]]] = []
        self._batch: list[tuple[str, list[Record]]] = []
        self._manifest = ""
        self._first_tried: datetime | None = None

    def waiting_records(self) -> int:
        return sum(len(records) for _, records in (*self._waiting, *self._batch))

    def add(self, key: str, records: list[Record]) -> None:
        """The data lies in the bucket: what is still needed of the records is which they are."""
        self._waiting.append((key, [replace(record, data=b"") for record in records]))

    def run(self, now: datetime) -> list[Record]:
        """Copy what waits; the records that are done with, loaded or given up."""
        if not (self._waiting or self._batch) or (self.retry_at is not None and now < self.retry_at):
            return []
        if not self._batch:
            self._batch, self._waiting = self._waiting, []
            self._manifest, self._first_tried = "", now
        self.retry_at = None
        problem = self._copy(now)
        if problem and not self._gives_up(problem, now):
            self.retry_at = now + _BETWEEN
            return []
        done = [record for _, records in self._batch for record in records]
        self._batch = []
        return done

    def _copy(self, now: datetime) -> str | None:
        """Why it failed; None when all rows are there."""
        try:
            if not self._manifest:
                self._manifest = self._write_manifest("manifests/", now)
            user, password = self._login()
            self._warehouse.copy(
                jdbc_url=self._copying.jdbc_url,
                user=user,
                password=password,
                statement=self._copying.statement(self._writer.url(self._manifest)),
                credentials=self._access.credentials(),
            )
        except CopyFailed as error:
            return str(error)
        except REFUSALS as error:
            return str(error)
        return None

    def _gives_up(self, problem: str, now: datetime) -> bool:
        self._log.tell("Redshift.DataLoadFailed", problem)
        limit = timedelta(seconds=self._copying.retry_seconds)
        if self._first_tried is not None and now - self._first_tried < limit:
            return False
        try:
            self._write_manifest("errors/manifests/", now)
        except REFUSALS as error:
            self._log.tell("S3.AccessDenied", str(error))
            return False
        return True

    def _write_manifest(self, folder: str, now: datetime) -> str:
        """https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html"""
        key = self._writer.manifest_key(folder, now)
        entries = [{"url": self._writer.url(name), "mandatory": True} for name, _ in self._batch]
        self._writer.put(key, json.dumps({"entries": entries}).encode())
        return key

    def _login(self) -> tuple[str, str]:
        if self._secret_access is None:
            return str(self._copying.username), str(self._copying.password)
        client = self._secret_access.client("secretsmanager")
        text = client.get_secret_value(SecretId=self._copying.secret_arn).get("SecretString", "")
        try:
            secret = json.loads(text)
            return str(secret["username"]), str(secret["password"])
        except (ValueError, KeyError, TypeError):
            return "", ""  # which no warehouse lets in
