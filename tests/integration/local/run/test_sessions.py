"""Roles that are lent: trust policies, session policies, expiry, the passing of roles."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.cloud.service import ServiceError
from sightline_local.iam import Caller, Credentials, TrustDenied

ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
PROCESSOR = "arn:aws:rekognition:us-east-1:123456789012:streamprocessor/sightline-gate"


def test_a_service_gets_the_role_that_trusts_it(cloud: Any) -> None:
    role = cloud.role()

    assert cloud.sessions.assume(role, "s", service_principal="lambda.amazonaws.com").access_key
    with pytest.raises(TrustDenied, match=r"does not let Service states\.amazonaws\.com perform"):
        cloud.sessions.assume(role, "s", service_principal="states.amazonaws.com")


def test_a_role_that_is_not_there_cannot_be_lent(cloud: Any) -> None:
    with pytest.raises(TrustDenied, match="no such role"):
        cloud.sessions.assume("arn:aws:iam::123456789012:role/nobody", "s", service_principal="x")


def test_a_trust_policy_may_name_the_source_of_the_request(cloud: Any) -> None:
    role = cloud.role(
        trust={
            "Principal": {"Service": "rekognition.amazonaws.com"},
            "Condition": {
                "StringEquals": {"aws:SourceAccount": "123456789012"},
                "ArnLike": {"aws:SourceArn": PROCESSOR.replace("gate", "*")},
            },
        }
    )

    def lend(source: str | None) -> None:
        cloud.sessions.assume(role, "s", service_principal="rekognition.amazonaws.com", source_arn=source)

    lend(PROCESSOR)
    for other in (PROCESSOR.replace("sightline", "other"), None):
        with pytest.raises(TrustDenied):
            lend(other)


def assume(cloud: Any, role_arn: str, *statements: dict[str, Any], **params: Any) -> Any:
    caller = cloud.session(*(statements or (ALLOW_ALL,)), name="caller")
    return cloud.client("sts", caller).assume_role(RoleArn=role_arn, RoleSessionName="camera-1", **params)


def test_a_role_lends_another_one_that_trusts_it(cloud: Any) -> None:
    role = cloud.role(trust={"Principal": {"AWS": "arn:aws:iam::123456789012:role/caller"}})

    lent = assume(cloud, role)

    assert lent["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/role/camera-1"
    assert lent["Credentials"]["Expiration"].tzinfo is not None


@pytest.mark.parametrize(
    "trust",
    [{"Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}, None],
    ids=["another", "a service"],
)
def test_a_role_that_trusts_somebody_else_is_not_lent(cloud: Any, trust: Any) -> None:
    role = cloud.role(trust=trust)

    with pytest.raises(ClientError, match=r"AccessDenied.*trust policy"):
        assume(cloud, role)


def test_lending_needs_a_permission_of_the_borrower(cloud: Any) -> None:
    role = cloud.role(trust={"Principal": {"AWS": "123456789012"}})
    other = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role + "x"}

    with pytest.raises(ClientError, match=r"AccessDenied.*not authorized to perform: sts:AssumeRole"):
        assume(cloud, role, other)


def test_a_chained_session_lasts_an_hour_at_most(cloud: Any) -> None:
    role = cloud.role(trust={"Principal": {"AWS": "arn:aws:iam::123456789012:role/caller"}})

    with pytest.raises(ClientError, match="ValidationError"):
        assume(cloud, role, DurationSeconds=3601)


def test_a_session_policy_narrows_the_role(cloud: Any) -> None:
    cloud.client("kinesis").create_stream(StreamName="one", ShardCount=1)
    role = cloud.role(ALLOW_ALL, trust={"Principal": {"AWS": "arn:aws:iam::123456789012:role/caller"}})
    policy = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "kinesis:*",
            "Resource": cloud.arn("kinesis", "stream/one"),
        },
    }

    keys = assume(cloud, role, Policy=json.dumps(policy))["Credentials"]
    camera = cloud.client(
        "kinesis", Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    )
    assert camera.describe_stream_summary(StreamName="one")
    with pytest.raises(ClientError, match=r"stream/two because no session policy allows"):
        camera.describe_stream_summary(StreamName="two")


def test_a_session_policy_cannot_widen_the_role(cloud: Any) -> None:
    role = cloud.role()
    keys = cloud.sessions.assume(
        role,
        "s",
        service_principal="lambda.amazonaws.com",
        policy={"Version": "2012-10-17", "Statement": ALLOW_ALL},
    )

    with pytest.raises(ClientError, match="no identity-based policy allows"):
        cloud.client("dynamodb", keys).list_tables()


def test_a_policy_that_is_no_json_is_refused(cloud: Any) -> None:
    role = cloud.role(trust={"Principal": {"AWS": "*"}})

    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        assume(cloud, role, Policy="{")


def test_a_session_ends(cloud: Any) -> None:
    keys = cloud.sessions.assume(
        cloud.role(ALLOW_ALL),
        "s",
        service_principal="lambda.amazonaws.com",
        duration=timedelta(seconds=-1),
    )

    with pytest.raises(ClientError, match="ExpiredTokenException"):
        cloud.client("dynamodb", keys).list_tables()


class Processors:
    """Stands in for Rekognition."""

    def handle(self, operation: str, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        if operation != "CreateStreamProcessor":
            raise ServiceError("InvalidParameterException", operation)
        return {"StreamProcessorArn": PROCESSOR}


CREATE = {
    "Name": "sightline-gate",
    "Input": {"KinesisVideoStream": {"Arn": "arn:aws:kinesisvideo:us-east-1:123456789012:stream/v/1"}},
    "Output": {"KinesisDataStream": {"Arn": "arn:aws:kinesis:us-east-1:123456789012:stream/f"}},
    "RoleArn": "arn:aws:iam::123456789012:role/rekognition",
    "Settings": {"FaceSearch": {"CollectionId": "people"}},
}
MAY_CREATE = {
    "Effect": "Allow",
    "Action": "rekognition:CreateStreamProcessor",
    "Resource": [PROCESSOR, "arn:aws:rekognition:us-east-1:123456789012:collection/people"],
}


def may_pass(**condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "iam:PassRole", "Resource": CREATE["RoleArn"], **condition}


def to_service(name: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {"iam:PassedToService": name}}}


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([MAY_CREATE, may_pass(**to_service("rekognition.amazonaws.com"))], None),
        ([MAY_CREATE, may_pass()], None),
        ([MAY_CREATE, may_pass(**to_service("ec2.amazonaws.com"))], "iam:PassRole"),
        ([MAY_CREATE], "iam:PassRole"),
        ([{**MAY_CREATE, "Resource": PROCESSOR}, may_pass()], "collection/people"),
    ],
)
def test_handing_a_role_to_rekognition_needs_pass_role(
    cloud: Any, statements: list[dict[str, Any]], missing: str | None
) -> None:
    cloud.gateway.services["rekognition"] = Processors()
    rekognition = cloud.client("rekognition", cloud.session(*statements))

    if missing is None:
        assert rekognition.create_stream_processor(**CREATE)["StreamProcessorArn"] == PROCESSOR
    else:
        with pytest.raises(ClientError, match=missing):
            rekognition.create_stream_processor(**CREATE)
