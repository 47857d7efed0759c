"""A template that is not ours: API, function, state machine, queue. The runtime knows CloudFormation only."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline_local.runtime import Runtime, RuntimeOptions

Client = Callable[[str], Any]

SMALL = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: hello}
Resources:
  Messages: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 7}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.asl.yaml
      DefinitionSubstitutions: {Worker: !GetAtt Worker.Arn, Queue: !Ref Messages}
      Policies:
        - Version: '2012-10-17'
          Statement:
            - {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Worker.Arn}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: worker
      Handler: app.handler
      Runtime: python3.13
      Environment: {Variables: {GREETING: !Ref Greeting}}
      Events:
        Say: {Type: HttpApi, Properties: {Path: '/say/{name}', Method: GET}}
Outputs:
  Url: {Value: !Sub 'https://${ServerlessHttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/say'}
  Machine: {Value: !Ref Machine}
  Queue: {Value: !Ref Messages}
"""
MACHINE = """
QueryLanguage: JSONata
StartAt: Work
States:
  Work:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: '${Worker}', Payload: {name: '{% $states.input.name %}'}}
    Output: '{% $states.result.Payload %}'
    Next: Send
  Send:
    Type: Task
    Resource: arn:aws:states:::aws-sdk:sqs:sendMessage
    Arguments: {QueueUrl: '${Queue}', MessageBody: x}
    Catch: [{ErrorEquals: [States.ALL], Output: '{% $states.errorOutput %}', Next: Denied}]
    End: true
  Denied: {Type: Succeed}
"""
APP = """
import os
import time

def handler(event, context):
    name = event.get("name") or event["pathParameters"]["name"]
    if name == "slowly":
        time.sleep(3)
    return {"said": os.environ["GREETING"] + " " + name}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "worker").mkdir()
    (folder / "worker/app.py").write_text(APP)
    (folder / "machine.asl.yaml").write_text(MACHINE)
    (folder / "template.yaml").write_text(SMALL)
    (folder / "samconfig.toml").write_text(
        '[default.deploy.parameters]\nparameter_overrides = "Greeting=moin"\n'
    )
    return folder / "template.yaml"


@pytest.fixture(scope="module")
def runtime(template: Path) -> Iterator[Runtime]:
    with Runtime(RuntimeOptions(template=template, stack_name="small", api_port=0, aws_port=0)) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def client(runtime: Runtime, client_of: Callable[[Runtime], Client]) -> Client:
    return client_of(runtime)


def test_its_api_answers_through_its_function(runtime: Runtime) -> None:
    with urllib.request.urlopen(f"{runtime.outputs['Url']}/anna", timeout=30) as answer:
        assert json.load(answer) == {"said": "moin anna"}


def test_its_state_machine_runs_under_its_own_role_only(runtime: Runtime, client: Client) -> None:
    states = client("stepfunctions")
    execution = states.start_execution(stateMachineArn=runtime.outputs["Machine"], input='{"name": "bert"}')[
        "executionArn"
    ]
    for _ in range(600):
        seen = states.describe_execution(executionArn=execution)
        if seen["status"] != "RUNNING":
            break
        threading.Event().wait(0.05)
    assert (seen["status"], seen.get("cause")) == ("SUCCEEDED", None)
    denial = json.loads(seen["output"])["Cause"]
    assert "not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:" in denial


def test_starting_an_execution_again_is_idempotent_while_it_runs(runtime: Runtime, client: Client) -> None:
    states = client("stepfunctions")
    given = {"stateMachineArn": runtime.outputs["Machine"], "name": "once", "input": '{"name": "slowly"}'}

    assert states.start_execution(**given)["executionArn"] == states.start_execution(**given)["executionArn"]


def test_properties_reach_the_service(runtime: Runtime, client: Client) -> None:
    sqs = client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=runtime.outputs["Queue"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "7"
