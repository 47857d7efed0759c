"""Which events a filter pattern lets through: patterns of words.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Callable

from sightline_local.cloud.service import ServiceError

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\w+))(?:\s+|$)')


def parse_pattern(pattern: str) -> Callable[[str], bool]:
    """InvalidParameterException for what is no pattern of words: JSON and column patterns, too."""
    text = pattern.strip()
    if text[:1] in {"{", "[", "%"}:
        raise _invalid(f"The local runtime knows filter patterns of words only, not {text}")
    terms = _terms(text)
    without = [term for sign, term in terms if sign == "-"]
    with_all = [term for sign, term in terms if not sign]
    with_any = [term for sign, term in terms if sign == "?"]
    if with_all:  # as on AWS: optional terms beside required ones count for nothing
        with_any = []

    def matches(message: str) -> bool:
        return (
            all(term in message for term in with_all)
            and not any(term in message for term in without)
            and (not with_any or any(term in message for term in with_any))
        )

    return matches


def _terms(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            raise _invalid(f"Invalid filter pattern: quote terms that are not alphanumeric: {text}")
        quoted = term[2]
        found.append((term[1], re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else term[3]))
        position = term.end()
    return found


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterException", message)
