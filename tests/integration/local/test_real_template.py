"""The runtime on the real template, seen through plain boto3 and urllib."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from sightline_local.errors import LocalRuntimeError
from sightline_local.runtime import Runtime, RuntimeOptions

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def runtime(repository: Path) -> Iterator[Runtime]:
    with Runtime(RuntimeOptions(template=repository / "template.yaml", api_port=0, aws_port=0)) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def client(runtime: Runtime, client_of: Callable[[Runtime], Client]) -> Client:
    return client_of(runtime)


def test_the_stack_and_its_outputs_are_described(runtime: Runtime, client: Client) -> None:
    (stack,) = client("cloudformation").describe_stacks(StackName="sightline")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs == runtime.outputs
    assert outputs["ApiUrl"] == runtime.api_url
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_every_resource_is_listed(client: Client) -> None:
    resources = client("cloudformation").describe_stack_resources(StackName="sightline")["StackResources"]
    types = {resource["LogicalResourceId"]: resource["ResourceType"] for resource in resources}
    assert types["DevicesApi"] == "AWS::Lambda::Function"
    assert types["DeviceLifecycle"] == "AWS::StepFunctions::StateMachine"
    assert "AlertEmailSubscription" not in types


def test_tables_topic_stream_bucket_pool_and_collection_are_there(runtime: Runtime, client: Client) -> None:
    outputs = runtime.outputs
    assert {outputs["DevicesTableName"], outputs["VisitsTableName"]} <= set(
        client("dynamodb").list_tables()["TableNames"]
    )
    topics = client("sns").list_topics()["Topics"]
    assert {"TopicArn": outputs["AlertsTopicArn"]} in topics
    assert outputs["SightingsStreamName"] in client("kinesis").list_streams()["StreamNames"]
    buckets = [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]
    assert outputs["ParkedRecordsBucketName"] in buckets
    pools = client("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]
    assert [pool["Id"] for pool in pools] == [outputs["UserPoolId"]]
    assert client("rekognition").list_collections()["CollectionIds"] == [outputs["CollectionId"]]


def test_the_functions_and_the_state_machines_are_there(client: Client) -> None:
    names = [function["FunctionName"] for function in client("lambda").list_functions()["Functions"]]
    assert any(name.startswith("sightline-ConsumeFaceRecords-") for name in names)
    states = client("stepfunctions")
    machines = {
        each["name"]: each["stateMachineArn"] for each in states.list_state_machines()["stateMachines"]
    }
    assert {name.split("-")[1] for name in machines} == {"DeviceLifecycle", "CompactLake"}
    for arn in machines.values():
        assert "${" not in states.describe_state_machine(stateMachineArn=arn)["definition"]


def test_no_route_answers_without_a_token(runtime: Runtime) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{runtime.api_url}/devices", timeout=10)
    assert refusal.value.code == 401
    assert json.load(refusal.value) == {"message": "Unauthorized"}


@pytest.fixture(scope="module")
def token(runtime: Runtime, client: Client) -> str:
    """An access token, got as an operator gets it."""
    cognito, pool = client("cognito-idp"), runtime.outputs["UserPoolId"]
    name, password = "operator", "Correct-Horse-42-Battery"
    cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)
    answer = cognito.admin_initiate_auth(
        UserPoolId=pool,
        ClientId=runtime.outputs["UserPoolClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )
    return str(answer["AuthenticationResult"]["AccessToken"])


def test_the_pool_publishes_the_key_that_its_tokens_are_signed_with(runtime: Runtime, token: str) -> None:
    url = f"{runtime.aws_url}/{runtime.outputs['UserPoolId']}/.well-known/jwks.json"
    with urllib.request.urlopen(url, timeout=10) as answer:
        keys = KeySet.import_key_set(json.load(answer))
    assert jwt.decode(token, keys).claims["client_id"] == runtime.outputs["UserPoolClientId"]


def test_a_device_is_provisioned_runs_stops_and_is_forgotten(
    runtime: Runtime, client: Client, token: str
) -> None:
    def call(method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        request = urllib.request.Request(
            runtime.api_url + path,
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def settles(status: int, state: str | None) -> None:
        deadline = time.monotonic() + 40
        while (seen := call("GET", "/devices/door")) and time.monotonic() < deadline:
            if seen[0] == status and seen[1].get("state", state) == state:
                return
            time.sleep(0.2)
        pytest.fail(f"the device stayed {seen}")

    assert call("POST", "/devices", {"device_id": "door", "name": "Door"})[0] == 202
    settles(200, "running")
    (processor,) = client("rekognition").list_stream_processors()["StreamProcessors"]
    assert processor == {"Name": "sightline-door", "Status": "RUNNING"}
    (mapping,) = mappings_of_face_streams(client)
    assert mapping["EventSourceArn"].endswith(":stream/sightline-faces-door")
    assert mapping["MaximumRetryAttempts"] == -1

    assert call("POST", "/devices/door/stop")[0] == 202
    settles(200, "stopped")
    assert client("rekognition").list_stream_processors()["StreamProcessors"] == []
    assert len(client("kinesisvideo").list_streams()["StreamInfoList"]) == 1

    assert call("DELETE", "/devices/door")[0] == 202
    settles(404, None)
    left = client("kinesisvideo").list_streams()["StreamInfoList"]
    assert [stream for stream in left if stream["Status"] != "DELETING"] == []
    assert mappings_of_face_streams(client) == []


def mappings_of_face_streams(client: Client) -> list[Any]:
    """Without the ones that the template makes for streams of its own."""
    found = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return [mapping for mapping in found if ":stream/sightline-faces-" in mapping["EventSourceArn"]]


def test_a_second_runtime_in_the_process_is_refused(client: Client, repository: Path) -> None:
    other = Runtime(RuntimeOptions(template=repository / "template.yaml", api_port=0, aws_port=0))
    with pytest.raises(LocalRuntimeError, match="runs in this process already"):
        other.start()
    assert client("sns").list_topics()["Topics"]
