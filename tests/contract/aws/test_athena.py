"""Athena: workgroups and saved queries. Queries are not run here, and nothing pretends to."""

from collections.abc import Callable
from typing import Any

import pytest

API = "https://docs.aws.amazon.com/athena/latest/APIReference"
RESOURCES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"

Client = Callable[[str], Any]
TEMPLATE = """
Resources:
  Answers: {Type: AWS::S3::Bucket}
  Analysts:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: analysts
      Description: Questions
      WorkGroupConfiguration:
        BytesScannedCutoffPerQuery: '10000000'
        EnforceWorkGroupConfiguration: true
        ResultConfiguration: {OutputLocation: !Sub 's3://${Answers}/answers/'}
  Busiest:
    Type: AWS::Athena::NamedQuery
    Properties: {Name: Busiest, Database: lake, WorkGroup: !Ref Analysts, QueryString: SELECT 1}
Outputs:
  Query: {Value: !Ref Busiest}
"""


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def athena(client: Client) -> Any:
    return client("athena")


@pytest.mark.source(f"{RESOURCES}/aws-resource-athena-workgroup.html")
def test_a_workgroup_is_kept_as_the_template_has_it(athena: Any) -> None:
    workgroup = athena.get_work_group(WorkGroup="analysts")["WorkGroup"]

    assert (workgroup["Name"], workgroup["State"], workgroup["Description"]) == (
        "analysts",
        "ENABLED",
        "Questions",
    )
    assert workgroup["Configuration"]["BytesScannedCutoffPerQuery"] == 10_000_000


@pytest.mark.source(f"{RESOURCES}/aws-resource-athena-namedquery.html")
def test_a_saved_query_is_found_by_its_id_and_in_its_workgroup(athena: Any, runtime: Any) -> None:
    saved = athena.get_named_query(NamedQueryId=runtime.outputs["Query"])["NamedQuery"]

    assert (saved["Name"], saved["Database"], saved["QueryString"]) == ("Busiest", "lake", "SELECT 1")
    listed = athena.list_named_queries(WorkGroup="analysts")["NamedQueryIds"]
    assert listed == [runtime.outputs["Query"]]


@pytest.mark.source(f"{API}/API_StartQueryExecution.html")
def test_a_query_is_refused_and_not_answered_with_made_up_rows(
    athena: Any, refusal: Callable[..., Any]
) -> None:
    """Here only."""
    error = refusal(athena.start_query_execution, QueryString="SELECT 1", WorkGroup="analysts")

    assert error.response["Error"]["Code"] == "InvalidRequestException"
    assert "runs no queries" in error.response["Error"]["Message"]
    error = refusal(athena.delete_work_group, WorkGroup="analysts")
    assert "athena:DeleteWorkGroup" in error.response["Error"]["Message"]
