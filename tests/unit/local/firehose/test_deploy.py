"""Delivery streams and Glue tables of a template: what reaches the services, what is refused and where."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sightline_local.deploy.site import Site
from sightline_local.deploy.stack import check, deploy
from sightline_local.errors import TemplateError
from sightline_local.template.scope import StackIdentity
from sightline_local.template.template import Template, load_template
from tests.fakes.aws_clients import FakeAws

IDENTITY = StackIdentity("demo", "us-east-1", "123456789012")
Load = Callable[[str], Template]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(resources: str) -> Template:
        file = tmp_path / "template.yaml"
        file.write_text(f"Resources:\n{resources}")
        return load_template(file, IDENTITY, {})

    return load


def made(template: Template) -> FakeAws:
    aws = FakeAws()
    aws.answers["firehose", "CreateDeliveryStream"] = {"DeliveryStreamARN": "arn:stream"}
    nothing: Any = None
    check(template)
    deploy(template, Site(IDENTITY, aws.client, nothing, nothing), lambda: datetime(2026, 1, 1, tzinfo=UTC))
    return aws


def test_texts_of_a_template_become_numbers_and_booleans(load: Load) -> None:
    aws = made(
        load("""
  Out:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      Tags: [{Key: a, Value: b}]
      ExtendedS3DestinationConfiguration:
        BucketARN: arn:aws:s3:::lake
        RoleARN: arn:aws:iam::123456789012:role/hose
        BufferingHints: {SizeInMBs: '64', IntervalInSeconds: '60'}
        ProcessingConfiguration:
          Enabled: 'true'
          Processors:
            - Type: Lambda
              Parameters: [{ParameterName: NumberOfRetries, ParameterValue: 2}]
""")
    )
    given = aws.parameters("firehose", "CreateDeliveryStream")
    assert given["DeliveryStreamName"].startswith("demo-Out-")
    assert "Tags" not in given
    s3 = given["ExtendedS3DestinationConfiguration"]
    assert s3["BufferingHints"] == {"SizeInMBs": 64, "IntervalInSeconds": 60}
    assert s3["ProcessingConfiguration"]["Enabled"] is True
    parameter = s3["ProcessingConfiguration"]["Processors"][0]["Parameters"][0]
    assert parameter == {"ParameterName": "NumberOfRetries", "ParameterValue": "2"}


def test_tables_and_databases_have_names_in_small_letters(load: Load) -> None:
    aws = made(
        load("""
  Lake:
    Type: AWS::Glue::Database
    Properties: {CatalogId: '123456789012', DatabaseInput: {}}
  Sightings:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: '123456789012'
      DatabaseName: !Ref Lake
      TableInput:
        Name: Sightings
        StorageDescriptor: {Columns: [{Name: person, Type: 'array<struct<id:string>>'}]}
""")
    )
    table = aws.parameters("glue", "CreateTable")
    assert table["DatabaseName"] == aws.parameters("glue", "CreateDatabase")["DatabaseInput"]["Name"]
    assert table["DatabaseName"] == table["DatabaseName"].lower()
    assert (table["TableInput"]["Name"], table["TableInput"]["PartitionKeys"]) == ("sightings", [])


@pytest.mark.parametrize(
    ("property_", "problem"),
    [
        ("CompressionFormat: Snappy", "knows ExtendedS3DestinationConfiguration.CompressionFormat"),
        ("S3BackupMode: Enabled", "knows ExtendedS3DestinationConfiguration.S3BackupMode Disabled only"),
        ("S3BackupConfiguration: {}", "does not know the property"),
        (
            "ProcessingConfiguration: {Processors: [{Type: RecordDeAggregation}]}",
            "not RecordDeAggregation",
        ),
        (
            "DataFormatConversionConfiguration: {OutputFormatConfiguration: {Serializer: {OrcSerDe: {}}}}",
            "OutputFormatConfiguration.Serializer.OrcSerDe",
        ),
    ],
)
def test_what_is_not_emulated_is_refused_by_name_and_line(load: Load, property_: str, problem: str) -> None:
    template = load(f"""  Out:
    Type: AWS::KinesisFirehose::DeliveryStream
    Properties:
      ExtendedS3DestinationConfiguration:
        {property_}
""")
    with pytest.raises(TemplateError) as refusal:
        check(template)
    assert str(refusal.value).startswith("template.yaml:6: Out: ")
    assert problem in str(refusal.value)


def test_a_column_of_an_unknown_type_is_refused_with_its_line(load: Load) -> None:
    template = load("""  Sightings:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: '123456789012'
      DatabaseName: lake
      TableInput:
        StorageDescriptor:
          Columns:
            - Name: person
              Type: uniontype<int>
""")
    with pytest.raises(TemplateError) as refusal:
        check(template)
    assert (
        str(refusal.value)
        == "template.yaml:11: Sightings: the local runtime does not know the type uniontype of a column"
    )
