"""Roles and their policies, as moto's IAM backend keeps them."""

from typing import Any

from moto.iam.models import iam_backends

from sightline_local.iam.policy import Statement, parse

ACCOUNT_OF_ARN = 4  # arn:partition:service:region:ACCOUNT:…


def find_role(role_arn: str) -> Any | None:
    """The role of moto's backend, or None."""
    backend = iam_backends[role_arn.split(":")[ACCOUNT_OF_ARN]]["aws"]
    name = role_arn.rsplit("/", 1)[-1]
    role = next((each for each in list(backend.roles.values()) if each.name == name), None)
    return role if role is not None and role.arn == role_arn else None


def policies_of(role_arn: str | None) -> list[tuple[Statement, ...]]:
    """The identity policies of a role, inline and managed; none when there is no such role (any more)."""
    role = find_role(role_arn) if role_arn else None
    if role is None:
        return []
    inline = [parse(document) for document in list(role.policies.values())]
    return inline + [parse(_default_version(policy)) for policy in list(role.managed_policies.values())]


def _default_version(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def trust_policy_of(role_arn: str) -> tuple[Statement, ...] | None:
    """Who may assume the role; None when there is no such role."""
    role = find_role(role_arn)
    return None if role is None else parse(str(role.assume_role_policy_document))
