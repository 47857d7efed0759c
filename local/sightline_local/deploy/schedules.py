"""AWS::Scheduler and AWS::Events: schedules that call functions."""

from collections.abc import Mapping
from typing import Any

from sightline_local.cloud.scheduler.expressions import InvalidExpression, parse
from sightline_local.deploy.resource_type import CARRIED, Checked, ListOf, OneOf, Place, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.errors import DeployError
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _check_expression(resource: Resource, value: Any, place: Place) -> None:
    zone = resource.properties.get("ScheduleExpressionTimezone", "UTC")
    try:
        parse(str(value), zone if isinstance(zone, str) else "UTC")
    except InvalidExpression as error:
        raise resource.error(str(error), *place) from error


def _make_schedule(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("Name") or site.physical_name(resource.logical_id)
    settings = {**properties, "Name": name}
    if policy := properties["Target"].get("RetryPolicy"):
        whole = {key: int(value) for key, value in policy.items()}
        settings["Target"] = {**properties["Target"], "RetryPolicy": whole}
    arn = site.client("scheduler").create_schedule(**settings)["ScheduleArn"]
    return Made(name, {"Arn": arn})


SCHEDULE = ResourceType(
    name="AWS::Scheduler::Schedule",
    accepts={
        "Description": CARRIED,
        "EndDate": CARRIED,
        "FlexibleTimeWindow": {"Mode": OneOf(("OFF",))},
        "GroupName": OneOf(("default",)),
        "Name": CARRIED,
        "ScheduleExpression": Checked(_check_expression),
        "ScheduleExpressionTimezone": CARRIED,
        "StartDate": CARRIED,
        "State": OneOf(("ENABLED", "DISABLED")),
        "Target": {
            "Arn": CARRIED,
            "DeadLetterConfig": {"Arn": CARRIED},
            "Input": CARRIED,
            "RetryPolicy": {"MaximumEventAgeInSeconds": CARRIED, "MaximumRetryAttempts": CARRIED},
            "RoleArn": CARRIED,
        },
    },
    create=_make_schedule,
    attributes=frozenset({"Arn"}),
    required=frozenset({"FlexibleTimeWindow", "ScheduleExpression", "Target"}),
)


def _make_rule(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("Name") or site.physical_name(resource.logical_id)
    arn = site.arn("events", f"rule/{name}")
    if properties.get("State", "ENABLED") == "ENABLED":
        assert site.rules is not None  # a runtime has them
        try:
            site.rules.add(arn, properties["ScheduleExpression"], properties["Targets"])
        except InvalidExpression as error:
            raise DeployError(resource.logical_id, resource.type, str(error)) from error
    return Made(name, {"Arn": arn})


RULE = ResourceType(
    name="AWS::Events::Rule",
    accepts={
        "Description": CARRIED,
        "Name": CARRIED,
        "ScheduleExpression": Checked(_check_expression),
        "State": OneOf(("ENABLED", "DISABLED")),
        "Targets": ListOf({"Arn": CARRIED, "Id": CARRIED, "Input": CARRIED}),
    },
    create=_make_rule,
    attributes=frozenset({"Arn"}),
    required=frozenset({"ScheduleExpression", "Targets"}),
)
