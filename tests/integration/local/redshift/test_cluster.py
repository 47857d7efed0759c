"""A provisioned cluster beside a serverless workgroup."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

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
  Network:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: none}
  Subnets:
    Type: AWS::Redshift::ClusterSubnetGroup
    Properties: {Description: none, SubnetIds: [subnet-1]}
  Cluster:
    Type: AWS::Redshift::Cluster
    Properties:
      ClusterIdentifier: older
      ClusterType: single-node
      NodeType: ra3.large
      DBName: dev
      MasterUsername: admin
      MasterUserPassword: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'
      ClusterSubnetGroupName: !Ref Subnets
      VpcSecurityGroupIds: [!GetAtt Network.GroupId]
"""


@pytest.fixture(scope="module")
def client(
    client_of: Callable[[Runtime], Client], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """Of a runtime that keeps nothing, for all tests of this file."""
    template = tmp_path_factory.mktemp("stack") / "template.yaml"
    template.write_text(TEMPLATE)
    with Runtime(RuntimeOptions(template, api_port=0, aws_port=0)) as runtime:
        yield client_of(runtime)


def run(client: Client, sql: str, **place: str) -> dict[str, Any]:
    data = client("redshift-data")
    place = {"Database": "dev", "SecretArn": "login", **(place or {"WorkgroupName": "sights"})}
    started = data.execute_statement(Sql=sql, **place)
    end = time.monotonic() + 20
    while (found := data.describe_statement(Id=started["Id"]))["Status"] not in ("FINISHED", "FAILED"):
        assert time.monotonic() < end, found
    described: dict[str, Any] = found
    return described


def test_a_provisioned_cluster_is_reached_with_a_secret_or_an_identity(client: Client) -> None:
    cluster = client("redshift").describe_clusters(ClusterIdentifier="older")["Clusters"][0]
    assert cluster["Endpoint"]["Address"].startswith("older.")
    assert run(client, "SELECT 1", ClusterIdentifier="older")["Status"] == "FINISHED"

    place = {"ClusterIdentifier": "older", "Database": "dev"}
    answer = client("redshift-data").execute_statement(Sql="SELECT 1", **place)
    assert answer["DbUser"] == "admin"  # the administrator of this machine
    answer = client("redshift-data").execute_statement(Sql="SELECT 1", DbUser="admin", **place)
    assert answer["DbUser"] == "IAM:admin"


def test_load_errors_have_their_older_name_on_a_cluster_only(client: Client) -> None:
    sql = "SELECT filename, err_code FROM stl_load_errors"
    assert run(client, sql, ClusterIdentifier="older")["Status"] == "FINISHED"
    assert run(client, sql)["Status"] == "FAILED"


def test_a_statement_that_runs_can_be_cancelled(client: Client) -> None:
    data = client("redshift-data")
    place = {"WorkgroupName": "sights", "Database": "dev", "SecretArn": "login"}
    numbers = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 100000000)"
    long = data.execute_statement(Sql=f"{numbers} SELECT COUNT(*) FROM r", **place)["Id"]
    assert data.cancel_statement(Id=long)["Status"] is True
    assert data.describe_statement(Id=long)["Status"] == "ABORTED"
    assert run(client, "SELECT 1")["Status"] == "FINISHED"
    assert long in [each["Id"] for each in data.list_statements(Status="ABORTED")["Statements"]]
