"""What a workgroup says about its queries; moto keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.athena.models import athena_backends

from sightline_local.cloud.athena.errors import invalid

DEFAULT = "primary"


@dataclass(frozen=True, slots=True)
class Output:
    """Where answers go: a folder's URL that ends with a slash, and how they are encrypted there."""

    location: str
    encryption: Mapping[str, str]


def configuration_of(account: str, region: str, name: str) -> Mapping[str, Any]:
    """ServiceError when there is no such workgroup, or it takes no queries."""
    found = athena_backends[account][region].work_groups.get(name)
    if found is None:
        raise invalid(f"WorkGroup {name} is not found.")
    if found.state != "ENABLED":
        raise invalid(f"WorkGroup {name} is disabled.")
    configuration: Mapping[str, Any] = found.configuration
    return configuration


def workgroup_of_named_query(account: str, region: str, query_id: str) -> str:
    found = athena_backends[account][region].named_queries.get(query_id)
    if found is None:
        raise invalid(f"NamedQuery {query_id} was not found")
    return str(found.workgroup if isinstance(found.workgroup, str) else found.workgroup.name)


def output_of(configuration: Mapping[str, Any], asked: Mapping[str, Any]) -> Output:
    """A workgroup that enforces its settings overrules what the caller asks for."""
    own = configuration.get("ResultConfiguration") or {}
    chosen = own if configuration.get("EnforceWorkGroupConfiguration") else {**own, **asked}
    location = str(chosen.get("OutputLocation", ""))
    if not location.startswith("s3://"):
        raise invalid(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    return Output(location.rstrip("/") + "/", chosen.get("EncryptionConfiguration") or {})
