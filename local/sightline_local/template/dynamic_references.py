"""References that are looked up when a resource is made: {{resolve:secretsmanager:ID:SecretString:KEY}}.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from sightline_local.template.intrinsics import IntrinsicError

_REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^{}]*)\}\}")
_BEGINS = "{{resolve:"
_SECRET = re.compile(
    r"(?P<id>arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:[^:]+|[^:]+)"
    r"(?::SecretString(?::(?P<key>[^:]*)(?::(?P<stage>[^:]*)(?::(?P<version>[^:]*))?)?)?)?"
)
KNOWN = "secretsmanager"
ReadSecret = Callable[[dict[str, str]], str]  # parameters of GetSecretValue → SecretString


def services_in(value: Any) -> Iterator[str]:
    """The service of every dynamic reference in a value, resolved or still inside of intrinsics."""
    if isinstance(value, str) and _BEGINS in value:
        yield from (part.partition(":")[0] for part in value.split(_BEGINS)[1:])
    elif isinstance(value, dict):
        for item in value.values():
            yield from services_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from services_in(item)


def resolve_dynamic(value: Any, read_secret: ReadSecret) -> Any:
    """The value with every reference looked up; IntrinsicError when a secret has no such key."""
    if isinstance(value, str):
        if _BEGINS not in value:
            return value
        return _REFERENCE.sub(lambda match: _looked_up(match, read_secret), value)
    if isinstance(value, dict):
        return {key: resolve_dynamic(item, read_secret) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve_dynamic(item, read_secret) for item in value]
    return value


def _looked_up(match: re.Match[str], read_secret: ReadSecret) -> str:
    found = _SECRET.fullmatch(match[2])
    if match[1] != KNOWN or found is None:
        raise IntrinsicError(f"the local runtime does not know the dynamic reference {match[0]}")
    wanted = {"SecretId": found["id"], "VersionStage": found["stage"], "VersionId": found["version"]}
    text = read_secret({name: given for name, given in wanted.items() if given})
    if not found["key"]:
        return text
    try:
        return str(json.loads(text)[found["key"]])
    except (ValueError, KeyError, TypeError) as error:
        problem = f"Could not find a value associated with JSONKey in SecretString: {match[0]}"
        raise IntrinsicError(problem) from error
