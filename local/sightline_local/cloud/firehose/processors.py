"""The processors of a delivery stream: a function, a jq query, a delimiter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sightline_local.cloud.firehose.refusals import invalid, not_emulated

_KNOWN = {
    "Lambda": frozenset(("LambdaArn", "NumberOfRetries", "BufferSizeInMBs", "BufferIntervalInSeconds")),
    "MetadataExtraction": frozenset(("MetadataExtractionQuery", "JsonParsingEngine")),
    "AppendDelimiterToRecord": frozenset(("Delimiter",)),
}
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Transform:
    """The function that changes records, and when it is called."""

    lambda_arn: str
    retries: int = 3
    size_bytes: int = _MIB
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Processing:
    """What happens to records before they are delivered, in this order."""

    transform: Transform | None = None
    query: str | None = None  # of jq, for partition keys
    delimiter: bytes = b""


def read_processing(wanted: Mapping[str, Any]) -> Processing:
    """ServiceError InvalidArgumentException for a processor that is unknown or twice there."""
    if not wanted.get("Enabled"):
        return Processing()
    found: dict[str, dict[str, str]] = {}
    for processor in wanted.get("Processors", []):
        kind = processor["Type"]
        if kind not in _KNOWN:
            raise not_emulated(f"the processor {kind}")
        if kind in found:
            raise invalid(f"Only one processor of type {kind} is allowed")
        found[kind] = _parameters(kind, processor.get("Parameters", []))
    return Processing(
        transform=_transform(found["Lambda"]) if "Lambda" in found else None,
        query=_query(found["MetadataExtraction"]) if "MetadataExtraction" in found else None,
        delimiter=_delimiter(found.get("AppendDelimiterToRecord")),
    )


def _parameters(kind: str, given: list[Mapping[str, str]]) -> dict[str, str]:
    values = {each["ParameterName"]: each["ParameterValue"] for each in given}
    if unknown := sorted(values.keys() - _KNOWN[kind]):
        raise not_emulated(f"the parameter {unknown[0]} of the processor {kind}")
    return values


def _transform(values: Mapping[str, str]) -> Transform:
    if "LambdaArn" not in values:
        raise invalid("The processor Lambda needs LambdaArn")
    megabytes = _number(values, "BufferSizeInMBs", 1, 0.2, 3)
    return Transform(
        lambda_arn=values["LambdaArn"],
        retries=int(_number(values, "NumberOfRetries", 3, 0, 300)),
        size_bytes=int(megabytes * _MIB),
        seconds=_number(values, "BufferIntervalInSeconds", 60, 0, 900),
    )


def _number(values: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    try:
        value = float(values.get(name, default))
    except ValueError as error:
        raise invalid(f"{name} must be a number, not {values[name]}") from error
    if not low <= value <= high:
        raise invalid(f"{name} must be between {low:g} and {high:g}")
    return value


def _query(values: Mapping[str, str]) -> str:
    if values.get("JsonParsingEngine") != "JQ-1.6":
        raise invalid("JsonParsingEngine must be JQ-1.6")
    query = values.get("MetadataExtractionQuery")
    if not query:
        raise invalid("The processor MetadataExtraction needs MetadataExtractionQuery")
    return query


def _delimiter(values: Mapping[str, str] | None) -> bytes:
    r"""`\n` is written with two characters, because a parameter may not be blank."""
    if values is None:
        return b""
    return values.get("Delimiter", "\\n").replace("\\n", "\n").encode()
