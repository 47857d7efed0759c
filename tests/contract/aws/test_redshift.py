"""Amazon Redshift Serverless, its Data API, COPY, and what CloudFormation needs around a warehouse."""

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]
Refusal = Callable[..., ClientError]
Run = Callable[..., dict[str, Any]]
Rows = Callable[[str], list[list[Any]]]

EXECUTE = "https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html"
BATCH = "https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_BatchExecuteStatement.html"
RESULT = "https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_GetStatementResult.html"
CALLING = "https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html"
ACCESS = "https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html"
COPY_JSON = "https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html"
COPY_LOAD = "https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-load.html"
COPY_CONVERT = "https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-conversion.html"
COPY_MANIFEST = "https://docs.aws.amazon.com/redshift/latest/dg/loading-data-files-using-manifest.html"
COPY_ROLE = "https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-authorization.html"
LOAD_ERRORS = "https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html"
MERGE = "https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html"
CONSTRAINTS = "https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html"
CREATE_TABLE = "https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html"
TEXT = "https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html"
PRIVILEGES = "https://docs.aws.amazon.com/redshift/latest/dg/r_Privileges.html"
TRUNCATE = "https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html"
NAMES = "https://docs.aws.amazon.com/redshift/latest/dg/r_names.html"
DYNAMIC = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html"
)
GENERATE = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/"
    "aws-properties-secretsmanager-secret-generatesecretstring.html"
)
CUSTOM_REQUEST = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html"
CUSTOM_RESPONSE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html"

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString:
        SecretStringTemplate: '{"username": "loader"}'
        GenerateStringKey: password
        PasswordLength: 40
        ExcludePunctuation: true
  Namespace:
    Type: AWS::RedshiftServerless::Namespace
    Properties:
      NamespaceName: sights
      DbName: sights
      AdminUsername: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:username}}'
      AdminUserPassword: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password}}'
      DefaultIamRoleArn: !GetAtt LoadRole.Arn
      IamRoles: [!GetAtt LoadRole.Arn]
  Workgroup:
    Type: AWS::RedshiftServerless::Workgroup
    Properties:
      WorkgroupName: sights
      NamespaceName: !Ref Namespace
      BaseCapacity: 8
      PubliclyAccessible: true
  LoadRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - {Effect: Allow, Principal: {Service: redshift-serverless.amazonaws.com}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - {Effect: Allow, Action: s3:GetObject, Resource: !Sub '${Files.Arn}/*'}
              - {Effect: Allow, Action: s3:ListBucket, Resource: !GetAtt Files.Arn}
  Files:
    Type: AWS::S3::Bucket
    Properties: {BucketName: sights-files}
  Schema:
    Type: Custom::Schema
    Properties:
      ServiceToken: !GetAtt Apply.Arn
      ServiceTimeout: 60
      Workgroup: !Ref Workgroup
      SecretArn: !Ref Secret
      Version: 3
      Checked: true
  Apply:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: apply
      Handler: app.handler
      Runtime: python3.13
      Timeout: 60
      Policies:
        - Statement:
            - Effect: Allow
              Action: redshift-data:ExecuteStatement
              Resource: !GetAtt Workgroup.Workgroup.WorkgroupArn
            - {Effect: Allow, Action: redshift-data:DescribeStatement, Resource: '*'}
            - {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref Secret}
Outputs:
  Secret: {Value: !Ref Secret}
  WorkgroupArn: {Value: !GetAtt Workgroup.Workgroup.WorkgroupArn}
  Endpoint: {Value: !GetAtt Workgroup.Workgroup.Endpoint.Address}
  LoadRole: {Value: !GetAtt LoadRole.Arn}
  SchemaVersion: {Value: !GetAtt Schema.Version}
  SchemaEvent: {Value: !GetAtt Schema.Event}
  SchemaId: {Value: !Ref Schema}
"""

APPLY = """
import json, time, urllib.request
import boto3

def handler(event, context):
    wanted = event["ResourceProperties"]
    data = boto3.client("redshift-data")
    sql = "CREATE TABLE IF NOT EXISTS made_by_custom_resource (version INTEGER)"
    started = data.execute_statement(
        WorkgroupName=wanted["Workgroup"], Database="sights", SecretArn=wanted["SecretArn"], Sql=sql
    )
    while (found := data.describe_statement(Id=started["Id"]))["Status"] not in ("FINISHED", "FAILED"):
        time.sleep(0.05)
    shown = {key: value for key, value in event.items() if key != "ResponseURL"}
    answer = {
        "Status": "SUCCESS" if found["Status"] == "FINISHED" else "FAILED",
        "Reason": found.get("Error", ""),
        "PhysicalResourceId": "schema-3",
        "Data": {"Version": wanted["Version"], "Event": json.dumps(shown)},
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], data=body, method="PUT")
    request.add_header("Content-Type", "")
    urllib.request.urlopen(request).read()
"""


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def files() -> Mapping[str, str]:
    return {"apply/app.py": APPLY}


@pytest.fixture(scope="module")
def outputs(client: Client) -> dict[str, str]:
    stack = client("cloudformation").describe_stacks(StackName="conformance")["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


@pytest.fixture(scope="module")
def place(outputs: dict[str, str]) -> dict[str, str]:
    """How the administrator of the warehouse is reached."""
    return {"WorkgroupName": "sights", "Database": "sights", "SecretArn": outputs["Secret"]}


@pytest.fixture(scope="module")
def run(client: Client, place: dict[str, str], until: Callable[..., Any]) -> Run:
    """`run("SELECT …")`: the description of the ended statement, or of a batch of several."""
    data = client("redshift-data")

    def run(*sqls: str, **more: Any) -> dict[str, Any]:
        if len(sqls) == 1:
            started = data.execute_statement(Sql=sqls[0], **place, **more)
        else:
            started = data.batch_execute_statement(Sqls=list(sqls), **place, **more)
        ended = ("FINISHED", "FAILED", "ABORTED")
        until(lambda: data.describe_statement(Id=started["Id"])["Status"] in ended)
        described: dict[str, Any] = data.describe_statement(Id=started["Id"])
        return described

    return run


@pytest.fixture(scope="module")
def rows(client: Client, run: Run) -> Rows:
    """`rows("SELECT …")`: the values of the result."""

    def rows(sql: str) -> list[list[Any]]:
        described = run(sql)
        assert described["Status"] == "FINISHED", described
        result = client("redshift-data").get_statement_result(Id=described["Id"])
        return [
            [None if "isNull" in field else next(iter(field.values())) for field in record]
            for record in result["Records"]
        ]

    return rows


@pytest.fixture
def load(client: Client, run: Run) -> Callable[..., dict[str, Any]]:
    """`load("table", objects, "options")`: a COPY of a GZIP object by a manifest."""

    def load(target: str, objects: list[Any], options: str = "JSON 'auto'") -> dict[str, Any]:
        s3 = client("s3")
        body = "".join(each if isinstance(each, str) else json.dumps(each) for each in objects)
        s3.put_object(Bucket="sights-files", Key="rows.gz", Body=gzip.compress(body.encode()))
        entries = [{"url": "s3://sights-files/rows.gz", "mandatory": True}]
        s3.put_object(Bucket="sights-files", Key="manifest", Body=json.dumps({"entries": entries}).encode())
        return run(
            f"COPY {target} FROM 's3://sights-files/manifest' IAM_ROLE default MANIFEST GZIP {options}"
        )

    return load


@pytest.mark.source(DYNAMIC)
def test_a_dynamic_reference_is_the_value_of_a_secrets_key(client: Client) -> None:
    namespace = client("redshift-serverless").get_namespace(namespaceName="sights")["namespace"]
    assert namespace["adminUsername"] == "loader"


@pytest.mark.source(GENERATE)
def test_a_generated_secret_adds_the_password_to_its_template(
    client: Client, outputs: dict[str, str]
) -> None:
    text = client("secretsmanager").get_secret_value(SecretId=outputs["Secret"])["SecretString"]
    secret = json.loads(text)
    assert secret["username"] == "loader"
    assert len(secret["password"]) == 40
    assert secret["password"].isalnum()


@pytest.mark.source(
    "https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_CreateNamespace.html"
)
@pytest.mark.parametrize("password", ["Short1", "nouppercase1", "With/Slash1", "With@Sign1", 'With"Quote1'])
def test_some_passwords_cannot_be_the_admins(client: Client, refusal: Refusal, password: str) -> None:
    create = client("redshift-serverless").create_namespace
    error = refusal(create, namespaceName="refused", adminUsername="a", adminUserPassword=password)
    assert error.response["Error"]["Code"] == "ValidationException"


@pytest.mark.source(CUSTOM_REQUEST)
def test_a_custom_resource_gets_its_properties_as_texts(outputs: dict[str, str]) -> None:
    event = json.loads(outputs["SchemaEvent"])
    assert event["RequestType"] == "Create"
    assert event["ResourceType"] == "Custom::Schema"
    assert event["LogicalResourceId"] == "Schema"
    assert event["ResourceProperties"]["Version"] == "3"
    assert event["ResourceProperties"]["Checked"] == "true"


@pytest.mark.source(CUSTOM_RESPONSE)
def test_ref_and_get_att_of_a_custom_resource_are_what_its_provider_answered(outputs: dict[str, str]) -> None:
    assert outputs["SchemaId"] == "schema-3"
    assert outputs["SchemaVersion"] == "3"


@pytest.mark.source(EXECUTE)
def test_a_statement_runs_after_its_id_was_returned_and_is_described_when_it_ended(run: Run) -> None:
    described = run("SELECT 1 AS one", StatementName="first")
    assert described["Status"] == "FINISHED"
    assert described["HasResultSet"] is True
    assert described["ResultRows"] == 1
    assert described["QueryString"] == "SELECT 1 AS one"
    assert described["WorkgroupName"] == "sights"


@pytest.mark.source(RESULT)
def test_a_result_has_typed_fields_and_lower_case_column_names(client: Client, run: Run) -> None:
    sql = """SELECT 1 AS Number, 1.5::DOUBLE PRECISION AS x, 'a' AS t, true AS b, NULL AS n,
             1.25::DECIMAL(6,3) AS d, '2026-11-22 20:00:00.5'::TIMESTAMP AS at, COUNT(*) FROM (SELECT 1)"""
    result = client("redshift-data").get_statement_result(Id=run(sql)["Id"])
    names = [column["name"] for column in result["ColumnMetadata"]]
    assert names == ["number", "x", "t", "b", "n", "d", "at", "count"]
    assert result["Records"][0] == [
        {"longValue": 1},
        {"doubleValue": 1.5},
        {"stringValue": "a"},
        {"booleanValue": True},
        {"isNull": True},
        {"stringValue": "1.250"},
        {"stringValue": "2026-11-22 20:00:00.5"},
        {"longValue": 1},
    ]


@pytest.mark.source(RESULT)
def test_a_statement_without_rows_has_no_result(client: Client, run: Run, refusal: Refusal) -> None:
    described = run("CREATE TABLE without_rows (a INTEGER)")
    assert described["HasResultSet"] is False
    error = refusal(client("redshift-data").get_statement_result, Id=described["Id"])
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.source(CALLING)
def test_parameters_are_values_by_name(client: Client, run: Run) -> None:
    described = run(
        "SELECT :name AS name WHERE 7 > :number",
        Parameters=[{"name": "name", "value": "it's"}, {"name": "number", "value": "5"}],
    )
    result = client("redshift-data").get_statement_result(Id=described["Id"])
    assert result["Records"] == [[{"stringValue": "it's"}]]


@pytest.mark.source(CALLING)
def test_a_parameter_that_is_not_used_is_refused(
    client: Client, place: dict[str, str], refusal: Refusal
) -> None:
    parameters = [{"name": "a", "value": "1"}]
    error = refusal(client("redshift-data").execute_statement, Sql="SELECT 1", Parameters=parameters, **place)
    assert error.response["Error"]["Code"] == "ValidationException"


@pytest.mark.source("https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListStatements.html")
def test_statements_are_listed_when_they_finished_unless_others_are_asked_for(
    client: Client, run: Run
) -> None:
    failed, finished = (
        run("SELECT wrong", StatementName="l1")["Id"],
        run("SELECT 1", StatementName="l2")["Id"],
    )
    listed = client("redshift-data").list_statements(StatementName="l")["Statements"]
    assert [each["Id"] for each in listed] == [finished]
    listed = client("redshift-data").list_statements(StatementName="l", Status="ALL")["Statements"]
    assert [each["Id"] for each in listed] == [finished, failed]


@pytest.mark.source(EXECUTE)
def test_execute_statement_takes_a_single_statement(run: Run) -> None:
    assert run("SELECT 1; SELECT 2")["Status"] == "FAILED"


@pytest.mark.source(BATCH)
def test_a_batch_is_one_transaction_of_which_nothing_stays_when_a_statement_fails(
    run: Run, rows: Rows
) -> None:
    run("CREATE TABLE batched (a INTEGER)")
    described = run("INSERT INTO batched VALUES (1)", "SELECT nothing FROM nowhere", "SELECT 1")
    assert described["Status"] == "FAILED"
    assert described["Error"].startswith("Query #2 failed with ERROR:")
    assert [part["Status"] for part in described["SubStatements"]] == ["ABORTED", "FAILED", "ABORTED"]
    assert rows("SELECT * FROM batched") == []


@pytest.mark.source(TRUNCATE)
def test_truncate_commits_what_was_done_before_it(run: Run, rows: Rows) -> None:
    run("CREATE TABLE emptied (a INTEGER)")
    run("CREATE TABLE filled (a INTEGER)")
    run("INSERT INTO emptied VALUES (1)")
    run("INSERT INTO filled VALUES (2)", "TRUNCATE emptied", "INSERT INTO filled VALUES (3)", "SELECT wrong")
    assert rows("SELECT * FROM emptied") == []
    assert rows("SELECT * FROM filled") == [[2]]


@pytest.mark.source(RESULT)
def test_each_statement_of_a_batch_has_a_result_of_its_own(
    client: Client, run: Run, refusal: Refusal
) -> None:
    described = run("SELECT 1", "SELECT 2")
    second = client("redshift-data").get_statement_result(Id=described["SubStatements"][1]["Id"])
    assert second["Records"] == [[{"longValue": 2}]]
    refusal(client("redshift-data").get_statement_result, Id=described["Id"])


@pytest.mark.source("https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html")
def test_a_state_machine_calls_the_data_api_as_redshiftdata(
    client: Client, role_with: Callable[..., str], place: dict[str, str], until: Callable[..., Any]
) -> None:
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:redshiftdata:executeStatement",
        "Arguments": {"Sql": "SELECT 1", **place},
        "End": True,
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": "Run", "States": {"Run": state}}
    role = role_with(
        {"Effect": "Allow", "Action": ["redshift-data:*", "secretsmanager:*"], "Resource": "*"},
        trust={"Principal": {"Service": "states.amazonaws.com"}},
    )
    sfn = client("stepfunctions")
    machine = sfn.create_state_machine(name="sql", definition=json.dumps(definition), roleArn=role)
    arn = sfn.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]
    until(lambda: sfn.describe_execution(executionArn=arn)["status"] != "RUNNING")
    described = sfn.describe_execution(executionArn=arn)
    assert described["status"] == "SUCCEEDED", described.get("cause")
    assert json.loads(described["output"])["Id"]


@pytest.mark.source(CALLING)
def test_the_same_client_token_runs_a_statement_once(client: Client, place: dict[str, str]) -> None:
    data = client("redshift-data")
    ids = {data.execute_statement(Sql="SELECT 1", ClientToken="t" * 32, **place)["Id"] for _ in range(2)}
    assert len(ids) == 1


@pytest.mark.source(CALLING)
def test_a_statement_is_known_only_to_the_role_that_submitted_it(
    client_with: Callable[..., Client], run: Run, refusal: Refusal
) -> None:
    other = client_with({"Effect": "Allow", "Action": "redshift-data:*", "Resource": "*"})
    error = refusal(other("redshift-data").describe_statement, Id=run("SELECT 1")["Id"])
    assert error.response["Error"]["Code"] == "ResourceNotFoundException"


@pytest.mark.source(ACCESS)
def test_a_caller_needs_the_right_to_read_the_secret_that_it_names(
    client_with: Callable[..., Client], outputs: dict[str, str], place: dict[str, str], refusal: Refusal
) -> None:
    execute: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "redshift-data:*",
        "Resource": outputs["WorkgroupArn"],
    }
    caller = client_with(execute)
    error = refusal(caller("redshift-data").execute_statement, Sql="SELECT 1", **place)
    assert "secretsmanager:GetSecretValue" in error.response["Error"]["Message"]


@pytest.mark.source(ACCESS)
def test_without_a_secret_the_caller_needs_credentials_of_the_workgroup(
    client_with: Callable[..., Client], outputs: dict[str, str], refusal: Refusal
) -> None:
    execute: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "redshift-data:*",
        "Resource": outputs["WorkgroupArn"],
    }
    credentials: dict[str, Any] = {**execute, "Action": "redshift-serverless:GetCredentials"}
    place = {"WorkgroupName": "sights", "Database": "sights"}
    error = refusal(client_with(execute)("redshift-data").execute_statement, Sql="SELECT 1", **place)
    assert "redshift-serverless:GetCredentials" in error.response["Error"]["Message"]

    answer = client_with(execute, credentials)("redshift-data").execute_statement(Sql="SELECT 1", **place)
    assert answer["DbUser"].startswith("IAMR:role-")


@pytest.mark.source(ACCESS)
def test_a_role_may_execute_in_the_workgroups_that_its_policy_names_by_their_ids(
    client_with: Callable[..., Client], place: dict[str, str], refusal: Refusal
) -> None:
    by_name = "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/sights"
    caller = client_with({"Effect": "Allow", "Action": "*", "Resource": by_name})
    error = refusal(caller("redshift-data").execute_statement, Sql="SELECT 1", **place)
    assert error.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.source(PRIVILEGES)
def test_an_identity_of_iam_may_nothing_with_what_others_own_until_it_is_granted(
    client_with: Callable[..., Client], run: Run, until: Callable[..., Any]
) -> None:
    caller = client_with(
        {"Effect": "Allow", "Action": ["redshift-data:*", "redshift-serverless:*"], "Resource": "*"}
    )
    data = caller("redshift-data")

    def ended(sql: str) -> dict[str, Any]:
        started = data.execute_statement(Sql=sql, WorkgroupName="sights", Database="sights")
        until(lambda: data.describe_statement(Id=started["Id"])["Status"] in ("FINISHED", "FAILED"))
        described: dict[str, Any] = data.describe_statement(Id=started["Id"])
        return described

    run("CREATE TABLE guarded (a INTEGER)")
    denied = ended("SELECT a FROM guarded")
    assert denied["Error"] == "ERROR: permission denied for relation guarded"
    assert "permission denied for database" in ended("CREATE SCHEMA theirs")["Error"]

    run(f'GRANT SELECT ON guarded TO "{denied["DbUser"]}"')
    assert ended("SELECT a FROM guarded")["Status"] == "FINISHED"


@pytest.mark.source("https://docs.aws.amazon.com/redshift/latest/dg/query-super.html")
def test_super_is_navigated_and_its_lists_are_rows(run: Run, rows: Rows) -> None:
    document = '{"who": {"id": "a"}, "boxes": [{"x": 1}, {"x": 2}], "Big": 1}'
    run("CREATE TABLE documents (payload SUPER)")
    run(f"INSERT INTO documents SELECT JSON_PARSE('{document}')")
    ways = "d.payload.who.id::VARCHAR, d.payload.boxes[1].x::INTEGER, d.payload.Big::INTEGER"
    assert rows(f"SELECT {ways}, d.payload.no.where FROM documents d") == [["a", 2, None, None]]
    assert rows("SELECT b.x::INTEGER FROM documents d, d.payload.boxes b ORDER BY 1") == [[1], [2]]


@pytest.mark.source(NAMES)
def test_names_are_folded_to_lower_case_even_in_quotes(run: Run, rows: Rows) -> None:
    run('CREATE TABLE "Folded" ("SeenAt" INTEGER)')
    run("INSERT INTO FOLDED (SEENAT) VALUES (1)")
    assert rows("SELECT seenat FROM folded") == [[1]]


@pytest.mark.source(CONSTRAINTS)
def test_unique_primary_and_foreign_keys_are_not_enforced_and_not_null_is(run: Run, rows: Rows) -> None:
    run("CREATE TABLE parents (a INTEGER PRIMARY KEY)")
    run("CREATE TABLE keyed (a INTEGER PRIMARY KEY, b INTEGER UNIQUE REFERENCES parents (a))")
    run("INSERT INTO keyed VALUES (1, 1), (1, 1)")
    assert rows("SELECT COUNT(*) FROM keyed") == [[2]]
    assert "NULL" in run("INSERT INTO keyed (b) VALUES (2)")["Error"]


@pytest.mark.source(CREATE_TABLE)
@pytest.mark.parametrize("clause", ["DISTKEY (nowhere)", "SORTKEY (nowhere)", "DISTSTYLE EVEN DISTKEY (a)"])
def test_distribution_and_sort_keys_must_fit_the_columns(run: Run, clause: str) -> None:
    assert run(f"CREATE TABLE unfit (a INTEGER) {clause}")["Status"] == "FAILED"


@pytest.mark.source(CREATE_TABLE)
def test_an_identity_column_counts_by_itself(run: Run, rows: Rows) -> None:
    run("CREATE TABLE counted (id BIGINT IDENTITY(10, 5), name VARCHAR(10)) DISTSTYLE ALL SORTKEY AUTO")
    run("INSERT INTO counted (name) VALUES ('a'), ('b')")
    assert rows("SELECT id FROM counted ORDER BY id") == [[10], [15]]


@pytest.mark.source(TEXT)
def test_a_text_is_limited_in_bytes_and_to_256_of_them_without_a_length(run: Run) -> None:
    run("CREATE TABLE texts (short VARCHAR(3), usual VARCHAR)")
    assert run("INSERT INTO texts (short) VALUES ('éé')")["Error"] == (
        "ERROR: value too long for character type"
    )
    assert run(f"INSERT INTO texts (usual) VALUES ('{'x' * 257}')")["Status"] == "FAILED"
    assert run(f"INSERT INTO texts VALUES ('é1', '{'x' * 256}')")["Status"] == "FINISHED"


@pytest.mark.source(MERGE)
def test_merge_loads_twice_and_keeps_rows_once(run: Run, rows: Rows) -> None:
    run("CREATE TABLE facts (id VARCHAR(9), n INTEGER)")
    run("CREATE TABLE staged (LIKE facts)")
    run("INSERT INTO staged VALUES ('a', 1), ('b', 2)")
    merge = (
        "MERGE INTO facts USING staged AS s ON facts.id = s.id WHEN MATCHED THEN UPDATE SET n = s.n"
        " WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)"
    )
    assert run(merge)["ResultRows"] == 2
    run(merge)
    assert rows("SELECT id, n FROM facts ORDER BY id") == [["a", 1], ["b", 2]]

    run("INSERT INTO staged VALUES ('a', 3)")
    assert "Found multiple matches to update the same tuple" in run(merge)["Error"]


@pytest.mark.source(MERGE)
@pytest.mark.parametrize("source", ["(SELECT 'a' AS id, 1 AS n) AS s", "seen AS s"])
def test_the_source_of_merge_is_a_table_and_no_subquery_or_view(run: Run, source: str) -> None:
    run("CREATE TABLE IF NOT EXISTS merged (id VARCHAR(9), n INTEGER)")
    run("CREATE OR REPLACE VIEW seen AS SELECT id, n FROM merged")
    merge = f"MERGE INTO merged USING {source} ON merged.id = s.id WHEN MATCHED THEN DELETE"
    described = run(f"{merge} WHEN NOT MATCHED THEN INSERT (id, n) VALUES (s.id, s.n)")
    assert described["Status"] == "FAILED"


@pytest.mark.source(COPY_JSON)
def test_copy_takes_objects_with_nothing_between_them_by_the_names_of_columns(
    run: Run, rows: Rows, load: Callable[..., dict[str, Any]]
) -> None:
    run("CREATE TABLE autos (name VARCHAR(20), n INTEGER, box SUPER, loaded TIMESTAMP DEFAULT GETDATE())")
    objects = [{"name": "a", "n": 1, "box": {"left": 0.5}, "other": 1}, {"NAME": "b", "n": 2}]
    assert load("autos (name, n, box)", objects)["ResultRows"] == 2
    found = rows("SELECT name, n, box, loaded IS NOT NULL FROM autos ORDER BY n")
    assert found == [["a", 1, '{"left":0.5}', True], [None, 2, None, True]]


@pytest.mark.source(COPY_JSON)
def test_jsonpaths_name_one_value_for_each_column(
    client: Client, run: Run, rows: Rows, load: Callable[..., dict[str, Any]]
) -> None:
    paths = json.dumps({"jsonpaths": ["$['device']['id']", "$.boxes[1]"]})
    client("s3").put_object(Bucket="sights-files", Key="paths.json", Body=paths.encode())
    run("CREATE TABLE pathed (device VARCHAR(20), box INTEGER)")
    objects = [{"device": {"id": "gate"}, "boxes": [1, 2]}, {"device": {}}]
    load("pathed", objects, "JSON 's3://sights-files/paths.json'")
    assert rows("SELECT * FROM pathed ORDER BY box") == [["gate", 2], [None, None]]
    assert load("pathed (device)", objects, "JSON 's3://sights-files/paths.json'")["Status"] == "FAILED"


@pytest.mark.source(COPY_LOAD)
def test_copy_fails_whole_when_as_many_rows_are_wrong_as_maxerror_says(
    run: Run, rows: Rows, load: Callable[..., dict[str, Any]]
) -> None:
    run("CREATE TABLE strict (n INTEGER)")
    objects = [{"n": 1}, '\n{"n": \n', {"n": "x"}, {"n": 3}]
    assert load("strict", objects, "JSON 'auto' MAXERROR 2")["Status"] == "FAILED"
    assert rows("SELECT * FROM strict") == []
    assert load("strict", objects, "JSON 'auto' MAXERROR 3")["ResultRows"] == 2


@pytest.mark.source(LOAD_ERRORS)
def test_rows_that_do_not_load_are_listed_with_file_line_column_and_reason(
    run: Run, rows: Rows, load: Callable[..., dict[str, Any]]
) -> None:
    run("CREATE TABLE listed (name VARCHAR(3) NOT NULL, n INTEGER, at TIMESTAMP)")
    good: dict[str, Any] = {"name": "abc", "n": 1, "at": "2026-11-22 20:00:00"}
    wrong: list[dict[str, Any]] = [
        {"name": "abcd"},
        {"name": None},
        {"n": 1.5},
        {"n": 2**31},
        {"at": "2026-11-22T20:00:00Z"},
    ]
    objects = [json.dumps({**good, **each}) + "\n" for each in wrong]
    load("listed", objects, "JSON 'auto' MAXERROR 100")
    found = rows(
        "SELECT line_number, TRIM(column_name), error_code FROM sys_load_error_detail"
        " WHERE query_id = (SELECT MAX(query_id) FROM sys_load_error_detail) ORDER BY line_number"
    )
    assert found == [[1, "name", 1204], [2, "name", 1213], [3, "n", 1207], [4, "n", 1204], [5, "at", 1206]]


@pytest.mark.source(COPY_CONVERT)
def test_conversions_follow_the_options_of_copy(
    run: Run, rows: Rows, load: Callable[..., dict[str, Any]]
) -> None:
    run("CREATE TABLE converted (name VARCHAR(3), at TIMESTAMP, d DECIMAL(4,1), note VARCHAR(9))")
    objects = [{"name": "abcdef", "at": "2026-11-22T20:00:00.25Z", "d": 9.99, "note": " "}]
    load("converted", objects, "JSON 'auto' TIMEFORMAT 'auto' TRUNCATECOLUMNS BLANKSASNULL")
    assert rows("SELECT * FROM converted") == [["abc", "2026-11-22 20:00:00.25", "9.9", None]]
    run("TRUNCATE converted")
    load("converted", [{"at": 1.5, "d": 9.99}], "JSON 'auto' TIMEFORMAT 'epochsecs' ROUNDEC")
    assert rows("SELECT at, d FROM converted") == [["1970-01-01 00:00:01.5", "10.0"]]


@pytest.mark.source(COPY_MANIFEST)
def test_a_mandatory_file_of_a_manifest_must_be_there(client: Client, run: Run) -> None:
    entries = [{"url": "s3://sights-files/not-there.gz", "mandatory": True}]
    manifest = json.dumps({"entries": entries}).encode()
    client("s3").put_object(Bucket="sights-files", Key="missing", Body=manifest)
    run("CREATE TABLE missed (n INTEGER)")
    copy = "COPY missed FROM 's3://sights-files/missing' IAM_ROLE default MANIFEST JSON 'auto'"
    assert run(copy)["Status"] == "FAILED"


@pytest.mark.source(COPY_ROLE)
def test_copy_uses_only_roles_of_the_warehouse(run: Run, role_with: Callable[..., str]) -> None:
    trust = {"Principal": {"Service": "redshift.amazonaws.com"}}
    stranger = role_with({"Effect": "Allow", "Action": "*", "Resource": "*"}, trust=trust)
    run("CREATE TABLE unloaded (n INTEGER)")
    described = run(f"COPY unloaded FROM 's3://sights-files/x' IAM_ROLE '{stranger}' JSON 'auto'")
    assert described["Error"].endswith(f"is not authorized to assume IAM Role {stranger}")


@pytest.mark.source(COPY_ROLE)
def test_copy_reads_with_the_rights_of_its_role(client: Client, run: Run) -> None:
    client("s3").create_bucket(Bucket="not-theirs")
    client("s3").put_object(Bucket="not-theirs", Key="rows", Body=b"{}")
    run("CREATE TABLE denied (n INTEGER)")
    described = run("COPY denied FROM 's3://not-theirs/rows' IAM_ROLE default JSON 'auto'")
    assert "Status 403" in described["Error"]
