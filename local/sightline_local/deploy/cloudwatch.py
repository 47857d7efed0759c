"""AWS::CloudWatch: alarms. They are described; nothing here measures, so none ever changes its state."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource

_SETTINGS = (
    *("ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm"),
    *("Dimensions", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions", "MetricName"),
    *("Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold", "TreatMissingData", "Unit"),
)
_COUNTS = ("DatapointsToAlarm", "EvaluationPeriods", "Period")


def _make_alarm(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("AlarmName") or site.physical_name(resource.logical_id, longest=255)
    settings = {key: properties[key] for key in _SETTINGS if key in properties}
    settings |= {key: int(settings[key]) for key in _COUNTS if key in settings}
    if "Threshold" in settings:
        settings["Threshold"] = float(settings["Threshold"])
    site.client("cloudwatch").put_metric_alarm(AlarmName=name, **settings)
    return Made(name, {"Arn": site.arn("cloudwatch", f"alarm:{name}")})


ALARM = ResourceType(
    name="AWS::CloudWatch::Alarm",
    accepts={"AlarmName": CARRIED, **dict.fromkeys(_SETTINGS, CARRIED), "Tags": WITHOUT_EFFECT},
    create=_make_alarm,
    attributes=frozenset({"Arn"}),
    required=frozenset({"ComparisonOperator", "EvaluationPeriods"}),
)
