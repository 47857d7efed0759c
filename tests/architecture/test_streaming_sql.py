"""The application of the template runs the package of analytics/flink, with the properties it asks for."""

import re
from pathlib import Path
from typing import Any

import pytest

Groups = dict[str, dict[str, Any]]


@pytest.fixture
def application(template: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"]["StreamingSqlApplication"]["Properties"]
    return found


@pytest.fixture
def groups(application: dict[str, Any]) -> Groups:
    written = application["ApplicationConfiguration"]["EnvironmentProperties"]["PropertyGroups"]
    return {each["PropertyGroupId"]: each["PropertyMap"] for each in written}


@pytest.fixture
def main(repository: Path) -> str:
    return (repository / "analytics" / "flink" / "main.py").read_text()


def test_every_stream_that_the_statements_name_has_its_properties(groups: Groups, repository: Path) -> None:
    texts = [file.read_text() for file in (repository / "analytics" / "flink" / "sql").glob("*.sql")]
    named = set(re.findall(r"WITH \(\$\{(\w+)\}", "\n".join(texts)))

    assert named == groups.keys() - {"kinesis.analytics.flink.run.options", "job"}
    for name in named:
        assert {"stream", "aws.region"} <= groups[name].keys()


def test_the_job_gets_every_property_that_it_reads_and_the_template_has_its_defaults(
    groups: Groups, main: str, template: dict[str, Any]
) -> None:
    read = dict(re.findall(r'job\.get\("([\w.]+)", "(\w+)"\)', main))

    assert read.keys() == groups["job"].keys()
    for name, value in groups["job"].items():
        assert str(template["Parameters"][value["Ref"]]["Default"]) == read[name]


def test_the_service_finds_program_and_jar_where_the_package_has_them(
    groups: Groups, repository: Path
) -> None:
    package = (repository / "analytics" / "flink" / "package.py").read_text()

    options = groups["kinesis.analytics.flink.run.options"]

    assert options.keys() == {"python", "jarfile"}
    for name in options.values():
        assert f'"{name}"' in package


def test_the_service_runs_the_version_that_is_tried_here(
    application: dict[str, Any], repository: Path
) -> None:
    pinned = (repository / "requirements" / "flink.txt").read_text()
    (version,) = re.findall(r"^apache-flink==(\d+\.\d+)\.", pinned, re.MULTILINE)

    assert application["RuntimeEnvironment"] == "FLINK-" + version.replace(".", "_")


def test_the_application_goes_on_where_it_was(application: dict[str, Any]) -> None:
    configuration = application["ApplicationConfiguration"]

    assert configuration["ApplicationSnapshotConfiguration"] == {"SnapshotsEnabled": True}
    assert configuration["FlinkApplicationConfiguration"]["CheckpointConfiguration"]["CheckpointingEnabled"]


def test_the_application_is_started_after_it_can_write_its_log_and_stopped_before_that_goes(
    template: dict[str, Any],
) -> None:
    running = template["Resources"]["RunningStreamingSql"]

    assert "StreamingSqlLogging" in running["DependsOn"]
    assert running["Properties"]["Application"] == {"Ref": "StreamingSqlApplication"}
    assert "StreamingSqlPackage" in running["Properties"]["Package"]["Fn::Sub"]
