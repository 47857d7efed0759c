"""A custom resource with a data directory: its function is called, and answers, while all others wait."""

import time

import pytest

from tests.integration.local.state.conftest import Stack

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: k, AttributeType: S}]
      KeySchema: [{AttributeName: k, KeyType: HASH}]
  Provider:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: provider
      Handler: app.handler
      Runtime: python3.13
      Policies:
        - Version: '2012-10-17'
          Statement: [{Effect: Allow, Action: 'dynamodb:UpdateItem', Resource: !GetAtt Things.Arn}]
  Count: {Type: Custom::Count, Properties: {ServiceToken: !GetAtt Provider.Arn, Version: one}}
Outputs:
  Said: {Value: !GetAtt Count.Said}
"""
PROVIDER = """
import json
import urllib.request

import boto3

def handler(event, context):
    boto3.client("dynamodb").update_item(
        TableName="things",
        Key={"k": {"S": "calls"}},
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"Status": "SUCCESS", "PhysicalResourceId": "p", "Data": {"Said": "hello"}}
    body = json.dumps(answer).encode()
    urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], body, method="PUT"))
"""


@pytest.fixture
def provider(stack: Stack) -> None:
    folder = stack.options.template.parent / "provider"
    folder.mkdir()
    (folder / "app.py").write_text(PROVIDER)


def calls(stack: Stack) -> str:
    item = stack.client("dynamodb").get_item(TableName="things", Key={"k": {"S": "calls"}})["Item"]
    return str(item["n"]["N"])


@pytest.mark.usefixtures("provider")
def test_a_custom_resource_is_made_while_others_wait(stack: Stack) -> None:
    began = time.monotonic()

    stack.restart(TEMPLATE)

    assert time.monotonic() - began < 30
    assert calls(stack) == "1"


@pytest.mark.usefixtures("provider")
def test_its_function_is_not_called_again_until_its_properties_change(stack: Stack) -> None:
    stack.restart(TEMPLATE)
    stack.restart()
    assert calls(stack) == "1"
    assert stack.runtime.outputs["Said"] == "hello"

    stack.client("dynamodb").delete_item(TableName="things", Key={"k": {"S": "calls"}})
    stack.restart(TEMPLATE.replace("Version: one", "Version: two"))

    assert calls(stack) == "1"
