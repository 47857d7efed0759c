import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sightline.devices.sts import StsCameraRole
from tests.builders import VIDEO_STREAM_ARN

ROLE_ARN = "arn:aws:iam::123456789012:role/sightline-camera"


class StsClient:
    """Remembers what was asked."""

    def assume_role(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        expiration = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
        credentials = {
            "AccessKeyId": "AKIA",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": expiration,
        }
        return {"Credentials": credentials}


def test_a_session_reaches_one_video_stream_for_one_hour_and_nothing_else() -> None:
    client = StsClient()

    StsCameraRole(client, ROLE_ARN).lend("gate-3", VIDEO_STREAM_ARN)

    assert (client.asked["RoleArn"], client.asked["DurationSeconds"]) == (ROLE_ARN, 3600)
    assert json.loads(client.asked["Policy"])["Statement"] == [
        {
            "Effect": "Allow",
            "Action": [
                "kinesisvideo:GetDataEndpoint",
                "kinesisvideo:PutMedia",
                "kinesisvideo:DescribeStream",
            ],
            "Resource": VIDEO_STREAM_ARN,
        }
    ]


@pytest.mark.parametrize("device_id", ["a", "a" * 63])
def test_the_session_is_named_after_the_device_in_2_to_64_characters(device_id: str) -> None:
    client = StsClient()

    StsCameraRole(client, ROLE_ARN).lend(device_id, VIDEO_STREAM_ARN)

    assert device_id[:62] in client.asked["RoleSessionName"]
    assert 2 <= len(client.asked["RoleSessionName"]) <= 64


def test_the_region_is_that_of_the_video_stream() -> None:
    elsewhere = VIDEO_STREAM_ARN.replace("us-east-1", "eu-west-1")

    assert StsCameraRole(StsClient(), ROLE_ARN).lend("gate-3", elsewhere).region == "eu-west-1"
