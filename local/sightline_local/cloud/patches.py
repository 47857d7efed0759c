"""Everything that we change inside moto 5.2.5, and why. One small function and one contract test per change.

What concerns tables and topics is in state_patches.py, what concerns time in time_patches.py.

moto's internals move between versions, so the version is pinned, and tests/contract/local/ fails loudly when
a hook moves, or when moto no longer needs the patch. `undo` takes all of them back.
"""

import json
import sys
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import botocore.session
from botocore import xform_name
from moto.cognitoidp import models as cognito_models
from moto.cognitoidp import responses as cognito_responses
from moto.core.config import default_user_config
from moto.iam import aws_managed_policies
from moto.iam import models as iam_models
from moto.iam.access_control import PermissionResult
from moto.s3 import models as s3_models
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
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
    state_task_service_aws_sdk,
)
from moto.stepfunctions.parser.asl.eval import states, variable_store
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from sightline_local.statemachine.jsonata import evaluate as evaluate_expression

_originals: dict[tuple[int, str], tuple[Any, str, Any]] = {}


def original_of(owner: Any, name: str) -> Any:
    """Moto's own `owner.name`, also when it is patched already."""
    kept = _originals.setdefault((id(owner), name), (owner, name, _as_it_stands(owner, name)))[2]
    return kept.__func__ if isinstance(kept, staticmethod) else kept


def _as_it_stands(owner: Any, name: str) -> Any:
    return vars(owner).get(name) or getattr(owner, name)  # `getattr` would unwrap a static method


def replace(owner: Any, name: str, new: Any) -> None:
    original_of(owner, name)
    setattr(owner, name, new)


def undo() -> None:
    """Give moto back what was replaced."""
    for owner, name, original in _originals.values():
        setattr(owner, name, original)
    _originals.clear()


# -------------------------------------------------------------------------------- Step Functions


def run_state_machines() -> None:
    """Moto's default only stores executions; its interpreter must be switched on first."""
    default_user_config["stepfunctions"] = {"execute_state_machine": True}


def call_services_under_the_role(client_for: Callable[[str, str, str], Any]) -> None:
    """Moto calls with made-up keys at localhost:5000.

    `client_for(service, role ARN, state machine ARN)` calls as the role, which the machine asks for.
    """
    original = original_of(state_task.StateTask, "_eval_state_credentials")

    def eval_state_credentials(self: Any, env: Any) -> Any:
        credentials = original(self, env)
        credentials.source_arn = env.states.context_object.context_object_data["StateMachine"]["Id"]
        return credentials

    def boto_client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        return client_for(service, state_credentials.role_arn, state_credentials.source_arn)

    replace(state_task.StateTask, "_eval_state_credentials", eval_state_credentials)
    for name, module in list(sys.modules.items()):
        if name.startswith("moto.stepfunctions.") and hasattr(module, "boto_client_for"):
            replace(module, "boto_client_for", boto_client_for)


def write_fields_as_step_functions_does() -> None:
    """Step Functions says StreamArn and Uuid where the API says StreamARN and UUID; moto leaves that out."""
    service_class = state_task_service.StateTaskService
    session = botocore.session.get_session()

    def shape(task: Any, service_name: str | None, action: str | None, side: str) -> Any:
        model = session.get_service_model(task._get_boto_service_name(service_name))
        wanted = task._get_boto_service_action(action)
        for operation in model.operation_names:
            if xform_name(operation) == wanted:
                return getattr(model.operation_model(operation), side)
        return None

    def to_api(
        self: Any, parameters: dict[str, Any], boto_service_name: Any = None, service_action_name: Any = None
    ) -> None:
        request = shape(self, boto_service_name, service_action_name, "input_shape")
        if request is not None:
            self._to_boto_request(parameters, request)

    def from_api(
        self: Any, response: Any, boto_service_name: Any = None, service_action_name: Any = None
    ) -> None:
        answer = shape(self, boto_service_name, service_action_name, "output_shape")
        if answer is not None:
            self._from_boto_response(response, answer)
        _write_moments(response)

    replace(service_class, "_normalise_parameters", to_api)
    replace(service_class, "_normalise_response", from_api)


def _write_moments(value: Any) -> None:
    """Moments in an answer become texts, as states hold JSON."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        if isinstance(item, datetime):
            value[key] = item.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        elif isinstance(item, dict | list):
            _write_moments(item)


def find_services_as_step_functions_does() -> None:
    """Moto looks for a boto3 service "redshiftdata"; names in ARNs have no hyphens, boto3's have."""
    names = {"redshiftdata": "redshift-data", "redshiftserverless": "redshift-serverless"}
    known = original_of(state_task_service.StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES")
    replace(state_task_service.StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES", {**known, **names})


def name_errors_as_step_functions_does() -> None:
    """Moto prefixes errors with the name in the ARN ("kinesisvideo"), AWS with the SDK's class name."""
    names = {
        "kinesis": "Kinesis",
        "kinesisvideo": "KinesisVideo",
        "lambda": "Lambda",
        "redshiftdata": "RedshiftData",
        "rekognition": "Rekognition",
        "s3": "S3",
        "sns": "Sns",
        "sqs": "Sqs",
    }
    known = original_of(state_task_service_aws_sdk, "_SERVICE_ERROR_NAMES")
    replace(state_task_service_aws_sdk, "_SERVICE_ERROR_NAMES", {**known, **names})


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


def start_executions_as_step_functions_does() -> None:
    """Moto names all that are given no name "None", and two requests at once start the same name twice."""
    original = original_of(StepFunctionsParserBackend, "start_execution")
    lock = threading.Lock()

    def start_execution(
        self: Any, state_machine_arn: str, name: str | None = None, *rest: Any, **more: Any
    ) -> Any:
        with lock:  # moto looks for the name first and adds the execution later
            return original(self, state_machine_arn, name or str(uuid.uuid4()), *rest, **more)

    replace(StepFunctionsParserBackend, "start_execution", start_execution)


# -------------------------------------------------------------------------------- Cognito


def sign_tokens_with(private_key: Any, public_keys: dict[str, Any]) -> None:
    """Moto signs with a private key that everybody can read in its source: tokens that anyone could forge."""
    original = original_of(cognito_models.CognitoIdpUserPool, "__init__")

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.json_web_key = private_key

    replace(cognito_models.CognitoIdpUserPool, "__init__", init)
    replace(cognito_responses.CognitoIdpJsonWebKeyResponse, "json_web_key", json.dumps(public_keys))


# -------------------------------------------------------------------------------- IAM


def know_managed_policies_when_attached() -> None:
    """Moto knows none of AWS's managed policies, or parses all 1,582 at every reset."""
    original = original_of(iam_models.IAMBackend, "attach_role_policy")

    def attach_role_policy(self: Any, policy_arn: str, role_name: str) -> None:
        if ":iam::aws:policy/" in policy_arn and policy_arn not in self.managed_policies:
            name = policy_arn.rsplit("/", 1)[-1]
            data = json.loads(aws_managed_policies.aws_managed_policies_data).get(name)
            if data:
                policy = iam_models.AWSManagedPolicy.from_data(name, self.account_id, self.region_name, data)
                self.managed_policies[policy.arn] = policy
        original(self, policy_arn, role_name)

    replace(iam_models.IAMBackend, "attach_role_policy", attach_role_policy)


# -------------------------------------------------------------------------------- S3


def leave_bucket_policies_to_the_gateway() -> None:
    """Moto enforces them without their conditions: "deny what is not TLS" would deny everything."""
    replace(s3_models.FakeBucket, "get_permission", lambda *_: PermissionResult.NEUTRAL)
