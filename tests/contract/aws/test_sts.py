"""AWS STS: who calls, and who becomes whom."""

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sightline_local.runtime import Runtime

Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
ASSUME_ROLE = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
EXTERNAL = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"
QUEUES = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}


@pytest.mark.source("https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html")
def test_a_session_is_named_by_its_role_and_its_session_name(
    role_with: Callable[..., str], keys_of: Callable[..., Client]
) -> None:
    role = role_with()
    identity = keys_of(role)("sts").get_caller_identity()
    assert identity["Arn"] == role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/session"
    assert identity["Account"] == "123456789012"
    assert identity["UserId"].startswith("AROA")
    assert identity["UserId"].endswith(":session")


@pytest.mark.source(ASSUME_ROLE)
def test_a_role_that_does_not_trust_the_caller_is_not_lent(
    role_with: Callable[..., str], keys_of: Callable[..., Client], refusal: Refusal
) -> None:
    functions_only = role_with(trust={"Principal": {"Service": "lambda.amazonaws.com"}})
    caller = keys_of(role_with({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}))

    error = refusal(caller("sts").assume_role, RoleArn=functions_only, RoleSessionName="mine")

    assert error.response["Error"]["Code"] == "AccessDenied"
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.source(EXTERNAL)
def test_a_trust_that_asks_for_an_external_id_is_for_those_who_know_it(
    role_with: Callable[..., str], client_with: Callable[..., Client], refusal: Refusal
) -> None:
    asked = {"StringEquals": {"sts:ExternalId": "secret"}}
    role = role_with(trust={"Principal": {"AWS": "123456789012"}, "Condition": asked})
    sts = client_with({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})("sts")

    refusal(sts.assume_role, RoleArn=role, RoleSessionName="mine")
    refusal(sts.assume_role, RoleArn=role, RoleSessionName="mine", ExternalId="other")
    assert sts.assume_role(RoleArn=role, RoleSessionName="mine", ExternalId="secret")["Credentials"]


@pytest.mark.source("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html")
def test_a_chained_session_lasts_an_hour_at_most(
    role_with: Callable[..., str], client_with: Callable[..., Client], refusal: Refusal
) -> None:
    role = role_with()
    sts = client_with({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})("sts")

    error = refusal(sts.assume_role, RoleArn=role, RoleSessionName="mine", DurationSeconds=3601)

    assert error.response["Error"]["Code"] == "ValidationError"


@pytest.mark.source("https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session")
def test_a_session_policy_takes_away_and_never_adds(
    role_with: Callable[..., str], keys_of: Callable[..., Client], refusal: Refusal
) -> None:
    topics = json.dumps({"Version": "2012-10-17", "Statement": {**QUEUES, "Action": "sns:*"}})
    narrowed = keys_of(role_with(QUEUES), Policy=topics)

    assert "AccessDenied" in refusal(narrowed("sqs").list_queues).response["Error"]["Code"]
    assert refusal(narrowed("sns").list_topics).response["Error"]["Code"] == "AuthorizationError"


@pytest.mark.source("https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html")
def test_a_session_token_that_is_not_the_keys_own_is_invalid(
    runtime: Runtime, role_with: Callable[..., str], client: Client, refusal: Refusal
) -> None:
    lent = client("sts").assume_role(RoleArn=role_with(), RoleSessionName="mine")["Credentials"]
    forged = boto3.client(
        "sts",
        endpoint_url=runtime.aws_url,
        region_name="us-east-1",
        aws_access_key_id=lent["AccessKeyId"],
        aws_secret_access_key=lent["SecretAccessKey"],
        aws_session_token="forged",
    )
    assert refusal(forged.get_caller_identity).response["Error"]["Code"] == "InvalidClientTokenId"
