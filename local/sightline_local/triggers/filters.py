"""Filter criteria of event source mappings: which records the function is to see.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

import json
from collections.abc import Sequence
from typing import Any

from sightline_local.event_pattern import EventPattern, InvalidPattern, check_pattern

MOST_FILTERS = 5
# The one part of a record that a filter of its service may look at.
KEY_OF_SERVICE = {"kinesis": "data", "sqs": "body"}
_OPERATORS = frozenset(("prefix", "suffix", "equals-ignore-case", "anything-but", "numeric", "exists", "$or"))


class Filters:
    """A record passes when one of the patterns matches; without patterns every record does."""

    def __init__(self, patterns: Sequence[str], key: str) -> None:
        self._wanted = [json.loads(pattern).get(key) for pattern in patterns]
        self._patterns = [EventPattern(each) for each in self._wanted if isinstance(each, dict)]
        self._texts = [each for each in self._wanted if isinstance(each, list)]

    def pass_everything(self) -> bool:
        return not self._wanted or None in self._wanted

    def passes(self, text: bytes | str) -> bool:
        """JSON is matched by JSON patterns, plain text by plain texts; one never by the other."""
        if self.pass_everything():
            return True
        try:
            content = json.loads(text)
        except (ValueError, RecursionError):
            content = None
        if isinstance(content, dict | list):
            return any(pattern.matches(content) for pattern in self._patterns)
        plain = text.decode(errors="replace") if isinstance(text, bytes) else text
        return any(EventPattern({"text": rules}).matches({"text": plain}) for rules in self._texts)


def check_filters(patterns: Sequence[str], service: str) -> None:
    """Raise InvalidPattern for criteria that Lambda refuses, or that the local runtime does not know."""
    if len(patterns) > MOST_FILTERS:
        raise InvalidPattern(f"a mapping has {MOST_FILTERS} filters at the most")
    for text in patterns:
        _check(text, service)


def check_syntax(text: str) -> dict[str, Any]:
    """The pattern, if it is one of a service whose filters are known; raise InvalidPattern otherwise."""
    try:
        pattern: Any = json.loads(text)
    except ValueError as error:
        raise InvalidPattern("a pattern is a JSON object") from error
    check_pattern(pattern, operators=_OPERATORS)
    keys = set(KEY_OF_SERVICE.values())
    if others := sorted(pattern.keys() - keys):
        raise InvalidPattern(f"filters look at {' or '.join(sorted(keys))} only, not at {', '.join(others)}")
    return dict(pattern)


def _check(text: str, service: str) -> None:
    pattern, key = check_syntax(text), KEY_OF_SERVICE[service]
    if pattern.keys() - {key}:
        raise InvalidPattern(f"filters of this source look at {key} only")
    if service == "kinesis" and not isinstance(pattern.get(key, {}), dict):
        raise InvalidPattern("the data of a stream's records is filtered by JSON only")
