"""The camera role, narrowed to one video stream for one hour."""

import json
from dataclasses import dataclass
from typing import Any

from sightline.aws import busy_means_unavailable
from sightline.devices.model import CameraCredentials

ONE_HOUR_SECONDS = 3600  # the most that AWS allows when one role (the function's) assumes another


@dataclass(frozen=True, slots=True)
class StsCameraRole:
    """`client` is a boto3 STS client."""

    client: Any
    role_arn: str

    def lend(self, device_id: str, video_stream_arn: str) -> CameraCredentials:
        with busy_means_unavailable("STS"):
            lent = self.client.assume_role(
                RoleArn=self.role_arn,
                RoleSessionName=f"d-{device_id}"[:64],  # AWS wants 2 to 64 characters, an id has 1 to 63
                DurationSeconds=ONE_HOUR_SECONDS,
                Policy=_reaching_only(video_stream_arn),
            )["Credentials"]
        return CameraCredentials(
            access_key_id=lent["AccessKeyId"],
            secret_access_key=lent["SecretAccessKey"],
            session_token=lent["SessionToken"],
            expiration=lent["Expiration"],
            video_stream_arn=video_stream_arn,
            region=video_stream_arn.split(":")[3],
        )


def _reaching_only(video_stream_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Action": ["kinesisvideo:GetDataEndpoint", "kinesisvideo:PutMedia", "kinesisvideo:DescribeStream"],
        "Resource": video_stream_arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
