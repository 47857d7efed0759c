"""Pages of a sorted list; the token is where the page before ended, whatever is added or removed since."""

import binascii
from base64 import b64decode, b64encode
from bisect import bisect_right

from sightline_local.cloud.service import ServiceError


def page(
    names: list[str], token: str | None, limit: int, *, error: str = "InvalidArgumentException"
) -> tuple[list[str], str | None]:
    """At most `limit` of the sorted names after the token, and the token of the next page if there is one."""
    start = bisect_right(names, _decoded(token, error)) if token else 0
    chosen = names[start : start + limit]
    has_more = start + limit < len(names)
    return chosen, b64encode(chosen[-1].encode()).decode() if has_more and chosen else None


def _decoded(token: str, code: str) -> str:
    try:
        return b64decode(token, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ServiceError(code, "The NextToken is not one of this operation.") from error
