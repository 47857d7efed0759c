"""Roles and their policies, as moto's IAM backend keeps them."""

from collections.abc import Iterator
from typing import Any

from moto.iam.models import iam_backends

from sightline_local.iam.policy import parse
from sightline_local.iam.policy_set import PolicySet, single

ACCOUNT_OF_ARN = 4  # arn:partition:service:region:ACCOUNT:…
TRUST = "trust"  # how a report names a role's trust policy

Texts = tuple[tuple[str, str], ...]  # (name or ARN, JSON) of each policy


def find_role(role_arn: str) -> Any | None:
    """The role of moto's backend, or None."""
    backend = iam_backends[role_arn.split(":")[ACCOUNT_OF_ARN]]["aws"]
    name = role_arn.rsplit("/", 1)[-1]
    role = next((each for each in list(backend.roles.values()) if each.name == name), None)
    return role if role is not None and role.arn == role_arn else None


def backend_of(backends: Any, account: str, region: str) -> Any | None:
    """One of moto's backends, or None before it is made; moto's own way there takes longer than a verdict."""
    regions = dict.get(backends, account)
    return None if regions is None else dict.get(regions, region)


class Roles:
    """What each role may do: read once, and again when a document is another one than before."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._known: dict[str, tuple[Any, Texts, PolicySet]] = {}  # role ARN → moto's role, texts, set

    def policies_of(self, role_arn: str) -> PolicySet:
        """The identity policies of a role, inline and managed; none when there is no such role (any more)."""
        if known := self._known.get(role_arn):
            role, texts, policies = known
            backend = backend_of(iam_backends, self._account, "aws")
            if backend and backend.roles.get(role.id) is role and texts == _texts_of(role):
                return policies
        role = find_role(role_arn)
        texts = () if role is None else _texts_of(role)
        policies = PolicySet(role_arn, {name: parse(text) for name, text in texts})
        if role is not None:
            self._known[role_arn] = (role, texts, policies)
        return policies

    def all(self) -> Iterator[Any]:
        """Every role of moto's backend."""
        yield from list(iam_backends[self._account]["aws"].roles.values())


def _texts_of(role: Any) -> Texts:
    if not role.managed_policies:
        return tuple(role.policies.items())
    managed = list(role.managed_policies.values())
    return (*role.policies.items(), *((policy.arn, _default_version(policy)) for policy in managed))


def _default_version(policy: Any) -> str:
    return str(next(version.document for version in policy.versions if version.is_default))


def trust_text(role_arn: str) -> str | None:
    """The JSON of who may assume the role; None when there is no such role."""
    role = find_role(role_arn)
    return None if role is None else str(role.assume_role_policy_document)


def trust_of(role_arn: str) -> PolicySet | None:
    """Who may assume the role; None when there is no such role."""
    text = trust_text(role_arn)
    return None if text is None else single(role_arn, TRUST, parse(text))
