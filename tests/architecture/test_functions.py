"""template.yaml, functions/ and the settings in the handlers tell one story."""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from sightline.settings import Settings

Functions = dict[str, dict[str, Any]]

# Read by Powertools, not by us.
POWERTOOLS = re.compile("^POWERTOOLS_")


def _module(properties: dict[str, Any]) -> str:
    return properties["CodeUri"].replace("/", ".") + "." + properties["Handler"].rpartition(".")[0]


def test_every_function_of_the_template_has_its_handler(functions: Functions, repository: Path) -> None:
    for name, properties in functions.items():
        module, _, entry = properties["Handler"].rpartition(".")

        assert (repository / properties["CodeUri"] / f"{module}.py").is_file(), name
        assert entry == "lambda_handler", name


def test_every_folder_of_functions_is_deployed(functions: Functions, repository: Path) -> None:
    deployed = {Path(properties["CodeUri"]).name for properties in functions.values()}

    folders = {
        path.name
        for path in (repository / "functions").iterdir()
        if path.is_dir() and path.name[0] not in "_."
    }

    assert folders == deployed


def test_a_function_is_named_after_its_folder_or_its_task(functions: Functions) -> None:
    for name, properties in functions.items():
        module = properties["Handler"].split(".")[0]
        source = Path(properties["CodeUri"]).name if module == "handler" else module

        assert name == "".join(word.capitalize() for word in source.split("_")), name


def test_a_handler_reads_exactly_the_variables_that_the_template_gives_it(functions: Functions) -> None:
    for name, properties in functions.items():
        given = {
            variable
            for variable in properties.get("Environment", {}).get("Variables", {})
            if not POWERTOOLS.match(variable)
        }
        handler = importlib.import_module(_module(properties))
        settings = [
            value
            for value in vars(handler).values()
            if isinstance(value, type) and issubclass(value, Settings) and value is not Settings
        ]

        read = {field.upper() for each in settings for field in each.model_fields}

        assert read == given, name


def test_every_handler_can_be_imported_with_an_empty_environment(
    functions: Functions, repository: Path
) -> None:
    modules = sorted({_module(properties) for properties in functions.values()})
    program = "import sys; sys.path.insert(0, '.'); " + "; ".join(f"import {module}" for module in modules)

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, env={}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_every_function_has_a_log_group_that_forgets(template: dict[str, Any], functions: Functions) -> None:
    for name in functions:
        logs = template["Resources"][f"{name}Logs"]

        assert logs["Type"] == "AWS::Logs::LogGroup"
        assert logs["Properties"]["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/${{{name}}}"}
        assert "RetentionInDays" in logs["Properties"]


def test_every_layer_folder_is_a_layer(template: dict[str, Any], repository: Path) -> None:
    layers = {
        Path(resource["Properties"]["ContentUri"]).name
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::LayerVersion"
    }

    assert layers == {path.name for path in (repository / "layers").iterdir() if path.is_dir()}
