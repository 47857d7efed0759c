"""Prefixes of objects with expressions: `year=!{timestamp:yyyy}/site=!{partitionKeyFromQuery:site}/`.

https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

QUERY, LAMBDA = "partitionKeyFromQuery", "partitionKeyFromLambda"
ERROR_TYPE = "error-output-type"
_LONGEST = 512
_EXPRESSION = re.compile(r"!\{([^:{}]*):([^{}]*)\}")
_PIECE = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']")
_DEFAULT_TIME = ("timestamp", "yyyy/MM/dd/HH/")
# What of Java's DateTimeFormatter is known here.
_JAVA = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "DDD": "%j"}
_JAVA_SHORT = {"M": "%m", "d": "%d", "H": "%H", "m": "%M", "s": "%S"}

Token = str | tuple[str, str]  # text as it is, or namespace and value
PartitionKeys = Mapping[tuple[str, str], str]  # (namespace, key) → value


class InvalidPrefix(Exception):  # noqa: N818  parallel to InvalidExpression
    """The prefix breaks a rule; the message says which."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix, read."""

    tokens: tuple[Token, ...]

    def expressions(self) -> list[tuple[str, str]]:
        return [token for token in self.tokens if isinstance(token, tuple)]

    def partition_keys(self) -> list[tuple[str, str]]:
        """Namespace and key of every partition key, each once, in order."""
        return list(dict.fromkeys(pair for pair in self.expressions() if pair[0] in (QUERY, LAMBDA)))

    def evaluate(self, moment: datetime, keys: PartitionKeys, error_type: str = "") -> str:
        """`moment`: arrival of the oldest record, in the zone of the stream. InvalidPrefix when too long."""
        text = "".join(
            token if isinstance(token, str) else _value(token, moment, keys, error_type)
            for token in self.tokens
        )
        if len(text) > _LONGEST:
            raise InvalidPrefix(f"The evaluated prefix is longer than {_LONGEST} characters")
        return text


def read_prefixes(
    prefix: str | None, error_prefix: str | None, *, partitioned: bool
) -> tuple[Prefix, Prefix]:
    """The prefixes of the data and of what failed, as Firehose completes them; InvalidPrefix."""
    tokens, error_tokens = _read(prefix or "", "Prefix"), _read(error_prefix or "", "ErrorOutputPrefix")
    _check(tokens, error_tokens, error_prefix, partitioned=partitioned)
    timed = any(name == "timestamp" for name, _ in tokens.expressions())
    data = tokens if timed or partitioned else Prefix((*tokens.tokens, _DEFAULT_TIME))
    if error_tokens.expressions():
        return data, error_tokens
    start = error_tokens.tokens if error_prefix else tokens.tokens
    return data, Prefix((*start, ("firehose", ERROR_TYPE), "/", _DEFAULT_TIME))


def _check(data: Prefix, errors: Prefix, error_prefix: str | None, *, partitioned: bool) -> None:
    if not error_prefix and (data.expressions() or partitioned):
        raise InvalidPrefix("ErrorOutputPrefix cannot be null or empty when Prefix contains expressions")
    if ("firehose", ERROR_TYPE) in data.expressions():
        raise InvalidPrefix("Prefix cannot contain !{firehose:error-output-type}")
    if errors.expressions() and ("firehose", ERROR_TYPE) not in errors.expressions():
        raise InvalidPrefix(
            "ErrorOutputPrefix must contain at least one instance of !{firehose:error-output-type}"
        )
    if errors.partition_keys():
        raise InvalidPrefix("ErrorOutputPrefix cannot contain partition keys")
    if partitioned and not data.partition_keys():
        raise InvalidPrefix("Prefix must contain partition keys when Dynamic Partitioning is enabled")
    if not partitioned and data.partition_keys():
        raise InvalidPrefix("Prefix cannot contain partition keys when Dynamic Partitioning is disabled")


def _read(text: str, name: str) -> Prefix:
    tokens: list[Token] = []
    end = 0
    for found in _EXPRESSION.finditer(text):
        tokens += [text[end : found.start()], (found[1], found[2])]
        end = found.end()
        _check_expression(found[1], found[2], name)
    rest = text[end:]
    if "!{" in "".join(token for token in (*tokens, rest) if isinstance(token, str)):
        raise InvalidPrefix(f"{name}: the sequence !{{ can only appear in !{{namespace:value}} expressions")
    return Prefix(tuple(token for token in (*tokens, rest) if token))


def _check_expression(namespace: str, value: str, name: str) -> None:
    if namespace == "timestamp":
        _strftime(value)
    elif namespace == "firehose":
        if value not in (ERROR_TYPE, "random-string"):
            raise InvalidPrefix(f"{name}: the namespace firehose has no value {value}")
    elif namespace not in (QUERY, LAMBDA):
        raise InvalidPrefix(f"{name}: there is no namespace {namespace}")
    elif not value:
        raise InvalidPrefix(f"{name}: {namespace} needs a key")


def _value(token: tuple[str, str], moment: datetime, keys: PartitionKeys, error_type: str) -> str:
    namespace, value = token
    if namespace == "timestamp":
        return moment.strftime(_strftime(value))
    if namespace == "firehose":
        return error_type if value == ERROR_TYPE else secrets.token_hex(6)[:11]
    return keys[token]


def _strftime(pattern: str) -> str:
    """A pattern of Java's DateTimeFormatter as one of strftime's."""
    if pattern.count("'") % 2:
        raise InvalidPrefix(f"timestamp: the quote in {pattern} is not closed")
    return "".join(_piece(found, pattern) for found in _PIECE.finditer(pattern))


def _piece(found: re.Match[str], pattern: str) -> str:
    if found[1] is not None:
        return (found[1].replace("''", "'") or "'").replace("%", "%%")  # '' is a quote
    letters = found[0]
    if found[2] is None:
        return letters.replace("%", "%%")
    if letters in _JAVA_SHORT:
        raise InvalidPrefix(f"timestamp: the local runtime does not know {letters} in {pattern}, only twice")
    if letters not in _JAVA:
        raise InvalidPrefix(f"timestamp: the local runtime does not know {letters} in {pattern}")
    return _JAVA[letters]
