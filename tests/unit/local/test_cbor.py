"""The CBOR of the Java SDK, bytes as it writes and reads them."""

from typing import Any

import botocore.session
import cbor2
import pytest
from botocore.model import ListShape, Shape, StructureShape

from sightline_local.cloud import cbor
from sightline_local.cloud.kinesis import DataStreams, KinesisService

# {"ShardFilter": {"Timestamp": 1(1700000000123)}}, maps without a length, as the SDK writes them
SDK_REQUEST = "bf6b536861726446696c746572bf6954696d657374616d70c11b0000018bcfe5687bffff"


def plain(encoded: bytes) -> Any:
    """As the SDK reads it: a tag is passed over."""
    return cbor2.loads(encoded, semantic_decoders={1: lambda value, _immutable: value})


def test_a_request_of_the_sdk_is_read_with_its_times_in_seconds() -> None:
    assert cbor.read(bytes.fromhex(SDK_REQUEST)) == {"ShardFilter": {"Timestamp": 1700000000.123}}


def test_blobs_are_base64_on_this_side_and_bytes_on_the_other() -> None:
    request = cbor2.dumps({"Records": [{"Data": b"\x00\xff", "PartitionKey": "ü"}]})

    read = cbor.read(request)

    assert read == {"Records": [{"Data": "AP8=", "PartitionKey": "ü"}]}
    assert plain(cbor.write(read)) == cbor2.loads(request)


def test_a_time_is_tag_1_around_whole_milliseconds() -> None:
    written = cbor.write({"ApproximateArrivalTimestamp": 1700000000.123})

    assert written.endswith(bytes.fromhex("c11b0000018bcfe5687b"))


def test_a_text_that_looks_like_a_blob_or_a_time_stays_a_text() -> None:
    value = {"Tags": [{"Key": "Data", "Value": "AP8="}], "StreamName": "Timestamp", "Limit": 5, "No": None}

    assert plain(cbor.write(value)) == value


@pytest.mark.parametrize("body", [b"\xff", b"\x82\x01", b"\xc1\x61a"], ids=["break", "cut off", "no time"])
def test_what_is_no_cbor_is_an_error(body: bytes) -> None:
    with pytest.raises(cbor2.CBORError):
        cbor.read(body)


def test_the_blobs_and_times_of_every_operation_that_is_emulated_are_known_by_name() -> None:
    service = KinesisService(DataStreams("us-east-1", "123456789012"))
    model = botocore.session.get_session().get_service_model("kinesis")
    found: dict[str, set[str]] = {"blob": set(), "timestamp": set()}

    for name in model.operation_names:
        if service.emulates(name):
            operation = model.operation_model(name)
            for shape in filter(None, (operation.input_shape, operation.output_shape)):
                _collect(shape, found)

    assert found == {"blob": set(cbor.BLOBS), "timestamp": set(cbor.TIMES)}


def _collect(shape: Shape, found: dict[str, set[str]]) -> None:
    if isinstance(shape, ListShape):
        _collect(shape.member, found)
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            if member.type_name in found:
                found[member.type_name].add(name)
            _collect(member, found)
