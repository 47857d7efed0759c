"""AWS::Athena: workgroups and saved queries, kept to be read; queries are not run here."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_workgroup(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = str(properties.get("Name") or site.physical_name(resource.logical_id))
    site.client("athena").create_work_group(
        Name=name,
        Description=str(properties.get("Description", "")),
        Configuration=_configuration(properties.get("WorkGroupConfiguration", {})),
    )
    return Made(name, {})


def _configuration(given: Mapping[str, Any]) -> dict[str, Any]:
    """A number and a truth of a template may be texts."""
    configuration = dict(given)
    if limit := configuration.get("BytesScannedCutoffPerQuery"):
        configuration["BytesScannedCutoffPerQuery"] = int(limit)
    return configuration


WORK_GROUP = ResourceType(
    name="AWS::Athena::WorkGroup",
    accepts={
        "Description": CARRIED,
        "Name": CARRIED,
        "RecursiveDeleteOption": WITHOUT_EFFECT,  # a stack is not updated
        "WorkGroupConfiguration": {
            "BytesScannedCutoffPerQuery": CARRIED,
            "EnforceWorkGroupConfiguration": CARRIED,
            "EngineVersion": CARRIED,
            "PublishCloudWatchMetricsEnabled": CARRIED,
            "ResultConfiguration": CARRIED,
        },
    },
    create=_make_workgroup,
    required=frozenset({"Name"}),
)


def _make_query(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    made = site.client("athena").create_named_query(**{"WorkGroup": "primary", **properties})
    query_id = str(made["NamedQueryId"])
    return Made(query_id, {"NamedQueryId": query_id})


NAMED_QUERY = ResourceType(
    name="AWS::Athena::NamedQuery",
    accepts={
        "Database": CARRIED,
        "Description": CARRIED,
        "Name": CARRIED,
        "QueryString": CARRIED,
        "WorkGroup": CARRIED,
    },
    create=_make_query,
    attributes=frozenset({"NamedQueryId"}),
    required=frozenset({"Database", "Name", "QueryString"}),
)
