"""The CBOR of the Java SDK, and the JSON that means the same: what Kinesis is told, and answers.

AWS's own dialect: a time is tag 1 around whole milliseconds, where RFC 8949 has seconds.
"""

from base64 import b64decode, b64encode
from typing import Any

import cbor2

CONTENT_TYPE = "application/x-amz-cbor-1.1"
_EPOCH_TIME = 1
# The only members of these kinds in the model of Kinesis; the errors have none.
BLOBS = frozenset({"Data"})
TIMES = frozenset(
    {"ApproximateArrivalTimestamp", "ConsumerCreationTimestamp", "StreamCreationTimestamp", "Timestamp"}
)


def read(body: bytes) -> Any:
    """As JSON has it: blobs in base64, times in seconds. CBORError for what is none."""
    return _without_bytes(cbor2.loads(body, semantic_decoders={_EPOCH_TIME: _seconds}))


def write(value: dict[str, Any]) -> bytes:
    """What JSON would have said, by the names of the members."""
    return cbor2.dumps(_member("", value))


def _seconds(milliseconds: float, _immutable: bool) -> float:
    return milliseconds / 1000


def _without_bytes(value: Any) -> Any:
    match value:
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {name: _without_bytes(each) for name, each in value.items()}
        case list():
            return [_without_bytes(each) for each in value]
    return value


def _member(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {each: _member(each, inner) for each, inner in value.items()}
    if isinstance(value, list):
        return [_member("", each) for each in value]
    if name in BLOBS:
        return b64decode(value)
    if name in TIMES:
        return cbor2.CBORTag(_EPOCH_TIME, round(value * 1000))
    return value
