"""What of a warehouse survives an end, and a deployment that fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sightline_local.cloud.redshift.database import Database
from sightline_local.cloud.redshift.session import Session
from sightline_local.errors import DeployError
from sightline_local.runtime import Runtime, RuntimeOptions

Client = Callable[[str], Any]

TEMPLATE = """
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: login
      GenerateSecretString:
        SecretStringTemplate: '{"username": "admin"}'
        GenerateStringKey: password
        ExcludePunctuation: true
  Namespace:
    Type: AWS::RedshiftServerless::Namespace
    Properties:
      NamespaceName: sights
      AdminUserPassword: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'
  Workgroup:
    Type: AWS::RedshiftServerless::Workgroup
    Properties: {WorkgroupName: sights, NamespaceName: !Ref Namespace}
"""

FAILING = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Schema:
    Type: Custom::Schema
    Properties: {ServiceToken: !GetAtt Apply.Arn, ServiceTimeout: 2}
  Apply:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: apply, Handler: app.handler, Runtime: python3.13, Timeout: 30}
"""

ANSWER = """
import json, urllib.request

def handler(event, context):
    same = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    status = event["ResourceProperties"].get("Status", "FAILED")
    answer = {"Status": status, "Reason": "no table", "PhysicalResourceId": "schema", **same}
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT")
    urllib.request.urlopen(request).read()
"""


@pytest.fixture
def started(tmp_path: Path, client_of: Callable[[Runtime], Client]) -> Iterator[Callable[..., Client]]:
    """`started(template)`: clients of a runtime with the one data directory; the one before it ends."""
    running: list[Runtime] = []

    def start(template: str = TEMPLATE) -> Client:
        while running:
            running.pop().stop()
        (tmp_path / "template.yaml").write_text(template)
        runtime = Runtime(
            RuntimeOptions(tmp_path / "template.yaml", api_port=0, aws_port=0, data_dir=tmp_path / "data")
        )
        runtime.start()
        running.append(runtime)
        return client_of(runtime)

    yield start
    for runtime in running:
        runtime.stop()


def run(client: Client, sql: str, **place: str) -> dict[str, Any]:
    data = client("redshift-data")
    place = {"Database": "dev", "SecretArn": "login", **(place or {"WorkgroupName": "sights"})}
    started = data.execute_statement(Sql=sql, **place)
    end = time.monotonic() + 20
    while (found := data.describe_statement(Id=started["Id"]))["Status"] not in ("FINISHED", "FAILED"):
        assert time.monotonic() < end, found
    described: dict[str, Any] = found
    return described


def test_rows_statements_and_the_secret_are_there_after_a_restart(started: Callable[..., Client]) -> None:
    client = started()
    before = client("secretsmanager").get_secret_value(SecretId="login")
    run(client, "CREATE TABLE t (a INTEGER, b VARCHAR(3))")
    kept = run(client, "INSERT INTO t VALUES (1, 'x')")

    client = started()
    after = client("secretsmanager").get_secret_value(SecretId="login")
    assert (before["ARN"], before["SecretString"]) == (after["ARN"], after["SecretString"])
    assert client("redshift-data").describe_statement(Id=kept["Id"])["Status"] == "FINISHED"
    selected = run(client, "SELECT a FROM t")
    result = client("redshift-data").get_statement_result(Id=selected["Id"])
    assert result["Records"] == [[{"longValue": 1}]]
    assert run(client, "INSERT INTO t VALUES (2, 'long')")["Status"] == "FAILED"


def test_a_custom_resource_that_fails_ends_the_deployment_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "apply").mkdir()
    (tmp_path / "apply/app.py").write_text(ANSWER)
    (tmp_path / "template.yaml").write_text(FAILING)
    with pytest.raises(DeployError, match=r"Message returned: no table \(RequestId"):
        Runtime(RuntimeOptions(tmp_path / "template.yaml", api_port=0, aws_port=0)).start()


def test_a_custom_resource_is_made_at_every_start(tmp_path: Path, started: Callable[..., Client]) -> None:
    (tmp_path / "apply").mkdir()
    (tmp_path / "apply/app.py").write_text(ANSWER)
    template = FAILING.replace("ServiceTimeout: 2", "ServiceTimeout: 20, Status: SUCCESS")
    for _ in range(2):
        client = started(template)
        resource = client("cloudformation").describe_stack_resource(
            StackName="sightline", LogicalResourceId="Schema"
        )
        assert resource["StackResourceDetail"]["PhysicalResourceId"] == "schema"


def test_what_was_committed_survives_the_death_of_the_process(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from sightline_local.cloud.redshift.database import Database\n"
        "from sightline_local.cloud.redshift.session import Session\n"
        "session = Session(Database('dev', Path(sys.argv[1])), 'admin', lambda s, q: 0)\n"
        "session.run(['CREATE TABLE t (a INT)', 'INSERT INTO t VALUES (1)'])\n"
        "os.kill(os.getpid(), 9)\n"
    )
    file = tmp_path / "dev.duckdb"
    ended = subprocess.run([sys.executable, "-c", program, str(file)], check=False, env=os.environ)
    assert ended.returncode == -signal.SIGKILL
    session = Session(Database("dev", file), "admin", lambda _session, _sql: 0)
    assert session.run(["SELECT a FROM t"])[0].rows == [(1,)]
