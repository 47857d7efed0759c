"""What CloudFormation makes of the answer of a custom resource's function."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from sightline_local.deploy.custom_resource import CUSTOM_RESOURCE
from sightline_local.deploy.site import Site
from sightline_local.errors import DeployError, TemplateError
from sightline_local.template.scope import Made, StackIdentity
from sightline_local.template.source import Source
from sightline_local.template.template import Resource

TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:apply"
STACK = StackIdentity("app", "us-east-1", "123456789012")
Answer = Callable[[dict[str, Any]], Any]


class NoSuchKey(Exception):  # noqa: N818  boto3's name
    pass


class Cloud:
    """S3 and Lambda; `answer` is the function, which puts what it returns at the URL of its event."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKey, BucketAlreadyOwnedByYou=KeyError)
    meta = SimpleNamespace(endpoint_url="http://127.0.0.1:1")

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.objects: dict[str, bytes] = {}
        self.events: list[dict[str, Any]] = []

    def client(self, _service: str) -> "Cloud":
        return self

    def create_bucket(self, Bucket: str) -> None: ...  # noqa: N803  boto3's names

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        if Key not in self.objects:
            raise NoSuchKey
        return {"Body": io.BytesIO(self.objects[Key])}

    def delete_object(self, Bucket: str, Key: str) -> None:  # noqa: N803
        del self.objects[Key]

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        event = json.loads(Payload)
        self.events.append(event)
        try:
            answer = self.answer(event)
        except ValueError as error:
            payload = json.dumps({"errorMessage": str(error)}).encode()
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(payload)}
        if answer is not None:
            key = unquote(urlsplit(event["ResponseURL"]).path).split("/", 2)[2]
            self.objects[key] = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return {"Payload": io.BytesIO(b"null")}


def good(event: dict[str, Any], **changed: Any) -> dict[str, Any]:
    same = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    return {"Status": "SUCCESS", "PhysicalResourceId": "made", **same, **changed}


def make(cloud: Cloud, **properties: Any) -> Made:
    site = Site(STACK, cloud.client, functions=None, http_apis=None)  # type: ignore[arg-type]  # not needed
    source = Source(Path("template.yaml"), {}, {})
    given = {"ServiceToken": TOKEN, "ServiceTimeout": 1, **properties}
    resource = Resource("Schema", "Custom::Schema", given, frozenset(), source, "Schema")
    return CUSTOM_RESOURCE.create(resource, given, site)


def test_the_event_says_what_is_to_be_made_and_where_to_answer() -> None:
    cloud = Cloud(good)
    make(cloud, Version=3, Flags=[True, {"Deep": 1.5}])
    (event,) = cloud.events
    assert event["RequestType"] == "Create"
    assert (event["StackId"], event["LogicalResourceId"]) == (STACK.stack_id, "Schema")
    assert event["ResourceProperties"]["Version"] == "3"
    assert event["ResourceProperties"]["Flags"] == ["true", {"Deep": "1.5"}]
    assert {"X-Amz-Signature", "X-Amz-Expires"} <= parse_qs(urlsplit(event["ResponseURL"]).query).keys()


def test_what_is_made_is_what_the_answer_says_and_the_answer_does_not_stay() -> None:
    cloud = Cloud(lambda event: good(event, Data={"Version": "3"}))
    assert make(cloud) == Made("made", {"Version": "3"})
    assert cloud.objects == {}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda event: good(event, Status="FAILED", Reason="no table"), "Message returned: no table"),
        (lambda event: good(event, Status="DONE"), "Status must be SUCCESS or FAILED"),
        (lambda event: good(event, StackId="another"), "Value of property StackId must be"),
        (lambda event: good(event, RequestId="another"), "Value of property RequestId must be"),
        (lambda event: good(event, PhysicalResourceId=""), "Invalid PhysicalResourceId"),
        (lambda event: good(event, Data={"Text": "x" * 5000}), "too long"),
        (lambda _event: b"fine", "no JSON"),
        (lambda _event: [], "Status must be SUCCESS or FAILED"),
        (lambda _event: None, "did not receive a response"),
        (lambda _event: int("x"), "did not answer and failed: invalid literal"),
    ],
)
def test_an_answer_that_makes_nothing_ends_the_deployment_with_the_reason(
    answer: Answer, reason: str
) -> None:
    with pytest.raises(DeployError, match=reason):
        make(Cloud(answer))


@pytest.mark.parametrize(
    "properties",
    [{"ServiceToken": "arn:aws:sns:us-east-1:123456789012:topic"}, {"ServiceTimeout": 3601}],
)
def test_topics_and_longer_times_than_an_hour_are_refused(properties: dict[str, Any]) -> None:
    with pytest.raises(TemplateError):
        make(Cloud(good), **properties)
