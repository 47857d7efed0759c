"""The template and the state machine, read once."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.yaml_helper import yaml_parse

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml_parse((REPOSITORY / "template.yaml").read_text())
    return parsed


@pytest.fixture(scope="session")
def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Logical id → properties of every Lambda function."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.fixture(scope="session")
def machine() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(
        (REPOSITORY / "statemachines" / "device_lifecycle.asl.yaml").read_text()
    )
    return parsed
