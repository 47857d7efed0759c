"""Amazon Data Firehose into Redshift: objects, manifests, COPY, and what becomes of failures."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline_local.clock import Clock
from sightline_local.runtime import Runtime

Client = Callable[[str], Any]

DOCS = "https://docs.aws.amazon.com/firehose/latest/dev/"
DELIVERY = f"{DOCS}basic-deliver.html"
RETRY = f"{DOCS}retry.html"
DESTINATION = f"{DOCS}create-destination.html#create-destination-redshift"

TEMPLATE = """
Resources:
  Stage: {Type: AWS::S3::Bucket, Properties: {BucketName: stage}}
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties: {SecretString: '{"username": "loader", "password": "Secret-1x"}'}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: [{Effect: Allow, Principal: {Service: firehose.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - {Effect: Allow, Action: 's3:*', Resource: [!GetAtt Stage.Arn, !Sub '${Stage.Arn}/*']}
              - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Secret}
  Namespace:
    Type: AWS::RedshiftServerless::Namespace
    Properties: {NamespaceName: shop, DbName: dev, AdminUsername: loader, AdminUserPassword: Secret-1x}
  Workgroup:
    Type: AWS::RedshiftServerless::Workgroup
    Properties: {WorkgroupName: shop, NamespaceName: !Ref Namespace, PubliclyAccessible: true}
  Deployed:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      DeliveryStreamName: deployed
      RedshiftDestinationConfiguration:
        RoleARN: !GetAtt Role.Arn
        ClusterJDBCURL: !Sub >-
          jdbc:redshift://${Workgroup.Workgroup.Endpoint.Address}:${Workgroup.Workgroup.Endpoint.Port}/dev
        CopyCommand:
          DataTableName: public.sightings
          DataTableColumns: person, score
          CopyOptions: JSON 'auto' GZIP
        RetryOptions: {DurationInSeconds: '600'}
        SecretsManagerConfiguration: {Enabled: true, SecretARN: !Ref Secret, RoleARN: !GetAtt Role.Arn}
        S3Configuration:
          BucketARN: !GetAtt Stage.Arn
          RoleARN: !GetAtt Role.Arn
          Prefix: deployed/
          CompressionFormat: GZIP
          BufferingHints: {SizeInMBs: 1, IntervalInSeconds: 60}
Outputs:
  Role: {Value: !GetAtt Role.Arn}
  Url: {Value: !Sub 'jdbc:redshift://${Workgroup.Workgroup.Endpoint.Address}:5439/dev'}
"""


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


class Hose:
    """A delivery stream into the warehouse, and both ends of it."""

    def __init__(self, runtime: Runtime, client: Client, clock: Clock, until: Callable[..., Any]) -> None:
        self.outputs = runtime.outputs
        self.api, self.s3, self.data = client("firehose"), client("s3"), client("redshift-data")
        self.clock = clock
        self.until = until

    def create(self, name: str, **changes: Any) -> None:
        bucket = {"BucketARN": "arn:aws:s3:::stage", "RoleARN": self.outputs["Role"], "Prefix": f"{name}/"}
        wanted = {
            "RoleARN": self.outputs["Role"],
            "ClusterJDBCURL": self.outputs["Url"],
            "CopyCommand": {"DataTableName": "sightings", "CopyOptions": "JSON 'auto'"},
            "Username": "loader",
            "Password": "Secret-1x",
            "RetryOptions": {"DurationInSeconds": 600},
            "S3Configuration": {**bucket, "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 60}},
            **changes,
        }
        self.api.create_delivery_stream(DeliveryStreamName=name, RedshiftDestinationConfiguration=wanted)

    def put(self, name: str, *rows: Mapping[str, Any]) -> None:
        for row in rows:
            self.api.put_record(DeliveryStreamName=name, Record={"Data": json.dumps(row).encode()})

    def minutes_until(self, condition: Callable[[], Any]) -> Any:
        """Let the time of buffers and retries pass until it is so."""

        def after_a_minute() -> Any:
            self.clock.advance(timedelta(seconds=61))
            return condition()

        return self.until(after_a_minute)

    def keys(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket="stage", Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in listed]

    def read(self, key: str) -> Any:
        return json.loads(self.s3.get_object(Bucket="stage", Key=key)["Body"].read())

    def sql(self, text: str) -> list[list[Any]]:
        started = self.data.execute_statement(WorkgroupName="shop", Database="dev", Sql=text)
        described = self.until(lambda: self._ended(started["Id"]))
        assert described["Status"] == "FINISHED", described.get("Error")
        if not described["HasResultSet"]:
            return []
        rows = self.data.get_statement_result(Id=started["Id"])["Records"]
        return [[next(iter(field.values())) for field in row] for row in rows]

    def _ended(self, statement: str) -> Any:
        described = self.data.describe_statement(Id=statement)
        return described if described["Status"] in ("FINISHED", "FAILED") else None

    def loaded(self, person: str) -> Any:
        """Wait for a person's rows."""
        text = f"SELECT person, score FROM sightings WHERE person = '{person}'"
        return self.minutes_until(lambda: self.sql(text))


@pytest.fixture
def hose(runtime: Runtime, client: Client, clock: Clock, until: Callable[..., Any]) -> Iterator[Hose]:
    made = Hose(runtime, client, clock, until)
    made.sql("CREATE TABLE IF NOT EXISTS sightings (person VARCHAR(64), score DOUBLE PRECISION)")
    yield made
    for name in made.api.list_delivery_streams()["DeliveryStreamNames"]:
        if name != "deployed":
            made.api.delete_delivery_stream(DeliveryStreamName=name)


@pytest.mark.source(DELIVERY)
def test_records_go_to_the_bucket_and_from_there_by_copy_into_the_table(hose: Hose) -> None:
    hose.put("deployed", {"person": "ada", "score": 98.5, "more": 1})
    assert hose.loaded("ada") == [["ada", 98.5]]
    (manifest,) = hose.keys("deployed/manifests/")
    (entry,) = hose.read(manifest)["entries"]
    assert entry["mandatory"] is True
    assert entry["url"].removeprefix("s3://stage/") in hose.keys("deployed/2")
    assert entry["url"].endswith(".gz")


@pytest.mark.source(RETRY)
def test_a_copy_that_fails_is_tried_again_until_it_succeeds(hose: Hose) -> None:
    hose.create("early", CopyCommand={"DataTableName": "early", "CopyOptions": "JSON 'auto'"})
    hose.put("early", {"person": "bob"})
    hose.minutes_until(lambda: hose.keys("early/manifests/"))

    hose.sql("CREATE TABLE early (person VARCHAR(64))")

    hose.minutes_until(lambda: hose.sql("SELECT person FROM early"))
    assert hose.keys("early/errors/") == []


@pytest.mark.source(RETRY)
def test_after_the_retry_duration_the_objects_are_named_in_a_manifest_of_errors(hose: Hose) -> None:
    hose.create("lost", CopyCommand={"DataTableName": "nothing", "CopyOptions": "JSON 'auto'"})
    hose.put("lost", {"person": "eve"})
    errors = hose.minutes_until(lambda: hose.keys("lost/errors/manifests/"))
    (entry,) = hose.read(errors[0])["entries"]
    assert hose.read(entry["url"].removeprefix("s3://stage/")) == {"person": "eve"}


@pytest.mark.source(DESTINATION)
def test_a_retry_duration_of_zero_gives_up_at_once(hose: Hose) -> None:
    hose.create("once", Password="Wrong-pass1", RetryOptions={"DurationInSeconds": 0})
    hose.put("once", {"person": "eve"})
    assert hose.minutes_until(lambda: hose.keys("once/errors/manifests/"))


@pytest.mark.source("https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html#prefix-rules")
def test_the_bucket_s_prefix_has_no_expressions_and_there_is_no_error_prefix(
    hose: Hose, refusal: Callable[..., ClientError]
) -> None:
    bucket = {"BucketARN": "arn:aws:s3:::stage", "RoleARN": hose.outputs["Role"]}
    for wrong in ({"Prefix": "!{timestamp:yyyy}/"}, {"ErrorOutputPrefix": "errors/"}):
        error = refusal(hose.create, name="wrong", S3Configuration={**bucket, **wrong})
        assert next(iter(wrong)) in error.response["Error"]["Message"]


@pytest.mark.source(
    "https://docs.aws.amazon.com/firehose/latest/APIReference/API_RedshiftDestinationDescription.html"
)
def test_the_password_is_not_described(hose: Hose) -> None:
    hose.create("quiet")
    shown = hose.api.describe_delivery_stream(DeliveryStreamName="quiet")["DeliveryStreamDescription"]
    assert "Secret-1x" not in str(shown)
    destination = shown["Destinations"][0]["RedshiftDestinationDescription"]
    assert (destination["Username"], destination["ClusterJDBCURL"]) == ("loader", hose.outputs["Url"])
