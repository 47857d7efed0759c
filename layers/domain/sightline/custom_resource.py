"""The answer that CloudFormation waits for when a function is a resource of the stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

_LONGEST_REASON = 1000  # the whole answer may have 4,096 bytes
_SECONDS = 30


def answer(event: Mapping[str, Any], *, resource_id: str, failure: str | None) -> None:
    """Put the answer where the event says; `failure` ends the deployment with this reason."""
    same = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    body = {
        "Status": "SUCCESS" if failure is None else "FAILED",
        "Reason": (failure or "")[:_LONGEST_REASON],
        "PhysicalResourceId": event.get("PhysicalResourceId", resource_id),
        **same,
    }
    # The URL is signed for an empty Content-Type; urllib would add one of its own.
    request = urllib.request.Request(  # noqa: S310  CloudFormation's own URL
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310
        pass
