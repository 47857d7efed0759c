"""The warehouse of a local stack, asked through Redshift's Data API, and its merge."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sightline_cli.errors import CliError
from sightline_cli.interrupts import Interrupt
from sightline_cli.stack import Stack

_STATEMENT_SECONDS = 120.0


@dataclass
class Warehouse:
    """Values come as the Data API gives them: moments are texts, without a zone and in UTC."""

    stack: Stack
    interrupt: Interrupt

    def query(self, sql: str) -> list[list[Any]]:
        """The rows; CliError with what the warehouse says."""
        data = self._data
        place = {
            "WorkgroupName": self.stack.output("WarehouseWorkgroupName"),
            "Database": "sightline",
            "SecretArn": self.stack.output("WarehouseSecretArn"),
        }
        statement = data.execute_statement(Sql=sql, **place)["Id"]

        def has_ended() -> bool:
            described = data.describe_statement(Id=statement)
            if described["Status"] in {"FAILED", "ABORTED"}:
                raise CliError(f"the warehouse refused a statement: {described.get('Error')}")
            return bool(described["Status"] == "FINISHED")

        if not self.interrupt.wait_for(has_ended, _STATEMENT_SECONDS):
            raise CliError(f"the warehouse has not answered for {_STATEMENT_SECONDS:.0f} s")
        pages = data.get_paginator("get_statement_result").paginate(Id=statement)
        return [[_plain(cell) for cell in row] for page in pages for row in page["Records"]]

    def copied(self) -> int:
        """How many rows have been copied and wait for their merge."""
        ((count,),) = self.query("SELECT COUNT(*) FROM staging.sightings")
        return int(count)

    def merge(self) -> dict[str, int]:
        """Make rows of what was copied, as the schedule would: how many `sightings`, how many `left_out`."""
        functions = self.stack.client("lambda")
        answer = functions.invoke(FunctionName=self._merge_function, Payload=b"{}")
        body: dict[str, int] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise CliError(f"the warehouse could not be merged: {body}")
        return body

    @property
    def _data(self) -> Any:
        return self.stack.client("redshift-data")

    @cached_property
    def _merge_function(self) -> str:
        described = self.stack.client("cloudformation").describe_stack_resource(
            StackName=self.stack.target.stack_name, LogicalResourceId="MergeSightings"
        )
        return str(described["StackResourceDetail"]["PhysicalResourceId"])


def _plain(cell: dict[str, Any]) -> Any:
    return None if "isNull" in cell else next(iter(cell.values()))
