"""Wildcards and variables of policies: `*`, `?`, `${aws:PrincipalArn}`."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

Context = Mapping[str, "str | tuple[str, ...]"]

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_ESCAPES = ("*", "?", "$")  # ${*} is a star and no wildcard
_WITH_DEFAULT = re.compile(r"(?P<key>[^,]+?)\s*,\s*'(?P<default>[^']*)'")
# Stand for a literal * and ? in a pattern whose variables have been put in (private use in Unicode).
_LITERAL = {"*": "\ue000", "?": "\ue001"}
_SOURCE = {"*": ".*", "?": ".", _LITERAL["*"]: r"\*", _LITERAL["?"]: r"\?"}


@lru_cache(maxsize=4096)
def _compiled(pattern: str, *, ignore_case: bool) -> Callable[[str], object]:
    source = "".join(_SOURCE.get(character) or re.escape(character) for character in pattern)
    return re.compile(source, re.DOTALL | (re.IGNORECASE if ignore_case else 0)).fullmatch


def glob_matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """`*` stands for any run of characters, `?` for any one."""
    return _compiled(pattern, ignore_case=ignore_case)(text) is not None


def arn_matches(pattern: str, arn: str) -> bool:
    """A wildcard stays within its one of the six parts of an ARN; in the last part it passes `/` and `:`."""
    if pattern in ("*", arn):
        return True
    wanted, parts = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(parts) == 6 and all(map(glob_matches, wanted, parts))


def expand(text: str, context: Context) -> str | None:
    """Put the values of the request into `${...}`; None when one is missing: then nothing can match.

    The result is a pattern for this module: a value's own `*` and `?` are literal in it, as on AWS.
    """
    return _put(text, context, lambda value: "".join(_LITERAL.get(each, each) for each in value))


def expand_literally(text: str, context: Context) -> str | None:
    """The same for an operator without wildcards."""
    return _put(text, context, str)


def names_in(text: str) -> Iterable[str]:
    """The keys of the context that the variables of a text ask for, in lower case."""
    for match in _VARIABLE.finditer(text):
        if match[1].strip() not in _ESCAPES:
            yield _key_and_default(match[1])[0]


def _put(text: str, context: Context, written: Callable[[str], str]) -> str | None:
    if "${" not in text:
        return text
    missing = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal missing
        value = _variable(match[1].strip(), context)
        missing = missing or value is None
        return written(value or "")

    expanded = _VARIABLE.sub(value_of, text)
    return None if missing else expanded


def _variable(name: str, context: Context) -> str | None:
    if name in _ESCAPES:
        return name
    key, default = _key_and_default(name)
    value = context.get(key)
    return value if isinstance(value, str) else default if value is None else None


def _key_and_default(name: str) -> tuple[str, str | None]:
    """`aws:username, 'nobody'` → (`aws:username`, `nobody`)."""
    found = _WITH_DEFAULT.fullmatch(name.strip())
    return (found["key"].lower(), found["default"]) if found else (name.strip().lower(), None)
