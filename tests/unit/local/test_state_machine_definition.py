"""A definition is read with its substitutions, as `sam deploy` does."""

import json
from pathlib import Path

import pytest

from sightline_local.errors import TemplateError
from sightline_local.statemachine.definition import read_definition


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
