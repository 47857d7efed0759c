"""What moto's states do otherwise than AWS's."""

from typing import Any

from moto.stepfunctions.parser.api import (
    EvaluationFailedEventDetails,
    ExecutionFailedEventDetails,
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
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    inline_iteration_component,
    iteration_worker,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from sightline_local.cloud.patches import original_of, replace

_AT_ONCE = 40
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


def run_forty_items_at_once() -> None:
    """Moto starts a thread for every item of a map without MaxConcurrency; on AWS forty run at once."""
    component = inline_iteration_component.InlineIterationComponent
    original = original_of(component, "_eval_body")

    def eval_body(self: Any, env: Any) -> None:
        given = env.stack[-1]
        given.max_concurrency = min(given.max_concurrency or _AT_ONCE, _AT_ONCE, len(given.input_items))
        original(self, env)

    replace(component, "_eval_body", eval_body)


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
