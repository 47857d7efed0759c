"""A definition is read with its substitutions, as `sam deploy` does."""

import json
import re
from pathlib import Path

import pytest

from sightline_local.errors import TemplateError
from sightline_local.statemachine.definition import check_definition, read_definition


def test_substitutions_are_made_everywhere_and_jsonata_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "machine.asl.yaml"
    file.write_text("States:\n  A: {Resource: 'x:${Name}', List: [{B: '{% $states.input %}'}], Seconds: 2}\n")
    assert json.loads(read_definition(file, {"Name": "n", "Unused": "u"})) == {
        "States": {"A": {"Resource": "x:n", "List": [{"B": "{% $states.input %}"}], "Seconds": 2}}
    }


def test_a_placeholder_without_a_substitution_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "machine.asl.yaml"
    file.write_text("States:\n  A:\n    Resource: ${Missing}\n")
    with pytest.raises(TemplateError, match=r"^machine.asl.yaml:3: \$\{Missing\} has no substitution$"):
        read_definition(file, {})


def test_the_lifecycle_of_devices_needs_what_the_template_gives_it(repository: Path) -> None:
    file = repository / "statemachines/device_lifecycle.asl.yaml"
    with pytest.raises(TemplateError, match="has no substitution"):
        read_definition(file, {})


TASK = "StartAt: A\nQueryLanguage: JSONata\nStates:\n  A:\n    Type: Task\n"
INVOKE = TASK + "    Resource: arn:aws:states:::lambda:invoke\n"
MAP = "StartAt: A\nStates:\n  A:\n    Type: Map\n    End: true\n    ItemProcessor:\n"
PARALLEL = "StartAt: A\nStates:\n  A:\n    Type: Parallel\n    End: true\n    Branches:\n"
CHOICE = "StartAt: A\nQueryLanguage: JSONata\nStates:\n  A:\n    Type: Choice\n    Choices:\n"
PASS = "StartAt: A\nStates:\n  A:\n    Type: Pass\n"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("StartAt: B\nStates:\n  A: {Type: Succeed}\n", 1, "StartAt: there is no state B"),
        ("StartAt: A\n", 1, "a state machine needs States"),
        ("StartAt: A\nTimeout: 3\nStates: {A: {Type: Succeed}}\n", 2, "Timeout of a state machine"),
        (PASS + "    Next: B\n", 5, "Next: there is no state B"),
        (PASS, 3, "a state has either Next or End: true"),
        (PASS + "    End: true\n    Output: x\n", 6, "Output of a Pass state in JSONPath"),
        (INVOKE + "    End: true\n    InputPath: $\n", 8, "InputPath of a Task state in JSONata"),
        (INVOKE + "    End: true\n    Credentials: {}\n", 8, "Credentials of a Task state"),
        ("StartAt: A\nStates:\n  A:\n    Type: Sleep\n", 4, "there is no Type Sleep"),
        (
            TASK + "    Resource: arn:aws:states:::glue:startJobRun.sync\n    End: true\n",
            6,
            "the integration",
        ),
        (TASK + "    Resource: arn:aws:states:::aws-sdk:ec2:runInstances\n    End: true\n", 6, "integration"),
        (
            TASK + "    Resource: arn:aws:states:::aws-sdk:kinesis:createStrem\n    End: true\n",
            6,
            "kinesis has no action createStrem",
        ),
        (TASK + "    Resource: arn:aws:states:us-east-1:1:activity:a\n    End: true\n", 6, "the integration"),
        (INVOKE + "    End: true\n    Retry:\n      - MaxAttempts: 1\n", 9, "Retry needs ErrorEquals"),
        (
            INVOKE + "    End: true\n    Retry:\n      - {ErrorEquals: [States.ALL], Interval: 1}\n",
            9,
            "Interval of Retry",
        ),
        (
            INVOKE + "    End: true\n    Catch:\n      - {ErrorEquals: [States.ALL], Next: B}\n",
            9,
            "Next: there is no state B",
        ),
        (
            INVOKE
            + "    End: true\n    Retry:\n      - {ErrorEquals: [States.ALL]}\n      - {ErrorEquals: [X]}\n",
            9,
            "States.ALL stands alone, and last",
        ),
        (
            MAP + "      ProcessorConfig: {Mode: DISTRIBUTED}\n      StartAt: B\n      States: {B: {}}\n",
            7,
            "knows the mode INLINE only, not DISTRIBUTED",
        ),
        (
            PARALLEL + "      - StartAt: B\n        States:\n          B: {Type: Pass, Next: A}\n",
            9,
            "Next: there is no state A",
        ),
        (
            CHOICE + "      - {Variable: $.a, Next: A}\n",
            7,
            "Variable of a rule in JSONata",
        ),
    ],
)
def test_what_is_wrong_with_a_definition_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    file = tmp_path / "machine.asl.yaml"
    file.write_text(text)
    with pytest.raises(TemplateError) as refusal:
        check_definition(file, {})
    assert str(refusal.value).startswith(f"machine.asl.yaml:{line}: ")
    assert problem in str(refusal.value)


def test_every_definition_of_the_repository_is_right(repository: Path) -> None:
    for file in (repository / "statemachines").glob("*.asl.yaml"):
        wanted = set(re.findall(r"\$\{(\w+)\}", file.read_text()))
        check_definition(file, dict.fromkeys(wanted, "arn:aws:lambda:us-east-1:123456789012:function:f"))
