"""AWS::Cognito: a user pool and its clients."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import CARRIED, OneOf, ResourceType
from sightline_local.deploy.site import Site
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource


def _make_pool(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    settings = {key: value for key, value in properties.items() if key != "UserPoolName"}
    name = properties.get("UserPoolName") or site.physical_name(resource.logical_id)
    pool = site.client("cognito-idp").create_user_pool(PoolName=name, **settings)["UserPool"]
    provider = f"cognito-idp.{site.stack.region}.{site.stack.url_suffix}/{pool['Id']}"
    attributes = {
        "Arn": pool["Arn"],
        "ProviderName": provider,
        "ProviderURL": f"https://{provider}",
        "UserPoolId": pool["Id"],
    }
    return Made(pool["Id"], attributes)


USER_POOL = ResourceType(
    name="AWS::Cognito::UserPool",
    accepts={
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": CARRIED},
        "Policies": {"PasswordPolicy": CARRIED},
        "UserPoolName": CARRIED,
    },
    create=_make_pool,
    attributes=frozenset({"Arn", "ProviderName", "ProviderURL", "UserPoolId"}),
)


def _make_client(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("ClientName") or site.physical_name(resource.logical_id)
    settings = {**properties, "ClientName": name}
    client = site.client("cognito-idp").create_user_pool_client(**settings)["UserPoolClient"]
    return Made(client["ClientId"], {"ClientId": client["ClientId"], "Name": client["ClientName"]})


USER_POOL_CLIENT = ResourceType(
    name="AWS::Cognito::UserPoolClient",
    accepts={
        "AccessTokenValidity": OneOf((60,)),  # moto's tokens live for an hour, whatever is asked for
        "ClientName": CARRIED,
        "ExplicitAuthFlows": CARRIED,
        "GenerateSecret": CARRIED,
        "PreventUserExistenceErrors": CARRIED,
        "TokenValidityUnits": {"AccessToken": OneOf(("minutes",))},
        "UserPoolId": CARRIED,
    },
    create=_make_client,
    attributes=frozenset({"ClientId", "Name"}),
    required=frozenset({"UserPoolId"}),
)
