"""The keys that AWS would hand to a process of the stack."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sightline_local.runtime import Runtime


def lent_keys(runtime: "Runtime", role_arn: str, service_principal: str) -> dict[str, str]:
    """Of that role, as variables of the environment; the service is the one that runs the process on AWS."""
    keys = runtime.lend(role_arn, service_principal)
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_SESSION_TOKEN": keys.session_token or "",
    }
