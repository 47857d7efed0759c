"""Step Functions: executions. One that ran when the runtime ended is run again from its beginning."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend.execution import Execution
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from sightline_local.cloud.patches import executions
from sightline_local.state.encoding import decode, encode
from sightline_local.state.facts import Facts

_KIND = "states.execution"
_DESCRIBED_FOR = timedelta(days=90)  # as on AWS


class Executions:
    """`close` before executions are stopped because the runtime ends: that is no end of theirs."""

    def __init__(self, facts: Facts, account: str, region: str) -> None:
        self._facts = facts
        self._account = account
        self._region = region
        self._running: list[tuple[str, dict[str, Any]]] = []
        self._closed = False

    def install(self) -> None:
        executions.tell_of_executions(self._started, self._ended)

    def restore(self) -> list[str]:
        homeless, over = set(), []
        for arn, fact in self._facts.all(_KIND):
            kept = decode(fact)
            machine = self._machine(kept["machine"])
            if machine is None:
                homeless.add(f"state machine {kept['machine'].rpartition(':')[2]}")
            elif kept["status"] == "RUNNING":
                self._running.append((arn, kept))
            elif kept["stopped"] < datetime.now(UTC) - _DESCRIBED_FOR:
                over.append(arn)
            else:
                machine.executions.append(self._ended_one(machine, arn, kept))
        self._facts.delete(_KIND, over)
        return sorted(homeless)

    def begin(self) -> None:
        for _, kept in self._running:
            execution = self._backend().start_execution(kept["machine"], kept["name"], kept["input"])
            execution.start_date = kept["started"]
        self._running.clear()

    def close(self) -> None:
        self._closed = True

    def _backend(self) -> Any:
        return stepfunctions_parser_backends[self._account][self._region]

    def _machine(self, arn: str) -> Any:
        return next((each for each in self._backend().state_machines if each.arn == arn), None)

    def _started(self, execution: Any) -> None:
        if self._facts.get(_KIND, execution.exec_arn) is None:  # else it is run again
            self._facts.put(_KIND, execution.exec_arn, encode(_described(execution, "RUNNING")))

    def _ended(self, execution: Any) -> None:
        if not self._closed:
            self._facts.put(_KIND, execution.exec_arn, encode(_described(execution, execution.status)))

    def _ended_one(self, machine: Any, arn: str, kept: dict[str, Any]) -> Execution:
        execution = Execution(
            name=kept["name"],
            sm_type=machine.sm_type,
            role_arn=machine.roleArn,
            exec_arn=arn,
            account_id=self._account,
            region_name=self._region,
            state_machine=machine,
            start_date=kept["started"],
            cloud_watch_logging_session=None,
            activity_store={},
            input_data=kept["input"],
        )
        execution.exec_status = ExecutionStatus(kept["status"])
        execution.stop_date, execution.output = kept["stopped"], json.loads(kept["output"])
        execution.error, execution.cause = kept["error"], kept["cause"]
        execution.exec_worker = _worker_of_the_past(kept["history"])
        return execution


def _described(execution: Any, status: str) -> dict[str, Any]:
    over = status != "RUNNING"
    return {
        "machine": execution.state_machine.arn,
        "name": execution.name,
        "input": execution.execution_input,
        "started": execution.start_date,
        "status": status,
        "stopped": execution.stop_date,
        "output": json.dumps(execution.output),
        "error": execution.error,
        "cause": execution.cause,
        "history": execution.to_history_output()["events"] if over else [],
    }


def _worker_of_the_past(history: list[Any]) -> Any:
    """What moto asks of the worker of an execution that is over."""
    env = SimpleNamespace(
        event_manager=SimpleNamespace(get_event_history=lambda: history),
        callback_pool_manager=SimpleNamespace(
            heartbeat=lambda **_: False,
            notify=lambda **_: False,
        ),
        map_run_record_pool_manager=SimpleNamespace(get=lambda _arn: None, get_all=list),
    )
    return SimpleNamespace(env=env, stop=lambda **_: None)
