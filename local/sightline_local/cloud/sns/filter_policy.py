"""Filter policies of subscriptions: does this message concern the subscriber?

https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html
"""

import json
from collections.abc import Mapping
from typing import Any

from sightline_local.event_pattern import EventPattern, exactly, is_number


def attributes_match(policy: Mapping[str, Any], attributes: Mapping[str, Mapping[str, str]]) -> bool:
    """Scope MessageAttributes; attributes as {"Type", "Value"}. Binary ones never match."""
    return EventPattern(policy, _same).matches({name: _value_of(each) for name, each in attributes.items()})


def body_matches(policy: Mapping[str, Any], text: str) -> bool:
    """Scope MessageBody; a text that is no JSON object matches nothing."""
    try:
        body = json.loads(text)
    except ValueError:
        return False
    return isinstance(body, dict) and EventPattern(policy, _same).matches(body)


def _value_of(attribute: Mapping[str, str]) -> Any:
    kind, value = attribute["Type"], attribute["Value"]
    if kind.startswith("Number"):
        return float(value)
    if kind == "String.Array":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value if kind.startswith("String") else None


def _same(wanted: Any, value: Any) -> bool:
    if is_number(wanted) and is_number(value):
        return bool(abs(wanted - value) < 1e-6)  # five decimals count
    return exactly(wanted, value)
