"""How moto's state machines call services, and why we change it."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import botocore.session
from botocore import xform_name
from moto.core.config import default_user_config
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service,
    state_task_service_aws_sdk,
)

from sightline_local.cloud.patches import original_of, replace
from sightline_local.statemachine.integrations import SDK_SERVICES


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
    names = {name: service.boto3 for name, service in SDK_SERVICES.items()}
    known = original_of(state_task_service.StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES")
    replace(state_task_service.StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES", {**known, **names})


def name_errors_as_step_functions_does() -> None:
    """Moto prefixes errors with the name in the ARN ("kinesisvideo"), AWS with the SDK's class name."""
    names = {name: service.errors for name, service in SDK_SERVICES.items()}
    known = original_of(state_task_service_aws_sdk, "_SERVICE_ERROR_NAMES")
    replace(state_task_service_aws_sdk, "_SERVICE_ERROR_NAMES", {**known, **names})
