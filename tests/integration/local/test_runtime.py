"""Beginning and end of the runtime: refusals before anything is started, and nothing left behind."""

import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sightline_local.errors import LocalRuntimeError, PortInUseError, TemplateError
from sightline_local.runtime import Runtime, RuntimeOptions

ClientOf = Callable[[Runtime], Callable[[str], Any]]


def processes_below_this_one() -> set[str]:
    """Command lines of the living children of this process."""
    children = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                children.add((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return children


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


WAITING = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: sts:AssumeRole}]
  Name: {Type: AWS::SNS::Topic}
"""


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    (tmp_path / "template.yaml").write_text(WAITING)
    return tmp_path / "template.yaml"


def start(template: Path, **options: Any) -> Runtime:
    runtime = Runtime(RuntimeOptions(template=template, **{"api_port": 0, "aws_port": 0, **options}))
    runtime.start()
    return runtime


def test_stop_ends_everything_and_may_be_called_again(
    waiting: Path,
    client_of: ClientOf,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    threads = set(threading.enumerate())
    children = processes_below_this_one()
    runtime = start(waiting)
    assert runtime.log_dir in list(temporary.iterdir())
    states = client_of(runtime)("stepfunctions")
    role = client_of(runtime)("iam").list_roles()["Roles"][0]["Arn"]
    wait = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    machine = states.create_state_machine(name="w", definition=json.dumps(wait), roleArn=role)
    states.start_execution(stateMachineArn=machine["stateMachineArn"])

    runtime.stop()
    runtime.stop()

    assert list(temporary.iterdir()) == []
    assert is_free(int(runtime.aws_url.rsplit(":", 1)[1]))
    assert processes_below_this_one() <= children
    alive = {thread for thread in threading.enumerate() if thread not in threads and not thread.daemon}
    assert alive == set()


def test_a_runtime_that_was_stopped_leaves_no_state_to_the_next(waiting: Path, client_of: ClientOf) -> None:
    for _ in range(2):
        runtime = start(waiting)
        try:
            assert len(client_of(runtime)("sns").list_topics()["Topics"]) == 1
        finally:
            runtime.stop()


@pytest.mark.parametrize(("field", "option"), [("api_port", "--port"), ("aws_port", "--aws-port")])
def test_a_port_in_use_is_named_with_the_option_that_changes_it(
    waiting: Path, field: str, option: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError) as refusal:
            start(waiting, **{field: port})
    assert str(port) in str(refusal.value)
    assert option in str(refusal.value)


TOPIC = "Resources:\n  One:\n    Type: AWS::SNS::Topic\n    Properties:\n"
UNKNOWN = "the local runtime does not know"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Resources:\n  One:\n    Type: AWS::EC2::Instance\n", f"template.yaml:3: One: {UNKNOWN} the type"),
        (TOPIC + "      Fancy: 1\n", f"template.yaml:5: One: {UNKNOWN} the property Fancy"),
        (TOPIC + "      DisplayName: !Cidr x\n", f"template.yaml:5: {UNKNOWN} !Cidr"),
    ],
)
def test_a_template_that_cannot_run_here_is_refused_before_anything_is_started(
    tmp_path: Path, text: str, message: str
) -> None:
    children = processes_below_this_one()
    (tmp_path / "template.yaml").write_text(text)
    with pytest.raises(TemplateError) as refusal:
        start(tmp_path / "template.yaml")
    assert str(refusal.value).startswith(message)
    assert processes_below_this_one() <= children


def test_an_aws_profile_that_is_not_configured_here_is_no_hindrance(
    waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-another-machine")
    start(waiting).stop()
    assert os.environ["AWS_PROFILE"] == "of-another-machine"


def test_a_start_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    children = processes_below_this_one()
    again = """
  Again:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: states.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: ['arn:aws:iam::aws:policy/NoSuch']
"""
    (tmp_path / "template.yaml").write_text(WAITING + again)
    with pytest.raises(LocalRuntimeError, match=r"^Again \(AWS::IAM::Role\) could not be made: "):
        start(tmp_path / "template.yaml")
    assert processes_below_this_one() <= children
    (tmp_path / "template.yaml").write_text(WAITING)
    start(tmp_path / "template.yaml").stop()
