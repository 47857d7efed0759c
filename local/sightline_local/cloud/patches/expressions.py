"""What moto lacks of JSONata, and gets wrong in reading definitions."""

import json
from datetime import date
from typing import Any

from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.common.string import string_expression
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from sightline_local.cloud.patches import original_of, replace
from sightline_local.statemachine.jsonata import evaluate as evaluate_expression


def evaluate_jsonata() -> None:
    """Moto has no evaluator (getmoto/moto#10105), and answers $uuid() with "currently not supported"."""

    def evaluate(expression: str) -> Any:
        try:
            return evaluate_expression(expression)
        except Exception as error:  # the library raises whatever Python raises inside it
            raise moto_jsonata.JSONataException("JSONata", str(error)) from error

    replace(moto_jsonata, "_eval_jsonata", evaluate)
    replace(string_expression, "get_intrinsic_functions_declarations", lambda variable_references: "")


def quote_jsonata_values() -> None:
    """Moto writes texts between bare quotes, so a quote in an error message breaks the expression."""

    def literal(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)

    def declare(bindings: dict[str, Any]) -> str:
        return "".join(f"{name}:={literal(value)};" for name, value in bindings.items())

    replace(states, "encode_jsonata_variable_declarations", declare)
    replace(variable_store, "encode_jsonata_variable_declarations", declare)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def report_jsonata_errors() -> None:
    """A wrong expression is States.QueryEvaluationError, which Catch catches; moto says States.Runtime."""
    original = original_of(StringJSONata, "_eval_body")

    def eval_body(self: Any, env: Any) -> None:
        try:
            original(self, env)
        except moto_jsonata.JSONataException as error:
            name = StatesErrorName(typ=StatesErrorNameType.StatesQueryEvaluationError)
            cause = f"The JSONata expression '{self.expression}' could not be evaluated: {error.details}"
            details = EvaluationFailedEventDetails(cause=cause, error=name.error_name)
            event = FailureEvent(
                env=env,
                error_name=name,
                event_type=HistoryEventType.EvaluationFailed,
                event_details=EventDetails(evaluationFailedEventDetails=details),
            )
            raise FailureEventException(failure_event=event) from error

    replace(StringJSONata, "_eval_body", eval_body)


def read_negative_integers() -> None:
    """Moto's grammar knows integers from 0 up: -1 becomes -1.0, which an integer parameter does not take."""
    for name, attribute in (
        ("visitPayload_value_float", "val"),
        ("visitAssign_template_value_terminal_float", "value"),
        ("visitJsonata_template_value_terminal_float", "value"),
    ):
        replace(Preprocessor, name, _whole_if_written_whole(original_of(Preprocessor, name), attribute))


def _whole_if_written_whole(original: Any, attribute: str) -> Any:
    def visit(self: Any, ctx: Any) -> Any:
        result, text = original(self, ctx), ctx.NUMBER().getText()
        if text.lstrip("-").isdigit():
            setattr(result, attribute, int(text))
        return result

    return visit
