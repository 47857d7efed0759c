"""The presence worker on ECS: nobody reaches it, and it is told what it asks for."""

import runpy
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

APPLICATION = "${AWS::StackName}-presence-worker"


def properties(template: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"][name]["Properties"]
    return found


def test_nobody_reaches_the_worker_and_it_reaches_nothing_but_https(template: dict[str, Any]) -> None:
    group = properties(template, "PresenceWorkerSecurityGroup")

    assert "SecurityGroupIngress" not in group
    assert [(each["FromPort"], each["ToPort"]) for each in group["SecurityGroupEgress"]] == [(443, 443)]
    inbound = [
        name
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::EC2::SecurityGroupIngress"
    ]
    assert inbound == []
    network = properties(template, "PresenceService")["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["SecurityGroups"] == [{"Fn::GetAtt": ["PresenceWorkerSecurityGroup", "GroupId"]}]


def test_the_worker_has_its_own_role_and_is_told_what_it_cannot_do_without(
    template: dict[str, Any], repository: Path
) -> None:
    task = properties(template, "PresenceWorkerTask")
    (container,) = task["ContainerDefinitions"]
    names = {each["Name"] for each in container["Environment"]}
    source = repository / "containers" / "presence_worker" / "presence_worker" / "environment.py"
    settings = runpy.run_path(str(source))["WorkerSettings"].model_fields

    needed = {name.upper() for name, field in settings.items() if field.default is PydanticUndefined}

    assert task["TaskRoleArn"] == {"Fn::GetAtt": ["PresenceWorkerRole", "Arn"]}
    assert needed <= names
    # What boto3 reads itself, beside the settings of the worker.
    assert names - {name.upper() for name in settings} == {"AWS_DEFAULT_REGION"}


def test_the_tables_of_the_client_library_have_the_names_that_it_makes_of_the_application(
    template: dict[str, Any],
) -> None:
    tables = {
        "PresenceLeases": "",
        "PresenceCoordinatorState": "-CoordinatorState",
        "PresenceWorkerMetricStats": "-WorkerMetricStats",
    }

    names = {name: properties(template, name)["TableName"] for name in tables}

    assert names == {name: {"Fn::Sub": f"{APPLICATION}{ending}"} for name, ending in tables.items()}


def test_the_worker_may_make_no_table_and_change_none(template: dict[str, Any]) -> None:
    policies = properties(template, "PresenceWorkerRole")["Policies"]
    actions = [
        action
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]

    assert not [action for action in actions if action.endswith("Table") and "Describe" not in action]
