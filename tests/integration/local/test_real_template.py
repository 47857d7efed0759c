"""The runtime on the real template, seen through plain boto3 and urllib."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
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


def test_the_functions_and_the_state_machine_are_there(client: Client) -> None:
    names = [function["FunctionName"] for function in client("lambda").list_functions()["Functions"]]
    assert any(name.startswith("sightline-ConsumeFaceRecords-") for name in names)
    (machine,) = client("stepfunctions").list_state_machines()["stateMachines"]
    definition = client("stepfunctions").describe_state_machine(stateMachineArn=machine["stateMachineArn"])[
        "definition"
    ]
    assert "${" not in definition


def test_no_route_answers_without_a_token(runtime: Runtime) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{runtime.api_url}/devices", timeout=10)
    assert refusal.value.code == 401
    assert json.load(refusal.value) == {"message": "Unauthorized"}


def test_a_second_runtime_in_the_process_is_refused(client: Client, repository: Path) -> None:
    other = Runtime(RuntimeOptions(template=repository / "template.yaml", api_port=0, aws_port=0))
    with pytest.raises(LocalRuntimeError, match="runs in this process already"):
        other.start()
    assert client("sns").list_topics()["Topics"]
