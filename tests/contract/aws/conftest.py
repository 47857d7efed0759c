"""Conformance: each test states one rule of AWS as a sentence, with its source, and the runtime keeps it.

A file that needs resources of its own overrides the fixture `template` (a text) and, for code,
`files` (path → text); a runtime lives as long as its file. Time is moved with `clock.advance`.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions

Client = Callable[[str], Any]
REGION, ACCOUNT = "us-east-1", "123456789012"

_CONFIG = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
_SIGNED_NOW = Config(signature_version="s3v4")  # boto3 would sign URLs of us-east-1 as in 2006

TEMPLATE = """
Resources:
  Nobody:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {AWS: !Ref AWS::AccountId}, Action: sts:AssumeRole}]
"""


@pytest.fixture(autouse=True)
def _a_rule_has_its_source(request: pytest.FixtureRequest) -> None:
    """`@pytest.mark.source("https://…")` at the test or its file, or the address in the test's docstring."""
    marker = request.node.get_closest_marker("source")
    named = [*(marker.args if marker else ()), request.function.__doc__ or ""]
    if not any("https://" in text for text in named):
        pytest.fail("where does AWS say so? a test here names its source", pytrace=False)


@pytest.fixture(scope="module")
def template() -> str:
    """The template of this file; the default has one role without rights."""
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> Mapping[str, str]:
    """Further files beside the template, by their paths: `{"work/app.py": "def handler(…"}`."""
    return {}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def runtime(
    template: str, files: Mapping[str, str], clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("stack")
    for name, text in {"template.yaml": template, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    options = RuntimeOptions(
        template=folder / "template.yaml",
        stack_name="conformance",
        api_port=0,
        aws_port=0,
        log_dir=folder / "logs",
        clock=clock,
    )
    with Runtime(options) as started:
        yield started


@pytest.fixture(scope="module")
def client(runtime: Runtime) -> Client:
    """`client("sqs")`: with the administrator's key."""
    return _clients_at(runtime, {"AccessKeyId": "local", "SecretAccessKey": "local", "SessionToken": None})


@pytest.fixture(scope="module")
def role_with(client: Client) -> Callable[..., str]:
    """`role_with(*statements, trust=…)`: the ARN of a new role; without `trust` its account may assume it."""
    names = iter(range(10_000))

    def make(*statements: Mapping[str, Any], trust: Mapping[str, Any] | None = None) -> str:
        name = f"role-{next(names)}"
        trusted = trust or {"Principal": {"AWS": ACCOUNT}}
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **trusted}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy)
        return str(role["Role"]["Arn"])

    return make


@pytest.fixture(scope="module")
def keys_of(runtime: Runtime, client: Client) -> Callable[..., Client]:
    """`keys_of(role ARN, Policy=…)("sqs")`: boto3 as a session of the role."""

    def lend(role_arn: str, **more: Any) -> Client:
        lent = client("sts").assume_role(RoleArn=role_arn, RoleSessionName="session", **more)
        return _clients_at(runtime, lent["Credentials"])

    return lend


@pytest.fixture(scope="module")
def client_with(role_with: Callable[..., str], keys_of: Callable[..., Client]) -> Callable[..., Client]:
    """`client_with({"Effect": "Allow", "Action": …, "Resource": …})("sqs")`: as a role that may do this."""
    return lambda *statements: keys_of(role_with(*statements))


@pytest.fixture(scope="module")
def run(
    client: Client, role_with: Callable[..., str], until: Callable[..., Any]
) -> Callable[..., dict[str, Any]]:
    """`run(states, input, …)`: a state machine's execution, ended and described; `language` is JSONata."""
    anything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    trust = {"Principal": {"Service": "states.amazonaws.com"}}
    default_role = role_with(anything, trust=trust)
    numbers = iter(range(10_000))

    def run(
        states: Mapping[str, Any],
        given: Any,
        *,
        language: str = "JSONata",
        role: str = default_role,
        wait: bool = True,
        **more: Any,
    ) -> dict[str, Any]:
        definition = {"QueryLanguage": language, "StartAt": next(iter(states)), "States": states, **more}
        name = f"machine-{next(numbers)}"
        sfn = client("stepfunctions")
        machine = sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
        started = sfn.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(given))
        arn = started["executionArn"]
        if wait:
            until(lambda: sfn.describe_execution(executionArn=arn)["status"] != "RUNNING")
        described: dict[str, Any] = sfn.describe_execution(executionArn=arn)
        return described

    return run


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """`until(lambda: …)`: what the condition gives once it gives something; fails after ten seconds."""

    def wait(condition: Callable[[], Any], seconds: float = 10) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.01)
        return pytest.fail(f"it did not happen within {seconds:g} seconds")

    return wait


@pytest.fixture(scope="session")
def refusal() -> Callable[..., ClientError]:
    """`refusal(sqs.send_message, QueueUrl=…)`: the error that AWS would answer; fails when there is none."""

    def refused(call: Callable[..., Any], **given: Any) -> ClientError:
        with pytest.raises(ClientError) as raised:
            call(**given)
        return raised.value

    return refused


def _clients_at(runtime: Runtime, keys: Mapping[str, Any]) -> Client:
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(  # type: ignore[call-overload]
                service,
                endpoint_url=runtime.aws_url,
                region_name=REGION,
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
                config=_CONFIG.merge(_SIGNED_NOW) if service == "s3" else _CONFIG,
            )
        return made[service]

    return client
