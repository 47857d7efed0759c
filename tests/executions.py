"""Executions of a state machine on moto."""

import time
from typing import Any


def stop(stepfunctions: Any, execution_arn: str) -> None:
    """Returns when the execution is over: StopExecution answers before the execution's thread has ended."""
    stepfunctions.stop_execution(executionArn=execution_arn)
    deadline = time.monotonic() + 30
    while stepfunctions.describe_execution(executionArn=execution_arn)["status"] == "RUNNING":
        assert time.monotonic() < deadline, f"{execution_arn} did not end"
        time.sleep(0.01)
