"""Amazon States Language: what the states of a state machine do with their input, and when they fail."""

import json
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

pytestmark = pytest.mark.source("https://states-language.net/spec.html")

DOCS = "https://docs.aws.amazon.com/step-functions/latest/dg"
Client = Callable[[str], Any]
Run = Callable[..., dict[str, Any]]
NO_QUEUE = {
    "Type": "Task",
    "Resource": "arn:aws:states:::aws-sdk:sqs:getQueueUrl",
    "Arguments": {"QueueName": "there-is-none"},
}
IS_NOT_THERE = "Sqs.QueueDoesNotExistException"
END = {"Type": "Succeed"}


def source(page: str) -> pytest.MarkDecorator:
    return pytest.mark.source(f"{DOCS}/{page}")


def output_of(execution: dict[str, Any]) -> Any:
    assert (execution["status"], execution.get("cause")) == ("SUCCEEDED", None)
    return json.loads(execution["output"])


def failure_of(execution: dict[str, Any]) -> str:
    assert execution["status"] == "FAILED"
    return str(execution["error"])


# ------------------------------------------------------------------------------- Pass, Succeed, Fail, Choice


@source("state-pass.html")
def test_pass_hands_its_input_on_or_its_output(run: Run) -> None:
    assert output_of(run({"One": {"Type": "Pass", "End": True}}, {"a": 1})) == {"a": 1}
    made = {
        "One": {
            "Type": "Pass",
            "Output": {"b": "{% $states.input.a + 1 %}", "c": [True, None, 1.5]},
            "End": True,
        }
    }
    assert output_of(run(made, {"a": 1})) == {"b": 2, "c": [True, None, 1.5]}


@source("state-fail.html")
def test_fail_ends_the_execution_with_its_error_and_cause(run: Run) -> None:
    fail = {
        "One": {
            "Type": "Fail",
            "Error": "{% $states.input.e %}",
            "Cause": "{% 'because of ' & $states.input.c %}",
        }
    }
    execution = run(fail, {"e": "Mine.Own", "c": "it"})
    assert (execution["status"], execution["error"], execution["cause"]) == (
        "FAILED",
        "Mine.Own",
        "because of it",
    )


@source("state-succeed.html")
def test_succeed_ends_with_its_output(run: Run) -> None:
    assert output_of(run({"One": {"Type": "Succeed", "Output": "{% $states.input.a %}"}}, {"a": [1]})) == [1]


CHOICE: dict[str, dict[str, Any]] = {
    "One": {
        "Type": "Choice",
        "Choices": [
            {"Condition": "{% $states.input.n > 5 %}", "Next": "Big", "Assign": {"by": "first"}},
            {"Condition": "{% $states.input.n > 3 %}", "Next": "Big", "Assign": {"by": "second"}},
        ],
        "Default": "Small",
        "Assign": {"by": "none"},
    },
    "Big": {"Type": "Succeed", "Output": "{% 'big by ' & $by %}"},
    "Small": {"Type": "Succeed", "Output": "{% 'small by ' & $by %}"},
}


@source("state-choice.html")
@pytest.mark.parametrize(("n", "chosen"), [(6, "big by first"), (4, "big by second"), (1, "small by none")])
def test_choice_takes_the_first_rule_that_holds_and_else_the_default(run: Run, n: int, chosen: str) -> None:
    assert output_of(run(CHOICE, {"n": n})) == chosen


@source("state-choice.html")
def test_choice_without_a_rule_that_holds_fails(run: Run) -> None:
    no_default = {"One": {k: v for k, v in CHOICE["One"].items() if k != "Default"}, "Big": END}
    assert failure_of(run(no_default, {"n": 1})) == "States.NoChoiceMatched"


@source("state-choice.html")
def test_a_condition_must_be_true_or_false(run: Run) -> None:
    rule = {"Condition": "{% 'yes' %}", "Next": "Big"}
    assert failure_of(
        run({"One": {"Type": "Choice", "Choices": [rule], "Default": "Big"}, "Big": END}, {})
    ) == ("States.QueryEvaluationError")


def test_choice_by_paths_compares_types_too(run: Run) -> None:
    rules = [
        {"Variable": "$.n", "NumericGreaterThan": 5, "Next": "Big"},
        {
            "And": [{"Variable": "$.s", "IsPresent": True}, {"Variable": "$.s", "StringMatches": "a*"}],
            "Next": "Text",
        },
    ]
    machine = {
        "One": {"Type": "Choice", "Choices": rules, "Default": "Else"},
        **{name: {"Type": "Pass", "Result": name, "End": True} for name in ("Big", "Text", "Else")},
    }
    found = [
        output_of(run(machine, given, language="JSONPath"))
        for given in ({"n": 6}, {"n": "6", "s": "abc"}, {"n": 1})
    ]
    assert found == ["Big", "Text", "Else"]


# ------------------------------------------------------------------------------- JSONata and variables


@source("transforming-data.html")
def test_what_is_not_between_the_marks_is_a_text(run: Run) -> None:
    made = {"One": {"Type": "Pass", "Output": {"a": "$states.input", "b": " {% 1 %}"}, "End": True}}
    assert output_of(run(made, {})) == {"a": "$states.input", "b": " {% 1 %}"}


@source("transforming-data.html")
def test_an_expression_that_gives_nothing_fails(run: Run) -> None:
    made = {"One": {"Type": "Pass", "Output": "{% $states.input.missing %}", "End": True}}
    assert failure_of(run(made, {"a": 1})) == "States.QueryEvaluationError"


@source("transforming-data.html")
def test_null_is_something(run: Run) -> None:
    made = {"One": {"Type": "Pass", "Output": {"a": "{% $states.input.a %}", "b": "{% null %}"}, "End": True}}
    assert output_of(run(made, {"a": None})) == {"a": None, "b": None}


@source("transforming-data.html")
def test_step_functions_adds_functions_to_jsonata(run: Run) -> None:
    made = {
        "parts": "{% $partition([1,2,3,4,5], 2) %}",
        "range": "{% $range(1, 9, 4) %}",
        "hash": "{% $hash('input data', 'SHA-1') %}",
        "parsed": "{% $parse('{\"a\": [1, null]}') %}",
        "seeded": "{% $random(7) = $random(7) %}",
        "random": "{% ($r := $random(); $r >= 0 and $r < 1) %}",
        "uuid": "{% $length($uuid()) %}",
    }
    assert output_of(run({"One": {"Type": "Pass", "Output": made, "End": True}}, {})) == {
        "parts": [[1, 2], [3, 4], [5]],
        "range": [1, 5, 9],
        "hash": "aaff4a450a104cd177d28d18d74485e8cae074b7",
        "parsed": {"a": [1, None]},
        "seeded": True,
        "random": True,
        "uuid": 36,
    }


@source("transforming-data.html")
def test_eval_is_no_function_here(run: Run) -> None:
    made = {"One": {"Type": "Pass", "Output": "{% $eval('1 + 1') %}", "End": True}}
    assert failure_of(run(made, {})) == "States.QueryEvaluationError"


@source("input-output-contextobject.html")
def test_the_context_tells_execution_state_and_machine(run: Run) -> None:
    made = {
        "name": "{% $states.context.Execution.Name %}",
        "input": "{% $states.context.Execution.Input %}",
        "state": "{% $states.context.State.Name %}",
        "machine": "{% $states.context.StateMachine.Id %}",
    }
    execution = run({"One": {"Type": "Pass", "Output": made, "End": True}}, {"a": 1})
    assert output_of(execution) == {
        "name": execution["name"],
        "input": {"a": 1},
        "state": "One",
        "machine": execution["stateMachineArn"],
    }


@source("workflow-variables.html")
def test_variables_are_assigned_together_from_their_old_values(run: Run) -> None:
    machine = {
        "One": {"Type": "Pass", "Assign": {"x": 1, "y": 2}, "Next": "Two"},
        "Two": {
            "Type": "Pass",
            "Assign": {"x": "{% $y %}", "y": "{% $x %}"},
            "Output": "{% $x %}",
            "Next": "Three",
        },
        "Three": {"Type": "Pass", "Output": ["{% $x %}", "{% $y %}", "{% $states.input %}"], "End": True},
    }
    assert output_of(run(machine, {})) == [2, 1, 1]


@source("workflow-variables.html")
def test_a_variable_that_was_never_assigned_fails(run: Run) -> None:
    made = {"One": {"Type": "Pass", "Output": "{% $nobody %}", "End": True}}
    assert failure_of(run(made, {})) == "States.QueryEvaluationError"


@source("workflow-variables.html")
def test_a_branch_reads_the_variables_around_it_and_keeps_its_own(run: Run) -> None:
    branch = {
        "StartAt": "In",
        "States": {
            "In": {"Type": "Pass", "Assign": {"inner": "{% $outer + 1 %}"}, "Next": "Out"},
            "Out": {"Type": "Pass", "Output": "{% $inner %}", "End": True},
        },
    }
    machine = {
        "One": {"Type": "Pass", "Assign": {"outer": 1}, "Next": "Both"},
        "Both": {"Type": "Parallel", "Branches": [branch], "Next": "After"},
        "After": {"Type": "Pass", "Output": "{% $inner %}", "End": True},
    }
    assert failure_of(run(machine, {})) == "States.QueryEvaluationError"
    machine["After"] = {"Type": "Pass", "End": True}
    assert output_of(run(machine, {})) == [2]


# ------------------------------------------------------------------------------- Parallel and Map


def branch(*states: dict[str, Any]) -> dict[str, Any]:
    names = [f"{chr(97 + index)}{id(states)}" for index in range(len(states))]
    following = [{"Next": name} for name in names[1:]] + [{"End": True}]
    chain = {
        name: state if state["Type"] in ("Succeed", "Fail") else state | after
        for name, state, after in zip(names, states, following, strict=True)
    }
    return {"StartAt": names[0], "States": chain}


@source("state-parallel.html")
def test_parallel_gives_each_branch_its_input_and_collects_in_order(run: Run) -> None:
    both = {
        "Type": "Parallel",
        "Branches": [
            branch({"Type": "Pass", "Output": "{% $states.input.n + 1 %}"}),
            branch({"Type": "Pass", "Output": "{% $states.input.n + 2 %}"}),
        ],
        "Output": {"all": "{% $states.result %}", "n": "{% $states.input.n %}"},
        "End": True,
    }
    assert output_of(run({"One": both}, {"n": 1})) == {"all": [2, 3], "n": 1}


@source("state-parallel.html")
def test_a_branch_that_fails_ends_all_and_its_error_can_be_caught(run: Run) -> None:
    waiting = branch({"Type": "Wait", "Seconds": 86_400})
    failing = branch({"Type": "Fail", "Error": "Mine", "Cause": "c"})
    both = {"Type": "Parallel", "Branches": [waiting, failing], "End": True}
    assert failure_of(run({"One": both}, {})) == "Mine"

    caught = both | {
        "Catch": [{"ErrorEquals": ["Mine"], "Output": "{% $states.errorOutput %}", "Next": "Two"}]
    }
    assert output_of(run({"One": caught, "Two": END}, {})) == {"Error": "Mine", "Cause": "c"}


MAP = {
    "Type": "Map",
    "Items": "{% $states.input.items %}",
    "ItemSelector": {
        "i": "{% $states.context.Map.Item.Index %}",
        "v": "{% $states.context.Map.Item.Value %}",
    },
    "MaxConcurrency": 2,
    "ItemProcessor": branch({"Type": "Pass", "Output": "{% $string($states.input.i) & $states.input.v %}"}),
    "End": True,
}


@source("state-map-inline.html")
def test_map_runs_for_each_item_and_collects_in_order(run: Run) -> None:
    assert output_of(run({"One": MAP}, {"items": list("abcde")})) == ["0a", "1b", "2c", "3d", "4e"]
    assert output_of(run({"One": MAP}, {"items": []})) == []


@source("state-map-inline.html")
def test_a_map_runs_forty_items_at_once_at_most(run: Run, client: Client, until: Any) -> None:
    wait = branch({"Type": "Wait", "Seconds": 3600})
    each = {"Type": "Map", "Items": "{% [1..50] %}", "ItemProcessor": wait, "End": True}
    arn = run({"One": each}, {}, wait=False)["executionArn"]
    sfn = client("stepfunctions")

    def waiting() -> int:
        history = sfn.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        return len([event for event in history if event["type"] == "WaitStateEntered"])

    until(lambda: waiting() == 40)
    Event().wait(0.1)
    assert waiting() == 40
    sfn.stop_execution(executionArn=arn)


@source("state-map-inline.html")
def test_an_item_that_fails_ends_the_map(run: Run) -> None:
    choice = {
        "StartAt": "Is",
        "States": {
            "Is": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input = 2 %}", "Next": "Bad"}],
                "Default": "Good",
            },
            "Bad": {"Type": "Fail", "Error": "Two"},
            "Good": END,
        },
    }
    each = {"Type": "Map", "Items": [1, 2, 3], "ItemProcessor": choice, "End": True}
    assert failure_of(run({"One": each}, {})) == "Two"


@source("state-map.html")
def test_items_that_are_no_list_fail(run: Run) -> None:
    assert failure_of(run({"One": MAP}, {"items": "abc"})) == "States.QueryEvaluationError"


# ------------------------------------------------------------------------------- errors


@source("concepts-error-handling.html")
def test_the_first_catcher_that_names_the_error_takes_it(run: Run) -> None:
    catchers = [
        {"ErrorEquals": ["States.Timeout"], "Next": "Late"},
        {"ErrorEquals": [IS_NOT_THERE], "Assign": {"e": "{% $states.errorOutput.Error %}"}, "Next": "Named"},
        {"ErrorEquals": ["States.ALL"], "Next": "Late"},
    ]
    machine = {
        "One": NO_QUEUE | {"Catch": catchers, "End": True},
        "Named": {"Type": "Succeed", "Output": {"e": "{% $e %}", "input": "{% $states.input %}"}},
        "Late": {"Type": "Fail"},
    }
    found = output_of(run(machine, {"a": 1}))
    assert found["e"] == IS_NOT_THERE
    assert found["input"]["Error"] == IS_NOT_THERE  # without Output, a catcher hands the error on
    assert set(found["input"]) == {"Error", "Cause"}


@source("concepts-error-handling.html")
def test_task_failed_names_every_error_of_a_task_but_a_time_out(run: Run) -> None:
    caught = NO_QUEUE | {"Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Two"}], "End": True}
    assert output_of(run({"One": caught, "Two": END}, {}))["Error"] == IS_NOT_THERE


@source("concepts-error-handling.html")
def test_an_error_that_nothing_names_ends_the_execution(run: Run) -> None:
    execution = run(
        {"One": NO_QUEUE | {"Catch": [{"ErrorEquals": ["Other"], "Next": "Two"}], "End": True}, "Two": END},
        {},
    )
    assert failure_of(execution) == IS_NOT_THERE
    assert "(Service: Sqs, Status Code: 400, Request ID: " in execution["cause"]


@source("concepts-error-handling.html")
def test_all_does_not_name_an_error_of_the_runtime_itself(run: Run) -> None:
    broken = {
        "Type": "Pass",
        "InputPath": "$.missing",
        "End": True,
    }
    outer = {
        "Type": "Parallel",
        "Branches": [branch(broken)],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Two"}],
        "End": True,
    }
    assert failure_of(run({"One": outer, "Two": END}, {}, language="JSONPath")) == "States.Runtime"


@source("service-quotas.html")
def test_a_state_hands_on_256_kilobytes_at_most(run: Run) -> None:
    big = {"Type": "Pass", "Output": "{% $pad('', 300000, 'x') %}", "End": True}
    outer = {
        "Type": "Parallel",
        "Branches": [branch({"Type": "Pass", "Output": big["Output"]})],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Two"}],
        "End": True,
    }
    assert failure_of(run({"One": big}, {})) == "States.DataLimitExceeded"
    assert failure_of(run({"One": outer, "Two": END}, {})) == "States.DataLimitExceeded"


@source("concepts-error-handling.html")
def test_a_wrong_expression_can_be_caught(run: Run) -> None:
    wrong = {"Type": "Task", "Resource": NO_QUEUE["Resource"], "Arguments": "{% $number('x') %}"}
    caught = wrong | {"Catch": [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Two"}], "End": True}
    assert output_of(run({"One": caught, "Two": END}, {}))["Error"] == "States.QueryEvaluationError"


@source("concepts-error-handling.html")
def test_a_denied_call_is_an_error_of_its_service(run: Run, role_with: Callable[..., str]) -> None:
    powerless = role_with(trust={"Principal": {"Service": "states.amazonaws.com"}})
    execution = run({"One": NO_QUEUE | {"End": True}}, {}, role=powerless)
    assert failure_of(execution) == "Sqs.SqsException"
    assert "is not authorized to perform: sqs:getqueueurl" in execution["cause"].lower()


# ------------------------------------------------------------------------------- JSONPath


def test_paths_select_what_goes_in_and_place_what_comes_out(run: Run) -> None:
    one = {
        "Type": "Pass",
        "InputPath": "$.in",
        "Parameters": {"n.$": "$.n", "all.$": "$$.Execution.Input.in.n", "f.$": "States.Format('{}!', $.n)"},
        "ResultPath": "$.made",
        "OutputPath": "$.made",
        "End": True,
    }
    assert output_of(run({"One": one}, {"in": {"n": 1}}, language="JSONPath")) == {
        "n": 1,
        "all": 1,
        "f": "1!",
    }


def test_a_result_path_of_null_keeps_the_input(run: Run) -> None:
    one = {"Type": "Pass", "Result": {"b": 2}, "ResultPath": None, "End": True}
    assert output_of(run({"One": one}, {"a": 1}, language="JSONPath")) == {"a": 1}


def test_a_catcher_places_the_error_beside_the_input(run: Run) -> None:
    one = {
        "Type": "Task",
        "Resource": NO_QUEUE["Resource"],
        "Parameters": NO_QUEUE["Arguments"],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.why", "Next": "Two"}],
        "End": True,
    }
    found = output_of(run({"One": one, "Two": END}, {"a": 1}, language="JSONPath"))
    assert found["a"] == 1
    assert found["why"]["Error"] == IS_NOT_THERE
