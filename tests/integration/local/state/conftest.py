"""A stack with a data directory, to be ended and started again."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sightline_local.runtime import Runtime, RuntimeOptions

TEMPLATE = """
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: things
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: kind, AttributeType: S}
        - {AttributeName: number, AttributeType: N}
      KeySchema: [{AttributeName: kind, KeyType: HASH}, {AttributeName: number, KeyType: RANGE}]
  Files: {Type: AWS::S3::Bucket, Properties: {BucketName: files}}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
  Work:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: work
      VisibilityTimeout: 30
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  News: {Type: AWS::SNS::Topic, Properties: {TopicName: news}}
  Pool: {Type: AWS::Cognito::UserPool, Properties: {UserPoolName: people}}
  PoolClient:
    Type: AWS::Cognito::UserPoolClient
    Properties:
      ClientName: app
      UserPoolId: !Ref Pool
      ExplicitAuthFlows: [ALLOW_ADMIN_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH]
Outputs:
  Pool: {Value: !Ref Pool}
  Client: {Value: !Ref PoolClient}
  Work: {Value: !Ref Work}
  Dead: {Value: !Ref Dead}
  News: {Value: !Ref News}
"""


class Stack:
    """A runtime that can end and start again; `client` is always one of the present one."""

    def __init__(self, options: RuntimeOptions, client_of: Callable[[Runtime], Any]) -> None:
        self.options = options
        self._client_of = client_of
        self._closing = ExitStack()
        self.runtime = self._start()

    def client(self, service: str) -> Any:
        return self._client_of(self.runtime)(service)

    def restart(self, template: str | None = None) -> None:
        """End, and start again, perhaps with another template."""
        self.close()
        if template is not None:
            self.options.template.write_text(template)
        self.runtime = self._start()

    def close(self) -> None:
        self._closing.close()

    def _start(self) -> Runtime:
        runtime = Runtime(self.options)
        self._closing.callback(runtime.stop)
        runtime.start()
        return runtime


@pytest.fixture
def stack(tmp_path: Path, client_of: Callable[[Runtime], Any]) -> Iterator[Stack]:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    options = RuntimeOptions(template=template, data_dir=tmp_path / "data", api_port=0, aws_port=0)
    stack = Stack(options, client_of)
    yield stack
    stack.close()


@pytest.fixture
def without(stack: Stack) -> Callable[[str], str]:
    """The template without one of its resources."""

    def of(name: str) -> str:
        lines = stack.options.template.read_text().split("\n")
        start = next(index for index, line in enumerate(lines) if line.startswith(f"  {name}:"))
        end = next(
            index
            for index, line in enumerate(lines[start + 1 :], start + 1)
            if line[:2] != "  " or line[2] != " "
        )
        return "\n".join(lines[:start] + lines[end:])

    return of
