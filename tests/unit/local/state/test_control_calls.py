"""The calls that made something at run time: kept in their order, and no longer than it lives."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline_local.cloud.calls import Call
from sightline_local.state import Facts
from sightline_local.state.control_calls import ControlCalls


class Moto:
    """Takes calls; those that name something that is `unknown` fail."""

    def __init__(self, unknown: str = "") -> None:
        self.calls: list[str] = []
        self._unknown = unknown

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read().decode()
        self.calls.append(f"{environ['HTTP_X_AMZ_TARGET']} {environ['QUERY_STRING']}{body}")
        start_response("400 Bad" if self._unknown and self._unknown in body else "200 OK", [])
        return [b""]


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[Facts]:
    facts = Facts(tmp_path / "facts.sqlite")
    yield facts
    facts.close()


@pytest.fixture
def made(facts: Facts) -> Callable[..., None]:
    """A call that has succeeded."""
    calls = ControlCalls(facts, Moto())
    calls.begin()

    def make(operation: str, service: str = "sqs", query: str = "", **params: str) -> None:
        environ = {
            "REQUEST_METHOD": "POST",
            "HTTP_X_AMZ_TARGET": operation,
            "QUERY_STRING": query,
            "sightline.body": json.dumps(params).encode(),
        }
        calls.after_request(environ, Call(service, operation, "json", params, None))

    return make


def repeated(facts: Facts, moto: Moto | None = None) -> list[str]:
    moto = moto or Moto()
    ControlCalls(facts, moto).restore()
    return [call.split()[0] for call in moto.calls]


def test_calls_are_repeated_in_their_order_and_contents_are_not(
    facts: Facts, made: Callable[..., None]
) -> None:
    made("CreateQueue", QueueName="q")
    made("SendMessage", QueueUrl="http://x/q")
    made("SetQueueAttributes", QueueUrl="http://x/q")

    assert repeated(facts) == ["CreateQueue", "SetQueueAttributes"]


def test_a_setting_that_is_made_again_counts_at_its_last_place(
    facts: Facts, made: Callable[..., None]
) -> None:
    for value in ("a", "b", "a"):
        made("SetQueueAttributes", QueueUrl="http://x/q", Value=value)
    moto = Moto()

    repeated(facts, moto)

    assert [json.loads(call.partition(" ")[2])["Value"] for call in moto.calls] == ["b", "a"]


def test_making_what_is_there_does_not_move_it_behind_its_settings(
    facts: Facts, made: Callable[..., None]
) -> None:
    made("CreateQueue", QueueName="q")
    made("SetQueueAttributes", QueueUrl="http://x/q")
    made("CreateQueue", QueueName="q")

    assert repeated(facts) == ["CreateQueue", "SetQueueAttributes"]


def test_the_same_body_for_another_resource_is_another_call(facts: Facts, made: Callable[..., None]) -> None:
    for bucket in ("a", "b"):
        made("PutBucketVersioning", "s3", query=bucket, Bucket=bucket)

    assert len(repeated(facts)) == 2


def test_what_is_deleted_takes_its_calls_with_it(facts: Facts, made: Callable[..., None]) -> None:
    for name in ("q", "other"):
        made("CreateQueue", QueueName=name)
        made("TagQueue", QueueUrl=f"http://x/{name}")
    made("DeleteQueue", QueueUrl="http://x/q")
    moto = Moto()

    assert repeated(facts, moto) == ["CreateQueue", "TagQueue"]
    assert all("other" in call for call in moto.calls)


def test_a_resource_of_the_template_is_deleted_again_at_each_start(
    facts: Facts, made: Callable[..., None]
) -> None:
    made("TagQueue", QueueUrl="http://x/q")
    made("DeleteQueue", QueueUrl="http://x/q")
    assert repeated(facts) == ["DeleteQueue"]

    made("CreateQueue", QueueName="q")
    assert repeated(facts) == ["DeleteQueue", "CreateQueue"]

    made("DeleteQueue", QueueUrl="http://x/q")
    assert repeated(facts) == ["DeleteQueue"]


def test_deleting_a_part_leaves_the_whole(facts: Facts, made: Callable[..., None]) -> None:
    made("CreateRole", "iam", RoleName="r")
    made("PutRolePolicy", "iam", RoleName="r", PolicyName="p")
    made("DeleteRolePolicy", "iam", RoleName="r", PolicyName="p")

    assert repeated(facts) == ["CreateRole", "PutRolePolicy", "DeleteRolePolicy"]


def test_a_call_that_fails_now_is_named_and_kept(facts: Facts, made: Callable[..., None]) -> None:
    made("TagQueue", QueueUrl="http://x/gone")

    assert ControlCalls(facts, Moto(unknown="gone")).restore() == ["sqs:TagQueue gone"]
    assert repeated(facts) == ["TagQueue"]


def test_what_the_template_s_deployment_calls_is_not_kept(facts: Facts) -> None:
    calls = ControlCalls(facts, Moto())
    calls.after_request({}, Call("sqs", "CreateQueue", "json", {"QueueName": "q"}, None))

    assert repeated(facts) == []


def test_services_without_a_place_here_are_not_kept(facts: Facts, made: Callable[..., None]) -> None:
    made("RunInstances", "ec2")
    made("PutMetricData", "monitoring")

    assert repeated(facts) == []
