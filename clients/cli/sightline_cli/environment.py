"""The variables that point any AWS SDK or tool at a local stack."""

import shlex

from sightline_cli.errors import MisuseError
from sightline_cli.stack import LOCAL_KEY, Target


def export_lines(target: Target) -> list[str]:
    """Give lines for a shell's eval."""
    if target.endpoint_url is None:
        raise MisuseError("env is for a local stack")
    variables = {
        "AWS_ENDPOINT_URL": target.endpoint_url,
        "AWS_ACCESS_KEY_ID": LOCAL_KEY,
        "AWS_SECRET_ACCESS_KEY": LOCAL_KEY,
        "AWS_REGION": target.region or "",
        "AWS_DEFAULT_REGION": target.region or "",
    }
    # A session token or profile of the real account would be sent along with the local keys.
    forget = "unset AWS_SESSION_TOKEN AWS_PROFILE"
    return [*(f"export {name}={shlex.quote(value)}" for name, value in variables.items()), forget]
