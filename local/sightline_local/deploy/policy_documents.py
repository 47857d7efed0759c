"""Policy documents of a template: read before anything is made, so that a mistake has its line."""

import json
from typing import Any

from sightline_local.deploy.resource_type import Checked, Place
from sightline_local.deploy.site import Site
from sightline_local.errors import DeployError
from sightline_local.iam.documents import Kind, named_roles, problems
from sightline_local.iam.roles import ACCOUNT_OF_ARN, find_role
from sightline_local.template.template import Resource

# Characters, without white space. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LIMITS = {Kind.IDENTITY: 10_240, Kind.TRUST: 2_048, Kind.RESOURCE: 20_480}


def _checked(kind: Kind) -> Checked:
    def check(resource: Resource, document: Any, place: Place) -> None:
        for inner, problem in problems(document, kind):
            raise resource.error(f"{kind.value}: {problem}", at=_line(resource, place, inner))

    return Checked(check)


def _line(resource: Resource, place: Place, inner: Place) -> int:
    """SAM takes a document for a policy; the role that it makes of it has a PolicyDocument around it."""
    bare = tuple(part for part in place if part != "PolicyDocument")
    start = ("Resources", resource.origin, "Properties")
    return max(resource.source.line_of(*start, *each, *inner) for each in (place, bare))


IDENTITY_POLICY = _checked(Kind.IDENTITY)
RESOURCE_POLICY = _checked(Kind.RESOURCE)
TRUST_POLICY = _checked(Kind.TRUST)


def check_made(resource: Resource, kind: Kind, site: Site, *documents: Any) -> None:
    """What AWS says to documents whose values are known: DeployError for one too long, or of no such role."""
    size = sum(len(json.dumps(document, separators=(",", ":"))) for document in documents)
    if size > LIMITS[kind]:
        raise _refused(resource, f"the {kind.value} has {size} characters, {LIMITS[kind]} are the most")
    for document in documents:
        for arn in named_roles(document):
            if arn.split(":")[ACCOUNT_OF_ARN] == site.stack.account and find_role(arn) is None:
                raise _refused(resource, f"MalformedPolicy: invalid principal in policy: there is no {arn}")


def _refused(resource: Resource, reason: str) -> DeployError:
    return DeployError(resource.logical_id, resource.type, reason)
