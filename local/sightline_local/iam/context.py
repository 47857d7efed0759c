"""The keys that a request's context has, for the Condition of a policy and for `${...}` in it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Mapping
from datetime import datetime

from sightline_local.iam.callers import Caller
from sightline_local.iam.patterns import Context

# Another moment, another value: a verdict that depends on these cannot be remembered.
PASSING = frozenset({"aws:currenttime", "aws:epochtime"})
_OF_EVERY_REQUEST = frozenset(
    {
        *("aws:principalaccount", "aws:principalarn", "aws:principalisawsservice", "aws:principaltype"),
        *("aws:requestedregion", "aws:resourceaccount", "aws:securetransport", "aws:sourceip"),
        *("aws:useragent", "aws:userid", "aws:viaawsservice", "s3:resourceaccount"),
    }
)
_OF_SERVICES = frozenset({"aws:principalservicename", "aws:sourceaccount", "aws:sourcearn"})
_OF_ACTIONS = frozenset(
    {
        *("iam:passedtoservice", "lambda:functionarn", "s3:delimiter", "s3:max-keys", "s3:prefix"),
        *("sns:endpoint", "sns:protocol", "sts:externalid", "sts:rolesessionname"),
    }
)
# Rightly never there: no federated user, no user with a name, no service that forwards what a user asked.
_NEVER_THERE = frozenset(
    {"aws:calledvia", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:username"}
)
KNOWN = _OF_EVERY_REQUEST | _OF_SERVICES | _OF_ACTIONS | _NEVER_THERE | PASSING


def of_caller(
    caller: Caller, role_id: str, region: str, account: str, given: Mapping[str, str]
) -> dict[str, str]:
    """The context of a request with the keys of a session. `given` is what the request itself says."""
    session_name = caller.arn.rpartition("/")[2]
    return {
        "aws:principalarn": caller.role_arn or caller.arn,
        "aws:principalaccount": caller.account,
        "aws:principalisawsservice": "false",
        "aws:principaltype": "AssumedRole",
        "aws:userid": f"{role_id}:{session_name}",
        **_anybody(region, account),
        **{key.lower(): value for key, value in given.items()},
    }


def of_service(service: str, region: str, account: str, source_arn: str | None) -> dict[str, str]:
    """The context of what an AWS service does for one of this account's resources."""
    source = {"aws:sourcearn": source_arn, "aws:sourceaccount": account} if source_arn else {}
    return {
        "aws:principalisawsservice": "true",
        "aws:principalservicename": service,
        **_anybody(region, account),
        **source,
    }


def _anybody(region: str, account: str) -> dict[str, str]:
    return {
        "aws:requestedregion": region,
        "aws:resourceaccount": account,  # nothing here belongs to another account
        "s3:resourceaccount": account,
        "aws:securetransport": "true",  # as on AWS; here it is plain HTTP on the loopback
        "aws:viaawsservice": "false",
    }


def at(moment: datetime) -> dict[str, str]:
    """The keys that say when."""
    return {
        "aws:currenttime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "aws:epochtime": str(int(moment.timestamp())),
    }


def values_of(keys: tuple[str, ...], context: Context) -> tuple[object, ...]:
    """What a verdict that asks for these keys depends on."""
    return tuple(context.get(key) for key in keys)
