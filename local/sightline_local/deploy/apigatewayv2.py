"""AWS::ApiGatewayV2: an HTTP API from its OpenAPI document, with the one stage $default."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, WITHOUT_EFFECT, OneOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.errors import LocalRuntimeError
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource
from sightline_local.triggers.http_cors import cors_of
from sightline_local.triggers.http_routes import Routes


def _make_api(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    digest = hashlib.sha256(f"{site.stack.name}/{resource.logical_id}".encode()).hexdigest()
    api_id = digest[:10]
    try:
        Routes(properties["Body"])
        cors_of(properties["Body"])
    except LocalRuntimeError as error:
        raise resource.error(str(error), "Body") from error
    site.http_apis.serve(api_id, properties["Body"])
    host = f"{api_id}.execute-api.{site.stack.region}.{site.stack.url_suffix}"
    return Made(api_id, {"ApiId": api_id, "ApiEndpoint": f"https://{host}"})


API = ResourceType(
    name="AWS::ApiGatewayV2::Api",
    accepts={"Body": CARRIED},
    create=_make_api,
    attributes=frozenset({"ApiId", "ApiEndpoint"}),
    required=frozenset({"Body"}),
)


def _make_stage(_resource: Resource, properties: Mapping[str, Any], _site: Site) -> Made:
    return Made(properties["StageName"])


STAGE = ResourceType(
    name="AWS::ApiGatewayV2::Stage",
    accepts={
        "ApiId": CARRIED,
        "AutoDeploy": OneOf((True,)),
        "StageName": OneOf(("$default",)),  # the API answers at the root of its URL
        "Tags": WITHOUT_EFFECT,
    },
    create=_make_stage,
    required=frozenset({"ApiId", "StageName"}),
)
