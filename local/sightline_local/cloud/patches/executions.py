"""How moto starts, stops, checks and describes executions, and why we change it."""

import datetime as dt
import json
import re
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions import responses
from moto.stepfunctions.exceptions import AWSError
from moto.stepfunctions.parser.api import ExecutionStatus
from moto.stepfunctions.parser.backend import execution
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from sightline_local.cloud.patches import original_of, replace
from sightline_local.statemachine.definition_check import problems

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_NAME = re.compile(r"""[^\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}""")
_LONGEST_INPUT = 262_144
_BEGINS_WITHIN = 5.0  # seconds, until the thread of an execution has read its definition


def start_executions_as_step_functions_does() -> None:
    """Moto takes any name and input, names all without one "None", and starts a name twice at once."""
    original = original_of(StepFunctionsParserBackend, "start_execution")
    lock = threading.Lock()

    def start_execution(
        self: Any, state_machine_arn: str, name: str | None = None, *rest: Any, **more: Any
    ) -> Any:
        _check_start(name, more.get("execution_input", rest[0] if rest else None))
        with lock:  # moto looks for the name first and adds the execution later
            return original(self, state_machine_arn, name or str(uuid.uuid4()), *rest, **more)

    replace(StepFunctionsParserBackend, "start_execution", start_execution)


def _check_start(name: str | None, given: str | None) -> None:
    if name and not _NAME.fullmatch(name):
        raise AWSError(f"Invalid Name: '{name}'", exception_type="InvalidName")
    if given is not None and len(given.encode()) > _LONGEST_INPUT:
        message = f"Value at 'input' failed to satisfy constraint: at most {_LONGEST_INPUT} bytes"
        raise AWSError(message, exception_type="ValidationException")
    try:
        json.loads(given or "{}")
    except ValueError as error:
        message = f"Invalid State Machine Execution Input: '{error}'"
        raise AWSError(message, exception_type="InvalidExecutionInput") from error


def tell_of_executions(started: Callable[[Any], None], ended: Callable[[Any], None]) -> None:
    """Moto tells nobody: `started(execution)` comes before its first state, `ended` after its last."""
    # As they are now: `stop_at_once` has changed how an execution ends.
    start = Execution.start
    reflect = BaseExecutionWorkerCommunication._reflect_execution_status

    def start_and_tell(self: Any) -> None:
        try:
            started(self)
        except Exception as error:  # moto lists it already: it must have a status
            self.exec_status, self.stop_date = ExecutionStatus.FAILED, self.start_date
            self.error, self.cause = "States.Runtime", str(error)
            raise
        start(self)

    def reflect_and_tell(self: Any) -> None:
        reflect(self)
        ended(self.execution)

    replace(Execution, "start", start_and_tell)
    replace(BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect_and_tell)


def stop_at_once() -> None:
    """Moto's stopped executions run until their task has answered, forget why, and break while they begin."""
    stop = original_of(Execution, "stop")
    stop_worker = original_of(ExecutionWorker, "stop")
    reflect = original_of(BaseExecutionWorkerCommunication, "_reflect_execution_status")

    def stop_now(self: Any, stop_date: dt.datetime, error: str | None, cause: str | None) -> None:
        if self.exec_status != ExecutionStatus.RUNNING:
            return
        stop(self, stop_date, error, cause)
        self.exec_status, self.stop_date = ExecutionStatus.ABORTED, stop_date
        self.error, self.cause = error or None, cause or None
        BaseExecutionWorkerCommunication(self).terminated()  # whoever listens hears of it now

    def reflect_once(self: Any) -> None:
        if self.execution.exec_status == ExecutionStatus.RUNNING:
            reflect(self)

    def stop_once_begun(self: Any, *given: Any, **more: Any) -> None:
        begun_by = time.monotonic() + _BEGINS_WITHIN
        while self.env is None and time.monotonic() < begun_by:
            time.sleep(0.001)
        stop_worker(self, *given, **more)

    replace(Execution, "stop", stop_now)
    replace(ExecutionWorker, "stop", stop_once_begun)
    replace(BaseExecutionWorkerCommunication, "_reflect_execution_status", reflect_once)


def check_machines(role_trusts: Callable[[str, str], bool]) -> None:
    """Moto takes any definition that it can parse, and any role; `role_trusts(role ARN, machine ARN)`."""
    create = original_of(StepFunctionsParserBackend, "create_state_machine")
    update = original_of(StepFunctionsParserBackend, "update_state_machine")

    def check(definition: str | None, role_arn: str | None, machine_arn: str) -> None:
        if definition is not None:
            _check_definition(definition)
        if role_arn is not None and not role_trusts(role_arn, machine_arn):
            principals = "Neither the global service principal states.amazonaws.com, nor the regional one"
            message = f"{principals} is authorized to assume the provided role."
            raise AWSError(message, exception_type="AccessDeniedException", status=400)

    def create_state_machine(self: Any, name: str, definition: str, roleArn: str, **more: Any) -> Any:  # noqa: N803
        check(definition, roleArn, f"arn:aws:states:{self.region_name}:{self.account_id}:stateMachine:{name}")
        return create(self, name, definition, roleArn, **more)

    def update_state_machine(
        self: Any, arn: str, definition: str | None = None, role_arn: str | None = None, **more: Any
    ) -> Any:
        check(definition, role_arn, arn)
        return update(self, arn, definition, role_arn, **more)

    replace(StepFunctionsParserBackend, "create_state_machine", create_state_machine)
    replace(StepFunctionsParserBackend, "update_state_machine", update_state_machine)


def _check_definition(text: str) -> None:
    try:
        wrong = next(problems(json.loads(text)), None)
    except ValueError as error:
        wrong = (), str(error)
    if wrong:
        place, problem = wrong
        where = "/".join(str(part) for part in ("", *place))
        message = f"Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {problem} at {where}'"
        raise AWSError(message, exception_type="InvalidDefinition", status=400)


def say_why() -> None:
    """Moto's API drops the cause that a task failed with, and why an execution was stopped."""

    def send_task_failure(self: Any) -> Any:
        token, error, cause = (self._get_param(name) for name in ("taskToken", "error", "cause"))
        self.stepfunction_backend.send_task_failure(token, error=error, cause=cause)
        return EmptyResult()

    def stop_execution(self: Any) -> Any:
        stopped = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        now = execution.datetime.datetime.now(tz=dt.UTC)
        stopped.stop(now, self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": stopped.stop_date})

    replace(responses.StepFunctionResponse, "send_task_failure", send_task_failure)
    replace(responses.StepFunctionResponse, "stop_execution", stop_execution)


def ask_those_that_run() -> None:
    """Moto looks for a token in every execution, and breaks on one that has no thread (yet, or any more)."""
    original = original_of(StepFunctionsParserBackend, "_get_executions")

    def get_executions(self: Any, execution_status: Any = None) -> list[Any]:
        found = original(self, execution_status)
        return [one for one in found if one.exec_worker is not None and one.exec_worker.env is not None]

    replace(StepFunctionsParserBackend, "_get_executions", get_executions)


def describe_as_step_functions_does() -> None:
    """Moto's answer has a text without its quotes for an output, and no stopDate of what timed out."""
    original = original_of(responses.StepFunctionResponse, "describe_execution")

    def describe_execution(self: Any) -> Any:
        answer = original(self)
        described = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if described.status == ExecutionStatus.SUCCEEDED.value:
            answer.result["output"] = json.dumps(described.output, separators=(",", ":"), default=str)
        if described.stop_date is not None:
            answer.result["stopDate"] = described.stop_date
        return answer

    replace(responses.StepFunctionResponse, "describe_execution", describe_execution)
