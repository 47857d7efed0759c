"""One test per patch of moto's interpreter of state machines and of its time; see test_moto_patches.py."""

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from jsonata.timebox import Timebox
from moto import mock_aws
from moto.core.base_backend import BackendDict
from moto.core.config import default_user_config
from moto.stepfunctions.parser.api import InvalidToken
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from sightline_local.clock import Clock
from sightline_local.cloud import patches
from sightline_local.cloud.patches import executions, expressions, language, waiting

ROLE = "arn:aws:iam::123456789012:role/r"
FAIL = {"Type": "Fail", "Error": "Mine"}
Run = Callable[..., dict[str, Any]]
END = {"Type": "Succeed"}


@pytest.fixture(autouse=True)
def _moto_as_it_came() -> Iterator[None]:
    patches.undo()
    BackendDict.reset()
    kept = dict(default_user_config)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        expressions.evaluate_jsonata()
        expressions.quote_jsonata_values()
        executions.start_executions_as_step_functions_does()
        yield
    default_user_config.update(kept)
    patches.undo()
    BackendDict.reset()


@pytest.fixture
def sfn() -> Any:
    return boto3.client("stepfunctions", region_name="us-east-1")


@pytest.fixture
def run(sfn: Any) -> Run:
    """Run states to their end, and describe the execution."""
    numbers = iter(range(1000))

    def run(states: dict[str, Any], *, language: str = "JSONata", wait: bool = True) -> dict[str, Any]:
        definition = {"QueryLanguage": language, "StartAt": next(iter(states)), "States": states}
        machine = sfn.create_state_machine(
            name=f"m{next(numbers)}", definition=json.dumps(definition), roleArn=ROLE
        )["stateMachineArn"]
        arn = sfn.start_execution(stateMachineArn=machine, input="{}")["executionArn"]
        return ended(sfn, arn) if wait else dict(sfn.describe_execution(executionArn=arn))

    return run


def ended(sfn: Any, arn: str) -> dict[str, Any]:
    for _ in range(500):
        seen: dict[str, Any] = sfn.describe_execution(executionArn=arn)
        if seen["status"] != "RUNNING":
            return seen
        threading.Event().wait(0.01)
    return pytest.fail("it still runs")


def test_a_state_assigns_when_it_ends(run: Run) -> None:
    machine = {
        "One": {"Type": "Pass", "Assign": {"x": 1}, "Next": "Two"},
        "Two": {"Type": "Pass", "Assign": {"x": 2}, "Output": "{% $x %}", "Next": "Three"},
        "Three": {"Type": "Pass", "Output": ["{% $states.input %}", "{% $x %}"], "End": True},
    }
    assert json.loads(run(machine)["output"]) == [2, 2]  # moto alone
    language.assign_when_a_state_ends()
    assert json.loads(run(machine)["output"]) == [1, 2]


@pytest.mark.parametrize(
    ("condition", "error"),
    [("{% false %}", "States.NoChoiceMatched"), ("{% 'yes' %}", "States.QueryEvaluationError")],
)
def test_a_choice_fails_with_its_own_error(run: Run, condition: str, error: str) -> None:
    machine = {"One": {"Type": "Choice", "Choices": [{"Condition": condition, "Next": "Two"}]}, "Two": END}
    assert run(machine)["error"] == "States.Runtime"  # moto alone
    language.name_what_a_choice_fails_with()
    assert run(machine)["error"] == error


def around(inner: dict[str, Any], caught: str) -> dict[str, Any]:
    branch = {"StartAt": "In", "States": {"In": inner}}
    catch = [{"ErrorEquals": [caught], "Next": "Two"}]
    return {"One": {"Type": "Parallel", "Branches": [branch], "Catch": catch, "End": True}, "Two": END}


def test_an_error_of_the_language_leaves_a_branch_under_its_name(run: Run) -> None:
    machine = around(
        {"Type": "Choice", "Choices": [{"Condition": "{% false %}", "Next": "In"}]}, "States.ALL"
    )
    language.name_what_a_choice_fails_with()
    assert run(machine)["error"] == "States.Runtime"  # moto alone
    language.pass_the_languages_errors_on()
    assert run(machine)["status"] == "SUCCEEDED"


def test_all_does_not_name_the_runtimes_errors(run: Run) -> None:
    machine = around({"Type": "Pass", "InputPath": "$.missing", "End": True}, "States.ALL")
    language.pass_the_languages_errors_on()
    assert run(machine, language="JSONPath")["status"] == "SUCCEEDED"  # moto alone
    language.keep_the_runtimes_errors_from_all()
    assert run(machine, language="JSONPath")["error"] == "States.Runtime"


def test_a_map_runs_forty_items_at_once(run: Run, sfn: Any) -> None:
    def reaches(count: int) -> int:
        wait = {"StartAt": "In", "States": {"In": {"Type": "Wait", "Seconds": 60, "End": True}}}
        each = {"Type": "Map", "Items": "{% [1..50] %}", "ItemProcessor": wait, "End": True}
        arn = run({"One": each}, wait=False)["executionArn"]
        waiting = 0
        for _ in range(200):
            history = sfn.get_execution_history(executionArn=arn, maxResults=1000)["events"]
            if waiting == count:
                break
            threading.Event().wait(0.05)
            waiting = len([event for event in history if event["type"] == "WaitStateEntered"])
        sfn.stop_execution(executionArn=arn)
        return waiting

    assert reaches(50) == 50  # moto alone
    language.run_forty_items_at_once()
    assert reaches(40) == 40


WAIT = {"One": {"Type": "Wait", "Seconds": 1, "End": True}}


def test_a_stopped_execution_is_over_and_says_why(run: Run, sfn: Any) -> None:
    def stop() -> dict[str, Any]:
        arn = run(WAIT, wait=False)["executionArn"]
        sfn.stop_execution(executionArn=arn, error="Enough", cause="late")
        return ended(sfn, arn)

    assert "cause" not in stop()  # moto alone
    executions.stop_at_once()
    assert "cause" not in stop()
    executions.say_why()
    assert stop().get("cause") == "late"


def test_an_execution_can_be_stopped_before_its_thread_has_begun(
    run: Run, sfn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ExecutionWorker._get_evaluation_environment

    def begin_late(self: Any) -> Any:
        threading.Event().wait(0.3)
        return begin(self)

    monkeypatch.setattr(ExecutionWorker, "_get_evaluation_environment", begin_late)
    with pytest.raises(AttributeError):  # moto alone; behind HTTP an error of the server
        sfn.stop_execution(executionArn=run(WAIT, wait=False)["executionArn"])
    executions.stop_at_once()
    arn = run(WAIT, wait=False)["executionArn"]
    sfn.stop_execution(executionArn=arn)
    assert ended(sfn, arn)["status"] == "ABORTED"


def test_a_token_is_looked_for_where_somebody_waits(run: Run, sfn: Any) -> None:
    arn = run({"One": END})["executionArn"]
    backend = stepfunctions_parser_backends["123456789012"]["us-east-1"]
    backend.describe_execution(arn).exec_worker = None
    with pytest.raises(AttributeError):
        backend.send_task_failure("token")  # moto alone
    executions.ask_those_that_run()
    with pytest.raises(InvalidToken):
        backend.send_task_failure("token")


def test_a_name_and_an_input_are_checked(sfn: Any, run: Run) -> None:
    machine = run({"One": END})["stateMachineArn"]
    patches.undo()
    sfn.start_execution(stateMachineArn=machine, name="a b")  # moto alone
    executions.start_executions_as_step_functions_does()
    with pytest.raises(ClientError, match="InvalidName"):
        sfn.start_execution(stateMachineArn=machine, name="a c")
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        sfn.start_execution(stateMachineArn=machine, input="{")


def test_an_output_is_json(run: Run) -> None:
    machine = {"One": {"Type": "Succeed", "Output": "text"}}
    assert run(machine)["output"] == "text"  # moto alone
    executions.describe_as_step_functions_does()
    assert run(machine)["output"] == '"text"'


def test_machines_are_checked(run: Run, sfn: Any) -> None:
    nowhere = {"One": {"Type": "Pass", "Next": "Nowhere"}}
    run(nowhere)  # moto alone
    executions.check_machines(lambda role, machine: machine.endswith(":stateMachine:m2"))
    with pytest.raises(ClientError, match="AccessDeniedException"):
        run({"One": END})
    run({"One": END})
    with pytest.raises(
        ClientError, match=r"InvalidDefinition.*there is no state Nowhere at /States/One/Next"
    ):
        run(nowhere)


def test_waits_end_by_the_clock(run: Run, sfn: Any) -> None:
    clock = Clock()
    waiting.wait_by(clock)
    waits: list[dict[str, Any]] = [
        {"Seconds": 3600},
        {"Timestamp": (clock.now() + dt.timedelta(hours=1)).isoformat()},
    ]
    machines: list[dict[str, Any]] = [{"Type": "Wait", **wait, "End": True} for wait in waits]
    arns = [run({"One": machine}, wait=False)["executionArn"] for machine in machines]
    threading.Event().wait(0.05)
    clock.advance(dt.timedelta(hours=1))
    assert [ended(sfn, arn)["status"] for arn in arns] == ["SUCCEEDED", "SUCCEEDED"]


def test_moto_alone_knows_no_offsets() -> None:
    assert Timestamp._from_timestamp_string("2026-01-01T00:00:00+01:00") is None
    waiting.wait_by(Clock())
    assert Timestamp._from_timestamp_string("2026-01-01T00:00:00+01:00") is not None
    patches.undo()
    assert isinstance(vars(Timestamp)["_from_timestamp_string"], staticmethod)


def test_dates_are_the_clocks(run: Run) -> None:
    clock = Clock()
    clock.advance(dt.timedelta(days=400))
    machine = {"One": {"Type": "Succeed", "Output": "{% $millis() %}"}}
    assert run(machine)["startDate"] < clock.now() - dt.timedelta(days=399)  # moto alone
    waiting.date_by(clock)
    execution = run(machine)
    late = clock.now() - dt.timedelta(days=1)
    assert execution["startDate"] > late
    assert execution["stopDate"] > late
    assert json.loads(execution["output"]) > late.timestamp() * 1000
    patches.undo()
    assert isinstance(vars(Timebox)["current_milli_time"], staticmethod)
