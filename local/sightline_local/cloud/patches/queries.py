"""Queries of Athena as tasks of state machines, which moto refuses.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-athena.html
"""

import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import state_task_factory
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from sightline_local.cloud.patches import original_of, replace

_POLL_SECONDS = 0.2
_ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")

ClientFor = Callable[[str, str, str], Any]


def run_queries_of_athena(client_for: ClientFor) -> None:
    """Moto knows the names of Athena's tasks and refuses them; `client_for` as in calls.py."""
    original = original_of(state_task_factory, "state_task_service_for")

    def service_for(service_name: str) -> Any:
        return _task_class(client_for)() if service_name == "athena" else original(service_name)

    replace(state_task_factory, "state_task_service_for", service_for)


def _task_class(client_for: ClientFor) -> Any:
    class AthenaTask(state_task_service.StateTaskService):  # type: ignore[misc]
        def _get_sfn_resource(self) -> str:
            return ".".join(filter(None, (self.resource.api_action, self.resource.condition)))

        def _get_supported_parameters(self) -> set[str]:
            model = botocore.session.get_session().get_service_model("athena")
            action = self.resource.api_action
            shape = model.operation_model(action[0].upper() + action[1:]).input_shape
            return set(shape.members) if shape else set()

        def _from_error(self, env: Any, ex: Exception) -> Any:
            if isinstance(ex, ClientError):
                error = ex.response["Error"]
                return _failure(self, env, f"Athena.{error['Code']}", error["Message"])
            return super()._from_error(env, ex)

        def _eval_service_task(
            self,
            env: Any,
            resource_runtime_part: Any,  # noqa: ARG002
            normalised_parameters: dict[str, Any],
            state_credentials: Any,
        ) -> None:
            client = client_for("athena", state_credentials.role_arn, state_credentials.source_arn)
            answer = getattr(client, xform_name(self.resource.api_action))(**normalised_parameters)
            answer.pop("ResponseMetadata", None)
            if self.resource.condition is not None:
                _note_submission(self, env, answer)
                answer = _ended(self, env, client, answer["QueryExecutionId"])
            env.stack.append(answer)

    return AthenaTask


def _ended(task: Any, env: Any, client: Any, query_id: str) -> dict[str, Any]:
    """What GetQueryExecution says once the query has ended; one that nobody waits for any more is stopped."""
    while True:
        found = client.get_query_execution(QueryExecutionId=query_id)
        answer = {"QueryExecution": found["QueryExecution"]}
        state = found["QueryExecution"]["Status"]["State"]
        if state in _ENDED:
            break
        if not env.is_running():
            client.stop_query_execution(QueryExecutionId=query_id)
            return answer
        time.sleep(_POLL_SECONDS)
    if state != "SUCCEEDED":
        cause = json.dumps(answer["QueryExecution"], default=_iso)
        raise FailureEventException(_failure(task, env, "States.TaskFailed", cause))
    return answer


def _note_submission(task: Any, env: Any, answer: dict[str, Any]) -> None:
    details = {**_about(task), "output": json.dumps(answer), "outputDetails": {"truncated": False}}
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=HistoryEventType.TaskSubmitted,
        event_details=EventDetails(taskSubmittedEventDetails=details),
    )


def _failure(task: Any, env: Any, error: str, cause: str) -> Any:
    return FailureEvent(
        env=env,
        error_name=ErrorName(error),
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(taskFailedEventDetails={**_about(task), "error": error, "cause": cause}),
    )


def _about(task: Any) -> dict[str, str]:
    return {"resource": task._get_sfn_resource(), "resourceType": task._get_sfn_resource_type()}


def _iso(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds")
