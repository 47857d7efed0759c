"""A template that is not ours: a shop's orders. The runtime knows CloudFormation, not Sightline.

API → table and queue → worker → state machine, which writes to the table, waits and calls a function.
A schedule counts.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime, RuntimeOptions

Client = Callable[[str], Any]

SHOP = """
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: hello}
  Stage: {Type: String, Default: test, AllowedValues: [test, live]}
Mappings:
  Stages: {test: {days: 1}, live: {days: 7}}
Conditions:
  IsLive: !Equals [!Ref Stage, live]
Globals:
  Function: {CodeUri: shop, Runtime: python3.13, Timeout: 20, Environment: {Variables: {TABLE: !Ref Orders}}}
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 120
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Spoiled.Arn, maxReceiveCount: 3}
  Spoiled: {Type: AWS::SQS::Queue}
  LiveOnly: {Type: AWS::SNS::Topic, Condition: IsLive}

  Take:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.take
      Environment: {Variables: {QUEUE: !Ref Work, GREETING: !Ref Greeting}}
      Policies:
        - Version: '2012-10-17'
          Statement:
            - {Effect: Allow, Action: [dynamodb:PutItem, dynamodb:GetItem], Resource: !GetAtt Orders.Arn}
            - {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Work.Arn}
      Events:
        Order: {Type: HttpApi, Properties: {Path: /orders, Method: POST}}
        Ask: {Type: HttpApi, Properties: {Path: '/orders/{id}', Method: GET}}
  Pack:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.pack
      Environment: {Variables: {MACHINE: !Ref Delivery}}
      Policies:
        - Version: '2012-10-17'
          Statement: [{Effect: Allow, Action: states:StartExecution, Resource: !Ref Delivery}]
      Events:
        Message:
          Type: SQS
          Properties:
            Queue: !GetAtt Work.Arn
            BatchSize: 5
            FunctionResponseTypes: [ReportBatchItemFailures]
  Ring: {Type: AWS::Serverless::Function, Properties: {Handler: app.ring}}
  Count:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.count
      Policies:
        - Version: '2012-10-17'
          Statement:
            - {Effect: Allow, Action: [dynamodb:Scan, dynamodb:PutItem], Resource: !GetAtt Orders.Arn}
      Events:
        Daily: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Input: '{"asked": "daily"}'}}
  Delivery:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: delivery.asl.yaml
      DefinitionSubstitutions:
        Orders: !Ref Orders
        Ring: !GetAtt Ring.Arn
        Queue: !Ref Work
        Seconds: !Sub ['${days}', {days: !FindInMap [Stages, !Ref Stage, days]}]
      Policies:
        - Version: '2012-10-17'
          Statement:
            - {Effect: Allow, Action: dynamodb:UpdateItem, Resource: !GetAtt Orders.Arn}
            - {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt Ring.Arn}
Outputs:
  Url: {Value: !Sub 'https://${ServerlessHttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/orders'}
  Machine: {Value: !Ref Delivery}
  Orders: {Value: !Ref Orders}
  Work: {Value: !Ref Work}
  Spoiled: {Value: !Ref Spoiled}
  Live: {Value: !Ref LiveOnly, Condition: IsLive}
"""
DELIVERY = """
QueryLanguage: JSONata
StartAt: Packed
States:
  Packed:
    Type: Task
    Resource: arn:aws:states:::dynamodb:updateItem
    Arguments: &update
      TableName: ${Orders}
      Key: {id: {S: '{% $states.input.id %}'}}
      UpdateExpression: 'SET #state = :state'
      ExpressionAttributeNames: {'#state': state}
      ExpressionAttributeValues: {':state': {S: packed}}
    Assign: {id: '{% $states.input.id %}'}
    Next: OnTheRoad
  OnTheRoad: {Type: Wait, Seconds: '{% ${Seconds} * 86400 %}', Next: RingTheBell}
  RingTheBell:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments: {FunctionName: '${Ring}', Payload: {id: '{% $id %}'}}
    Retry: [{ErrorEquals: [NobodyHome], IntervalSeconds: 3600, MaxAttempts: 2}]
    Output: '{% $states.result.Payload %}'
    Next: Delivered
  Delivered:
    Type: Task
    Resource: arn:aws:states:::dynamodb:updateItem
    Arguments:
      TableName: ${Orders}
      Key: {id: {S: '{% $id %}'}}
      UpdateExpression: 'SET #state = :state'
      ExpressionAttributeNames: {'#state': state}
      ExpressionAttributeValues: {':state': {S: '{% $states.input.opened %}'}}
    Next: Tell
  Tell:
    Type: Task
    Resource: arn:aws:states:::aws-sdk:sqs:sendMessage
    Arguments: {QueueUrl: '${Queue}', MessageBody: x}
    Catch: [{ErrorEquals: [States.ALL], Output: '{% $states.errorOutput %}', Next: Denied}]
    End: true
  Denied: {Type: Succeed}
""".replace(" &update", "")
APP = """
import json
import os
import pathlib

import boto3

class NobodyHome(Exception):
    pass

def table():
    return boto3.resource("dynamodb").Table(os.environ["TABLE"])

def take(event, context):
    if event["requestContext"]["http"]["method"] == "GET":
        found = table().get_item(Key={"id": event["pathParameters"]["id"]}).get("Item")
        return found or {"statusCode": 404, "body": "no such order"}
    order = json.loads(event["body"])
    new = {"id": order["id"], "state": "taken"}
    table().put_item(Item=new, ConditionExpression="attribute_not_exists(id)")
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=json.dumps(order))
    return {"statusCode": 202, "body": os.environ["GREETING"] + " " + order["id"]}

def pack(event, context):
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        if order.get("broken"):
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        given = {"name": order["id"], "input": json.dumps(order)}
        boto3.client("stepfunctions").start_execution(stateMachineArn=os.environ["MACHINE"], **given)
    return {"batchItemFailures": failed}

def ring(event, context):
    tried = pathlib.Path(__file__).with_name("rang-" + event["id"])
    if event["id"] == "out" and not tried.exists():
        tried.touch()
        raise NobodyHome("nobody opens")
    return {"opened": "delivered"}

def count(event, context):
    items = table().scan(ConsistentRead=True)["Items"]
    table().put_item(Item={"id": "count", "orders": len([i for i in items if i["id"] != "count"]), **event})
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop").mkdir()
    (folder / "shop/app.py").write_text(APP)
    (folder / "delivery.asl.yaml").write_text(DELIVERY)
    (folder / "template.yaml").write_text(SHOP)
    (folder / "samconfig.toml").write_text(
        '[default.deploy.parameters]\nparameter_overrides = "Greeting=moin"\n'
    )
    return folder / "template.yaml"


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def runtime(template: Path, clock: Clock) -> Iterator[Runtime]:
    options = RuntimeOptions(template=template, stack_name="shop", api_port=0, aws_port=0, clock=clock)
    with Runtime(options) as runtime:
        yield runtime


@pytest.fixture(scope="module")
def client(runtime: Runtime, client_of: Callable[[Runtime], Client]) -> Client:
    return client_of(runtime)


@pytest.fixture
def order(runtime: Runtime) -> Callable[..., tuple[int, str]]:
    def order(**content: object) -> tuple[int, str]:
        body = json.dumps(content).encode()
        request = urllib.request.Request(runtime.outputs["Url"], data=body, method="POST")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()

    return order


@pytest.fixture
def state_of(runtime: Runtime) -> Callable[[str], str]:
    def state(order_id: str) -> str:
        with urllib.request.urlopen(f"{runtime.outputs['Url']}/{order_id}", timeout=30) as answer:
            return str(json.load(answer)["state"])

    return state


def eventually(condition: Callable[[], Any]) -> Any:
    for _ in range(1000):
        if found := condition():
            return found
        threading.Event().wait(0.02)
    return pytest.fail("it did not happen within 20 seconds")


@pytest.fixture
def has_had(runtime: Runtime, client: Client) -> Callable[[str, str], None]:
    """Wait until an order's execution has had an event of this type, and rests."""
    states = client("stepfunctions")

    def wait(order_id: str, kind: str) -> None:
        arn = f"{runtime.outputs['Machine'].replace(':stateMachine:', ':execution:')}:{order_id}"
        eventually(lambda: any(execution["name"] == order_id for execution in _executions(states, runtime)))
        eventually(lambda: any(event["type"] == kind for event in _history(states, arn)))
        threading.Event().wait(0.1)

    return wait


def test_an_order_goes_from_the_api_through_queue_and_worker_to_its_delivery_the_next_day(
    order: Callable[..., tuple[int, str]],
    state_of: Callable[[str], str],
    has_had: Callable[[str, str], None],
    clock: Clock,
) -> None:
    assert order(id="book") == (202, "moin book")
    has_had("book", "WaitStateEntered")
    assert state_of("book") == "packed"
    clock.advance(timedelta(days=1))
    eventually(lambda: state_of("book") == "delivered")


def test_a_failed_task_is_tried_again_after_its_interval(
    order: Callable[..., tuple[int, str]],
    state_of: Callable[[str], str],
    has_had: Callable[[str, str], None],
    clock: Clock,
) -> None:
    order(id="out")
    has_had("out", "WaitStateEntered")
    clock.advance(timedelta(days=1))
    has_had("out", "TaskFailed")
    assert state_of("out") == "packed"
    clock.advance(timedelta(hours=1, seconds=1))
    eventually(lambda: state_of("out") == "delivered")


def test_its_state_machine_may_do_what_its_role_says_and_no_more(
    order: Callable[..., tuple[int, str]],
    runtime: Runtime,
    client: Client,
    has_had: Callable[[str, str], None],
    clock: Clock,
) -> None:
    order(id="toy")
    has_had("toy", "WaitStateEntered")
    clock.advance(timedelta(days=1))
    arn = f"{runtime.outputs['Machine'].replace(':stateMachine:', ':execution:')}:toy"
    states = client("stepfunctions")
    eventually(lambda: states.describe_execution(executionArn=arn)["status"] != "RUNNING")
    over = states.describe_execution(executionArn=arn)
    assert (over["status"], over.get("cause")) == ("SUCCEEDED", None)
    assert over["stopDate"] - over["startDate"] >= timedelta(days=1)
    denial = json.loads(over["output"])["Cause"]
    assert "not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:" in denial


def _executions(states: Any, runtime: Runtime) -> list[Any]:
    return list(states.list_executions(stateMachineArn=runtime.outputs["Machine"])["executions"])


def _history(states: Any, arn: str) -> list[Any]:
    return list(states.get_execution_history(executionArn=arn)["events"])


def test_an_order_that_is_there_already_is_refused_by_the_table(
    order: Callable[..., tuple[int, str]],
) -> None:
    order(id="once")
    with pytest.raises(urllib.error.HTTPError, match="500"):
        order(id="once")


def test_a_message_that_the_worker_cannot_use_ends_in_the_dead_letter_queue(
    order: Callable[..., tuple[int, str]], runtime: Runtime, client: Client
) -> None:
    sqs = client("sqs")
    sqs.set_queue_attributes(QueueUrl=runtime.outputs["Work"], Attributes={"VisibilityTimeout": "0"})
    order(id="spoiled", broken=True)
    [message] = eventually(lambda: sqs.receive_message(QueueUrl=runtime.outputs["Spoiled"]).get("Messages"))
    assert json.loads(message["Body"])["id"] == "spoiled"


def test_its_schedule_counts_once_a_day(runtime: Runtime, client: Client, clock: Clock) -> None:
    table = client("dynamodb")
    clock.advance(timedelta(days=1))
    key = {"TableName": runtime.outputs["Orders"], "Key": {"id": {"S": "count"}}}
    counted = eventually(lambda: table.get_item(**key).get("Item"))
    assert counted["asked"] == {"S": "daily"}


def test_what_a_condition_leaves_out_is_not_made(runtime: Runtime, client: Client) -> None:
    assert "Live" not in runtime.outputs
    assert client("sns").list_topics()["Topics"] == []
