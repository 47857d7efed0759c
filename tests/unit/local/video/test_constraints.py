"""What the models demand of the input, in AWS's words."""

from typing import Any

import pytest

from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.service import ServiceError


def complaint(service: str, operation: str, params: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as refused:
        check_input(service, operation, params, error="ValidationException")
    assert refused.value.code == "ValidationException"
    return refused.value.message


def test_good_input_passes() -> None:
    request = {"StreamName": "gate", "Tags": {"sightline:device": "gate 1"}, "DataRetentionInHours": 24}

    check_input("kinesisvideo", "CreateStream", request, error="ValidationException")


def test_a_broken_pattern_is_told_as_aws_tells_it() -> None:
    assert complaint("rekognition", "CreateCollection", {"CollectionId": "a b"}) == (
        "1 validation error detected: Value 'a b' at 'collectionId' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.\\-]+"
    )


def test_every_violation_is_counted() -> None:
    message = complaint("kinesisvideo", "CreateStream", {"StreamName": "a b", "DataRetentionInHours": -1})

    assert message.startswith("2 validation errors detected: ")
    assert "'streamName'" in message
    assert "'dataRetentionInHours'" in message


@pytest.mark.parametrize(
    ("service", "operation", "params", "says"),
    [
        ("rekognition", "CreateCollection", {}, "Value null at 'collectionId'"),
        ("rekognition", "DeleteFaces", {"CollectionId": "p", "FaceIds": []}, "'faceIds'"),
        ("rekognition", "DeleteFaces", {"CollectionId": "p", "FaceIds": ["x"]}, "'faceIds.1.member'"),
        ("rekognition", "DetectFaces", {"Image": {"Bytes": b""}}, "Value at 'image.bytes'"),
        ("rekognition", "DetectFaces", {"Image": {}, "Attributes": ["AGE"]}, "enum value set"),
        ("kinesisvideo", "CreateStream", {"StreamName": 7}, "must be a string"),
        ("kinesisvideo", "CreateStream", {"StreamName": "g", "Tags": ["a"]}, "must be a map"),
        ("kinesisvideo", "CreateStream", {"StreamName": "g", "Tags": {"a": "x" * 257}}, "'tags.a.value'"),
    ],
)
def test_each_kind_of_constraint_is_checked(
    service: str, operation: str, params: dict[str, Any], says: str
) -> None:
    assert says in complaint(service, operation, params)


def test_the_content_of_a_picture_is_not_in_the_message() -> None:
    message = complaint("rekognition", "DetectFaces", {"Image": {"Bytes": b"secret" * 1_000_000}})

    assert "secret" not in message
    assert "less than or equal to 5242880" in message
