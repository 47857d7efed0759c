"""IAM: who calls, what their role allows, and the refusal in AWS's words when it does not.

Roles and their policies live in moto's IAM backend, policies of resources where moto keeps the resource.
Every request of every port passes `Sessions.caller_of(access key, session token)` and
`Authorizer.authorize(caller, action, resource ARN, context)`; the key "local" is the administrator's and
passes everything. What a service does in its own name passes `Authorizer.authorize_service`.
`Sessions.assume` lends a role to a service principal or to another role, if the role's trust policy says so.
Signatures are not verified; session tokens are.

Reading order: policy.py (one document), policy_set.py and combination.py (several), authorizer.py (a
request), resources.py and arns.py (what a request touches), documents.py (a template's mistakes), report.py.
"""

from sightline_local.iam.authorizer import AccessDenied, Authorizer
from sightline_local.iam.callers import (
    ADMIN_ACCESS_KEY,
    ADMIN_CREDENTIALS,
    ADMIN_SECRET_KEY,
    Caller,
    Credentials,
)
from sightline_local.iam.sessions import Sessions, TrustDenied, UnknownKey

__all__ = [
    "ADMIN_ACCESS_KEY",
    "ADMIN_CREDENTIALS",
    "ADMIN_SECRET_KEY",
    "AccessDenied",
    "Authorizer",
    "Caller",
    "Credentials",
    "Sessions",
    "TrustDenied",
    "UnknownKey",
]
