"""Exact actions on exact ARNs, nothing public, nothing forgotten in the clear."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# How far the workers have read a stream, and who reads what: made anew by the next ones.
TABLES_WITHOUT_PEOPLE = {"PresenceLeases", "PresenceCoordinatorState", "PresenceWorkerMetricStats"}
# AWS itself invokes the function; nobody can call.
SOURCES_WITHOUT_CALLERS = {"SNS", "Kinesis", "ScheduleV2", "Schedule"}


def _statements(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "Effect" in node and ("Action" in node or "NotAction" in node):
            yield node
        for value in node.values():
            yield from _statements(value)
    elif isinstance(node, list):
        for value in node:
            yield from _statements(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_policy_allows_an_action_by_wildcard(template: dict[str, Any]) -> None:
    for statement in _statements(template["Resources"]):
        assert "NotAction" not in statement
        if statement["Effect"] == "Deny":
            continue
        assert not [action for action in _listed(statement["Action"]) if "*" in action], statement


def test_a_resource_of_star_says_why_in_the_same_line(repository: Path) -> None:
    for number, line in enumerate((repository / "template.yaml").read_text().splitlines(), 1):
        if "Resource: '*'" in line:
            assert "#" in line, f"template.yaml:{number} has no reason"


def test_no_managed_policy_is_attached(template: dict[str, Any]) -> None:
    text = json.dumps(template["Resources"], default=str)

    assert "ManagedPolicyArns" not in text
    for name, resource in template["Resources"].items():
        for policy in (
            resource["Properties"].get("Policies", [])
            if resource["Type"].startswith("AWS::Serverless")
            else []
        ):
            assert isinstance(policy, dict), f"{name}: {policy}"


def test_every_route_needs_a_token(template: dict[str, Any]) -> None:
    assert template["Resources"]["Api"]["Properties"]["Auth"]["DefaultAuthorizer"] == "OperatorsToken"
    for resource in template["Resources"].values():
        for event in resource["Properties"].get("Events", {}).values():
            if event["Type"] in SOURCES_WITHOUT_CALLERS:
                continue
            assert event["Type"] == "HttpApi"
            assert "Auth" not in event["Properties"], "a route must not switch the authorizer off"


def test_whatever_holds_faces_or_names_outlives_a_mistake_and_is_encrypted(template: dict[str, Any]) -> None:
    for name, resource in template["Resources"].items():
        lasts = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Cognito::UserPool"}
        if resource["Type"] in lasts and name not in TABLES_WITHOUT_PEOPLE:
            assert resource["DeletionPolicy"] == "Retain", name
            assert resource["UpdateReplacePolicy"] == "Retain", name
        if resource["Type"] == "AWS::DynamoDB::Table":
            assert resource["Properties"]["SSESpecification"] == {"SSEEnabled": True}, name
        if resource["Type"] == "AWS::S3::Bucket":
            assert "BucketEncryption" in resource["Properties"], name
            assert all(resource["Properties"]["PublicAccessBlockConfiguration"].values()), name
        if resource["Type"] == "AWS::Kinesis::Stream":
            assert resource["Properties"]["StreamEncryption"]["EncryptionType"] == "KMS", name


def test_rekognition_may_read_video_and_write_face_streams_and_nothing_else(template: dict[str, Any]) -> None:
    role = template["Resources"]["RekognitionRole"]["Properties"]

    allowed = {
        action for statement in _statements(role["Policies"]) for action in _listed(statement["Action"])
    }

    assert allowed == {
        "kinesisvideo:GetDataEndpoint",
        "kinesisvideo:GetMedia",
        "kinesis:PutRecord",
        "kinesis:PutRecords",
    }
    trust = role["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Principal"] == {"Service": "rekognition.amazonaws.com"}
    assert set(trust["Condition"]) == {"StringEquals", "ArnLike"}, "the confused-deputy guard is missing"


def test_every_bucket_refuses_whatever_does_not_come_over_tls(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    policies = [each["Properties"] for each in resources.values() if each["Type"] == "AWS::S3::BucketPolicy"]
    by_bucket = {each["Bucket"]["Ref"]: each["PolicyDocument"]["Statement"] for each in policies}

    for name, resource in resources.items():
        if resource["Type"] != "AWS::S3::Bucket":
            continue
        (statement,) = by_bucket[name]
        assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        bucket, objects = statement["Resource"]
        assert bucket == {"Fn::GetAtt": [name, "Arn"]}
        assert objects == {"Fn::Sub": f"${{{name}.Arn}}/*"}
