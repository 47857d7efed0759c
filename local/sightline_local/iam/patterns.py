"""Wildcards and variables of policies: `*`, `?`, `${aws:PrincipalArn}`."""

import re
from collections.abc import Mapping
from functools import lru_cache

Context = Mapping[str, "str | tuple[str, ...]"]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_LITERALS = {"*": "*", "?": "?", "$": "$"}
_WITH_DEFAULT = re.compile(r"(?P<key>[^,]+?)\s*,\s*'(?P<default>[^']*)'")


@lru_cache(maxsize=4096)
def _compiled(pattern: str, *, ignore_case: bool) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    source = "".join(parts.get(character) or re.escape(character) for character in pattern)
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def glob_matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """`*` stands for any run of characters, `?` for any one."""
    return _compiled(pattern, ignore_case=ignore_case).fullmatch(text) is not None


def arn_matches(pattern: str, arn: str) -> bool:
    """A wildcard stays within its one of the six parts of an ARN; in the last part it passes `/` and `:`."""
    if pattern == "*":
        return True
    wanted, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(parts) == 6 and all(map(glob_matches, wanted, parts))


def expand(text: str, context: Context) -> str | None:
    """Put the values of the request into `${...}`; None when one is missing: then nothing can match.

    A value's own `*` and `?` stay literal on AWS; a value that has them is refused here.
    """
    if "${" not in text:
        return text
    missing = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal missing
        value = _variable(match[1].strip(), context)
        missing = missing or value is None
        return value or ""

    expanded = _VARIABLE.sub(value_of, text)
    return None if missing else expanded


def _variable(name: str, context: Context) -> str | None:
    if name in _LITERALS:
        return _LITERALS[name]
    with_default = _WITH_DEFAULT.fullmatch(name)
    key = with_default["key"] if with_default else name
    value = context.get(key.lower())
    if isinstance(value, str) and not set("*?") & set(value):
        return value
    return with_default["default"] if with_default and value is None else None
