"""What we change in how moto's interpreter runs states, and why; see patches.py for `undo`."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions import responses
from moto.stepfunctions.exceptions import AWSError
from moto.stepfunctions.parser.api import (
    EvaluationFailedEventDetails,
    ExecutionFailedEventDetails,
    ExecutionStatus,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.component.common.assign.assign_decl import AssignDecl
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison import ConditionStringJSONata
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.backend import execution
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from sightline_local.cloud.patches import original_of, replace
from sightline_local.statemachine.definition_check import problems

_TERMINAL = (StatesErrorNameType.StatesRuntime, StatesErrorNameType.StatesStatesDataLimitExceeded)


def assign_when_a_state_ends() -> None:
    """Moto assigns before it evaluates Output; on AWS both see the values that were there on entry."""

    def eval_body(self: Any, env: Any) -> None:
        assigned: dict[str, Any] = {}
        for binding in self.declaration_bindings:
            binding.eval(env=env)
            assigned.update(env.stack.pop())
        env.variable_store.to_be_assigned = assigned

    original = original_of(CommonStateField, "_get_state_exited_event_details")

    def exited(self: Any, env: Any) -> Any:
        for name, value in vars(env.variable_store).pop("to_be_assigned", {}).items():
            env.variable_store.set(variable_identifier=name, variable_value=value)
        return original(self, env)

    replace(AssignDecl, "_eval_body", eval_body)
    replace(CommonStateField, "_get_state_exited_event_details", exited)


def name_what_a_choice_fails_with() -> None:
    """Moto calls both States.Runtime: that no rule matched, and a condition that is not true or false."""
    choose, compare = (
        original_of(StateChoice, "_eval_state"),
        original_of(ConditionStringJSONata, "_eval_body"),
    )

    def eval_state(self: Any, env: Any) -> None:
        try:
            choose(self, env)
        except RuntimeError as error:
            cause = f"No rule of the Choice state '{self.name}' matched, and it has no Default"
            raise _execution_failure(env, StatesErrorNameType.StatesNoChoiceMatched, cause) from error

    def eval_body(self: Any, env: Any) -> None:
        try:
            compare(self, env)
        except RuntimeError as error:
            expression = self.string_jsonata.expression
            raise _evaluation_failure(env, f"The condition '{expression}' is not true or false") from error

    replace(StateChoice, "_eval_state", eval_state)
    replace(ConditionStringJSONata, "_eval_body", eval_body)


def keep_the_runtimes_errors_from_all() -> None:
    """States.ALL names neither States.Runtime nor States.DataLimitExceeded; to moto it names everything."""
    original = original_of(ErrorEqualsDecl, "_eval_body")

    def eval_body(self: Any, env: Any) -> None:
        error = env.stack[-1]
        original(self, env)
        terminal = isinstance(error, StatesErrorName) and error.typ in _TERMINAL
        if terminal and ErrorEqualsDecl._STATE_ALL_ERROR in self.error_names:
            env.stack[-1] = False

    replace(ErrorEqualsDecl, "_eval_body", eval_body)


def pass_the_languages_errors_on() -> None:
    """An error States.… inside a branch or an item becomes a ValueError, which nothing can catch."""

    def named(error_name: str | None) -> Any:
        if error_name and error_name.startswith("States."):
            return StatesErrorName.from_name(error_name)
        return CustomErrorName(error_name=error_name)

    replace(branches_decl, "CustomErrorName", named)
    replace(iteration_worker, "CustomErrorName", named)


def stop_at_once() -> None:
    """Moto's stopped executions run until their task has answered, and forget why they were stopped."""
    stop = original_of(Execution, "stop")
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

    replace(Execution, "stop", stop_now)
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


def _execution_failure(env: Any, kind: StatesErrorNameType, cause: str) -> FailureEventException:
    details = ExecutionFailedEventDetails(error=kind.to_name(), cause=cause)
    event = FailureEvent(
        env=env,
        error_name=StatesErrorName(typ=kind),
        event_type=HistoryEventType.ExecutionFailed,
        event_details=EventDetails(executionFailedEventDetails=details),
    )
    return FailureEventException(failure_event=event)


def _evaluation_failure(env: Any, cause: str) -> FailureEventException:
    name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
    details = EvaluationFailedEventDetails(cause=cause, error=name.error_name)
    event = FailureEvent(
        env=env,
        error_name=name,
        event_type=HistoryEventType.EvaluationFailed,
        event_details=EventDetails(evaluationFailedEventDetails=details),
    )
    return FailureEventException(failure_event=event)
