"""Partition keys of a record: by a jq query over its JSON, or by the Lambda function that changed it.

https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning-partitioning-keys.html
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sightline_local.cloud.firehose.prefix import LAMBDA, QUERY, Prefix
from sightline_local.cloud.firehose.records import Record
from sightline_local.cloud.firehose.refusals import invalid, not_emulated

METADATA_FAILED = "DynamicPartitioning.MetadataExtractionFailed"
TOO_MANY = "DynamicPartitioning.ActivePartitionsLimitExceeded"
MOST_PARTITIONS = 500
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(r"(?<![\w.$@])[$@]?[A-Za-z_]\w*\b(?!\s*:)")  # no .fields and no keys of objects
_NEWER = frozenset(
    (
        *("abs", "have_decnum", "have_literal_numbers", "ltrim", "pick", "rtrim", "skip", "toarray"),
        *("trim", "trimstr", "@urid", "$__prog_args"),
    )
)
_OUTSIDE = frozenset(("env", "$ENV", "input", "inputs", "input_filename"))  # a record is all there is

Query = Callable[[str], Any]


class NoPartition(Exception):  # noqa: N818  what happened
    """The record has not the keys that the prefix names."""


def compiled(query: str) -> Query:
    """The jq program; ServiceError InvalidArgumentException when it is none of jq 1.6."""
    _check_version(query)
    import jq  # type: ignore[import-not-found]  # noqa: PLC0415  only streams with partitions need it

    try:
        program = jq.compile(query)
    except ValueError as error:
        raise invalid(f"MetadataExtractionQuery is not a valid jq query: {error}") from error
    return lambda text: program.input_text(text).first()


def _check_version(query: str) -> None:
    """Firehose's jq is 1.6, the one of this machine knows more: what is newer must not work here only."""
    words = _WORD.findall(_TEXT.sub('""', query))
    if words.count("if") > words.count("else"):
        raise invalid("MetadataExtractionQuery is not a valid jq query: jq 1.6 has no if without else")
    if newer := sorted(_NEWER.intersection(words)):
        raise invalid(f"MetadataExtractionQuery is not a valid jq query: jq 1.6 does not know {newer[0]}")
    if outside := sorted(_OUTSIDE.intersection(words)):
        raise not_emulated(f"{outside[0]} in the MetadataExtractionQuery")


class Partitioner:
    """From a record to the values of its prefix's keys."""

    def __init__(self, prefix: Prefix, query: str | None) -> None:
        self._wanted = prefix.partition_keys()
        self._query = compiled(query) if query is not None else None

    def values(self, record: Record) -> tuple[str, ...]:
        """In the order of `Prefix.partition_keys`; NoPartition when one is missing, null or empty."""
        sources: dict[str, Mapping[str, Any]] = {LAMBDA: record.keys or {}}
        if self._query is not None:
            sources[QUERY] = self._queried(self._query, record)
        return tuple(_text(sources[namespace].get(key)) for namespace, key in self._wanted)

    def _queried(self, query: Query, record: Record) -> Mapping[str, Any]:
        try:
            found = query(record.data.decode())
        except (ValueError, StopIteration) as error:
            raise NoPartition(f"Failed to extract metadata: {error}") from error
        if not isinstance(found, dict):
            raise NoPartition("Failed to extract metadata: the result of the query is not a JSON object")
        return found


def _text(value: Any) -> str:
    if value is None or value == "":
        raise NoPartition("partitionKeys values must not be null or empty")
    if isinstance(value, dict | list):
        raise NoPartition("partitionKeys values must be strings, numbers or booleans")
    return value if isinstance(value, str) else json.dumps(value)
