"""Athena: workgroups, saved queries, and queries over Parquet files with the rights of who asks."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

API = "https://docs.aws.amazon.com/athena/latest/APIReference"
GUIDE = "https://docs.aws.amazon.com/athena/latest/ug"
RESOURCES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference"
STATES = "https://docs.aws.amazon.com/step-functions/latest/dg"
ARNS = "arn:aws:{}:us-east-1:123456789012:{}"

Client = Callable[[str], Any]
Ask = Callable[..., dict[str, Any]]
TEMPLATE = """
Resources:
  Lake: {Type: AWS::S3::Bucket, Properties: {BucketName: lake}}
  Database:
    Type: AWS::Glue::Database
    Properties: {CatalogId: !Ref AWS::AccountId, DatabaseInput: {Name: lake}}
  Visits:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: visits
        TableType: EXTERNAL_TABLE
        PartitionKeys: [{Name: dt, Type: string}]
        Parameters:
          projection.enabled: 'true'
          projection.dt.type: date
          projection.dt.format: yyyy-MM-dd
          projection.dt.range: 2026-01-01,NOW+1DAYS
          storage.location.template: s3://lake/visits/day=${dt}/
        StorageDescriptor: &storage
          Location: s3://lake/visits/
          InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
          SerdeInfo: {SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe}
          Columns:
            - {Name: id, Type: string}
            - {Name: seconds, Type: int}
            - {Name: score, Type: double}
            - {Name: began, Type: timestamp}
            - {Name: is_known, Type: boolean}
  Registered:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: registered
        TableType: EXTERNAL_TABLE
        PartitionKeys: [{Name: site, Type: string}]
        StorageDescriptor:
          Location: s3://lake/registered/
          InputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat
          OutputFormat: org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat
          SerdeInfo: {SerializationLibrary: org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe}
          Columns: [{Name: id, Type: string}]
  Texts:
    Type: AWS::Glue::Table
    Properties:
      CatalogId: !Ref AWS::AccountId
      DatabaseName: !Ref Database
      TableInput:
        Name: texts
        StorageDescriptor:
          Location: s3://lake/texts/
          InputFormat: org.apache.hadoop.mapred.TextInputFormat
          Columns: [{Name: id, Type: string}]
  Analysts:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: analysts
      Description: Questions
      WorkGroupConfiguration:
        BytesScannedCutoffPerQuery: '10000000'
        EnforceWorkGroupConfiguration: true
        ResultConfiguration:
          OutputLocation: s3://lake/answers/
          EncryptionConfiguration: {EncryptionOption: SSE_S3}
  Free:
    Type: AWS::Athena::WorkGroup
    Properties:
      Name: free
      WorkGroupConfiguration: {EnforceWorkGroupConfiguration: false}
  Busiest:
    Type: AWS::Athena::NamedQuery
    Properties: {Name: Busiest, Database: lake, WorkGroup: !Ref Analysts, QueryString: SELECT 1}
Outputs:
  Query: {Value: !Ref Busiest}
""".replace(" &storage", "")
ROWS = """SELECT 'v' || n AS id, n AS seconds, n / 2 AS score, n % 2 = 0 AS is_known,
    TIMESTAMP '{day} 10:00:00.250' + n * INTERVAL 1 MINUTE AS began FROM range({first}, {last}) AS t(n)"""
ENDLESS = """SELECT count(*) FROM UNNEST(sequence(1, 100000)) AS a (x), UNNEST(sequence(1, 1000000)) AS b (y)
    WHERE x % 7 = y % 11"""
READS = [
    {"Effect": "Allow", "Action": "athena:*", "Resource": ARNS.format("athena", "workgroup/analysts")},
    {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": "arn:aws:s3:::lake"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/visits/*"},
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": "arn:aws:s3:::lake/answers/*",
    },
    {
        "Effect": "Allow",
        "Action": ["glue:GetDatabase", "glue:GetTable"],
        "Resource": [
            ARNS.format("glue", "catalog"),
            ARNS.format("glue", "database/lake"),
            ARNS.format("glue", "table/lake/visits"),
        ],
    },
]


@pytest.fixture(scope="module")
def template() -> str:
    return TEMPLATE


@pytest.fixture(scope="module")
def athena(client: Client) -> Any:
    return client("athena")


@pytest.fixture(scope="module")
def s3(client: Client) -> Any:
    return client("s3")


@pytest.fixture(scope="module")
def put(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], None]:
    """`put("visits/day=…/1", sql)`: the answer of DuckDB's SQL as a Parquet file."""
    file = tmp_path_factory.mktemp("rows") / "rows.parquet"

    def put(key: str, sql: str) -> None:
        duckdb.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")
        s3.put_object(Bucket="lake", Key=key, Body=file.read_bytes())

    return put


@pytest.fixture(scope="module")
def days(put: Callable[[str, str], None]) -> tuple[str, str]:
    """Two days of visits: v0 to v4 and v4 to v9."""
    put("visits/day=2026-11-20/a/1", ROWS.format(day="2026-11-20", first=0, last=5))
    put("visits/day=2026-11-21/2.parquet", ROWS.format(day="2026-11-21", first=4, last=10))
    return "2026-11-20", "2026-11-21"


@pytest.fixture(scope="module")
def ask(athena: Any, until: Callable[..., Any]) -> Ask:
    """`ask(sql, WorkGroup=…)`: the query's description once it has ended."""

    def ask(sql: str, *, api: Any = athena, **more: Any) -> dict[str, Any]:
        given = {"WorkGroup": "analysts", "QueryExecutionContext": {"Database": "lake"}, **more}
        started = api.start_query_execution(QueryString=sql, **given)["QueryExecutionId"]

        def ended() -> Any:
            found = api.get_query_execution(QueryExecutionId=started)["QueryExecution"]
            return found["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED") and found

        found: dict[str, Any] = until(ended)
        return found

    return ask


def rows_of(api: Any, query: dict[str, Any], **more: Any) -> list[list[str | None]]:
    assert query["Status"]["State"] == "SUCCEEDED", query["Status"]
    page = api.get_query_results(QueryExecutionId=query["QueryExecutionId"], **more)
    return [[datum.get("VarCharValue") for datum in row["Data"]] for row in page["ResultSet"]["Rows"]]


def content(s3: Any, url: str) -> str:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


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


@pytest.mark.source(f"{API}/API_GetQueryResults.html")
def test_the_first_row_of_an_answer_has_the_names_and_values_are_texts(
    athena: Any, ask: Ask, days: tuple[str, str]
) -> None:
    query = ask(
        "SELECT id, seconds, score, began, is_known, CAST(NULL AS varchar), count(*) OVER () AS n, '' AS e"
        " FROM visits WHERE id = 'v3'"
    )

    assert rows_of(athena, query) == [
        ["id", "seconds", "score", "began", "is_known", "_col5", "n", "e"],
        ["v3", "3", "1.5", "2026-11-20 10:03:00.250", "false", None, "1", ""],
    ]
    page = athena.get_query_results(QueryExecutionId=query["QueryExecutionId"])
    columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [each["Type"] for each in columns] == [
        *("varchar", "integer", "double", "timestamp", "boolean", "varchar", "bigint", "varchar")
    ]


@pytest.mark.source(f"{GUIDE}/querying-finding-output-files.html")
def test_an_answer_is_a_file_in_the_workgroups_place_whatever_the_caller_wishes(
    s3: Any, ask: Ask, days: tuple[str, str]
) -> None:
    elsewhere = {"OutputLocation": "s3://lake/elsewhere/"}
    query = ask("SELECT id, score FROM visits WHERE id = 'v1'", ResultConfiguration=elsewhere)

    place = query["ResultConfiguration"]["OutputLocation"]
    assert place == f"s3://lake/answers/{query['QueryExecutionId']}.csv"
    assert content(s3, place) == '"id","score"\n"v1","0.5"\n'
    stored = s3.head_object(Bucket="lake", Key=place.removeprefix("s3://lake/"))
    assert stored["ServerSideEncryption"] == "AES256"


@pytest.mark.source(f"{API}/API_WorkGroupConfiguration.html")
def test_a_workgroup_that_enforces_nothing_needs_a_place_from_the_caller(
    athena: Any, ask: Ask, refusal: Callable[..., Any]
) -> None:
    query = ask(
        "SELECT 1", WorkGroup="free", ResultConfiguration={"OutputLocation": "s3://lake/answers/mine"}
    )

    assert query["ResultConfiguration"]["OutputLocation"].startswith("s3://lake/answers/mine/")
    error = refusal(athena.start_query_execution, QueryString="SELECT 1", WorkGroup="free")
    assert "No output location provided" in error.response["Error"]["Message"]


@pytest.mark.source(f"{GUIDE}/partition-projection.html")
def test_only_the_partitions_that_the_conditions_leave_are_read(
    athena: Any, ask: Ask, s3: Any, days: tuple[str, str]
) -> None:
    sizes = {
        each["Key"].split("/")[1]: each["Size"]
        for each in s3.list_objects_v2(Bucket="lake", Prefix="visits/day=2026-11-2")["Contents"]
        if each["Key"].split("/")[1] in ("day=2026-11-20", "day=2026-11-21")
    }
    one = ask("SELECT count(*) FROM visits WHERE dt = '2026-11-20' AND seconds > 0")
    later = ask("SELECT count(*) FROM visits AS v WHERE v.dt > '2026-11-20' AND v.dt < '2026-11-22'")
    both = ask("SELECT count(*) FROM visits WHERE dt IN ('2026-11-20', '2026-11-21')")

    assert [rows_of(athena, each)[1] for each in (one, later, both)] == [["4"], ["6"], ["11"]]
    read = [each["Statistics"]["DataScannedInBytes"] for each in (one, later, both)]
    assert read == [sizes["day=2026-11-20"], sizes["day=2026-11-21"], sum(sizes.values())]


@pytest.mark.source(f"{GUIDE}/partition-projection-supported-types.html")
def test_a_day_outside_the_projections_range_is_not_seen(
    athena: Any, ask: Ask, put: Callable[[str, str], None]
) -> None:
    far = (datetime.now(UTC) + timedelta(days=9)).date().isoformat()
    for day in ("2025-12-31", far, "yesterday"):
        put(f"visits/day={day}/x", "SELECT 'ghost' AS id")

    assert rows_of(athena, ask("SELECT count(*) FROM visits WHERE id = 'ghost'"))[1] == ["0"]


@pytest.mark.source(f"{GUIDE}/other-notable-limitations.html")
def test_hidden_files_and_what_is_no_data_are_passed_over(
    athena: Any, ask: Ask, s3: Any, put: Callable[[str, str], None]
) -> None:
    put("visits/day=2026-10-01/1", "SELECT 'shown' AS id")
    for name in ("_temporary", ".hidden", ""):
        s3.put_object(Bucket="lake", Key=f"visits/day=2026-10-01/{name}", Body=b"no Parquet")

    assert rows_of(athena, ask("SELECT id, score FROM visits WHERE dt = '2026-10-01'")) == [
        ["id", "score"],
        ["shown", None],
    ]


@pytest.mark.source(f"{GUIDE}/select.html")
def test_the_path_of_a_row_is_a_column_that_a_star_does_not_show(
    athena: Any, ask: Ask, days: tuple[str, str]
) -> None:
    found = rows_of(athena, ask("""SELECT "$path", * FROM visits WHERE dt = '2026-11-20' AND id = 'v1'"""))

    assert found[0] == ["$path", "id", "seconds", "score", "began", "is_known", "dt"]
    assert found[1][0] == "s3://lake/visits/day=2026-11-20/a/1"


@pytest.mark.source(f"{GUIDE}/querying-with-prepared-statements-querying.html")
def test_parameters_stand_in_the_order_of_their_question_marks(
    athena: Any, ask: Ask, days: tuple[str, str], refusal: Callable[..., Any]
) -> None:
    sql = "SELECT id FROM visits WHERE seconds > ? AND seconds < ? AND dt = ?"

    found = ask(sql, ExecutionParameters=["1", "3", "'2026-11-20'"])

    assert rows_of(athena, found) == [["id"], ["v2"]]
    error = refusal(
        athena.start_query_execution, QueryString=sql, WorkGroup="analysts", ExecutionParameters=["1"]
    )
    assert "Incorrect number of parameters" in error.response["Error"]["Message"]


@pytest.mark.source(f"{GUIDE}/functions-env3.html")
def test_numbers_names_and_days_mean_what_they_mean_in_trino(athena: Any, ask: Ask) -> None:
    sql = """SELECT 7 / 2 AS Whole, date_format(DATE '2026-11-22', '%Y-%m') AS month, 1e10 AS large,
        date_diff('day', DATE '2026-11-20', DATE '2026-11-22') AS days, sum(n) AS total
        FROM (VALUES 1, 2) AS t (n)"""

    assert rows_of(athena, ask(sql)) == [
        ["whole", "month", "large", "days", "total"],
        ["3", "2026-11", "1.0E10", "2", "3"],
    ]


@pytest.mark.source(f"{API}/API_StartQueryExecution.html")
@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELEC 1", "mismatched input"),
        ("SELECT 1; SELECT 2", "Only one sql statement"),
        ("DROP TABLE visits", "no DROP"),
        ("CREATE TABLE t AS SELECT 1", "no CREATE"),
        ("UNLOAD (SELECT 1) TO 's3://lake/x/' WITH (format = 'PARQUET')", "no UNLOAD"),
    ],
)
def test_what_is_no_statement_or_none_that_runs_here_is_refused_at_once(
    athena: Any, refusal: Callable[..., Any], sql: str, words: str
) -> None:
    error = refusal(athena.start_query_execution, QueryString=sql, WorkGroup="analysts")

    assert error.response["Error"]["Code"] == "InvalidRequestException"
    assert words in error.response["Error"]["Message"]


@pytest.mark.source(f"{API}/API_QueryExecutionContext.html")
def test_the_catalog_is_glues_however_it_is_written(
    athena: Any, ask: Ask, refusal: Callable[..., Any]
) -> None:
    def at(catalog: str) -> dict[str, Any]:
        return {"QueryExecutionContext": {"Catalog": catalog, "Database": "lake"}, "WorkGroup": "analysts"}

    sql = 'SELECT count(*) FROM "AwsDataCatalog"."lake"."visits" WHERE id = \'nobody\''

    assert rows_of(athena, ask(sql, **at("AwsDataCatalog")))[1] == ["0"]
    error = refusal(athena.start_query_execution, QueryString=sql, **at("elsewhere"))
    assert "Catalog elsewhere is not found" in error.response["Error"]["Message"]


@pytest.mark.source(f"{API}/API_QueryExecutionStatus.html")
@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT nobody FROM visits", "COLUMN_NOT_FOUND: Column 'nobody' cannot be resolved"),
        ("SELECT 1 FROM nothing", "TABLE_NOT_FOUND: Table 'awsdatacatalog.lake.nothing' does not exist"),
        ("SELECT 1 FROM nowhere.visits", "SCHEMA_NOT_FOUND: Schema 'nowhere' does not exist"),
        ("SELECT nonsense(id) FROM visits", "FUNCTION_NOT_FOUND: Function 'nonsense' not registered"),
        ("SELECT id FROM texts", "NOT_SUPPORTED: the local Athena does not know the format"),
    ],
)
def test_what_cannot_be_answered_fails_with_its_reason(
    athena: Any, ask: Ask, refusal: Callable[..., Any], sql: str, reason: str
) -> None:
    query = ask(sql)

    assert query["Status"]["State"] == "FAILED"
    assert query["Status"]["StateChangeReason"].startswith(reason)
    assert query["Status"]["AthenaError"]["ErrorCategory"] == 2
    error = refusal(athena.get_query_results, QueryExecutionId=query["QueryExecutionId"])
    assert "did not finish successfully" in error.response["Error"]["Message"]


@pytest.mark.source(f"{GUIDE}/workgroups-setting-control-limits-cloudwatch.html")
def test_a_query_that_would_read_more_than_its_workgroup_allows_is_cancelled(ask: Ask, s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="visits/day=2026-09-01/large", Body=b"." * 10_000_001)

    query = ask("SELECT count(*) FROM visits WHERE dt = '2026-09-01'")

    assert query["Status"]["State"] == "CANCELLED"
    assert "Bytes scanned limit was exceeded" in query["Status"]["StateChangeReason"]


@pytest.mark.source(f"{GUIDE}/insert-into.html")
def test_an_insert_puts_files_into_the_partitions_of_its_rows_and_lists_them(
    athena: Any, ask: Ask, s3: Any, days: tuple[str, str]
) -> None:
    query = ask(
        "INSERT INTO visits SELECT id, seconds, score, began, is_known,"
        " CASE WHEN seconds < 2 THEN '2026-08-01' ELSE '2026-08-02' END FROM visits WHERE dt = '2026-11-20'"
    )

    assert athena.get_query_results(QueryExecutionId=query["QueryExecutionId"])["UpdateCount"] == 5
    written = content(s3, query["Statistics"]["DataManifestLocation"]).splitlines()
    assert sorted(url.rpartition("/")[0] for url in written) == [
        "s3://lake/visits/day=2026-08-01",
        "s3://lake/visits/day=2026-08-02",
    ]
    found = rows_of(
        athena,
        ask("SELECT dt, id, began, is_known FROM visits WHERE dt LIKE '2026-08-%' ORDER BY began"),
    )
    assert found[1:3] == [
        ["2026-08-01", "v0", "2026-11-20 10:00:00.250", "true"],
        ["2026-08-01", "v1", "2026-11-20 10:01:00.250", "false"],
    ]
    assert [row[0] for row in found[1:]] == ["2026-08-01"] * 2 + ["2026-08-02"] * 3


@pytest.mark.source(f"{GUIDE}/insert-into.html")
def test_an_insert_registers_the_partitions_of_a_table_that_calculates_none(
    athena: Any, client: Client, ask: Ask
) -> None:
    query = ask("INSERT INTO registered (site, id) VALUES ('north', 'a'), ('south', 'b'), ('north', 'c')")

    assert query["Status"]["State"] == "SUCCEEDED", query["Status"]
    known = client("glue").get_partitions(DatabaseName="lake", TableName="registered")["Partitions"]
    assert sorted(each["Values"] for each in known) == [["north"], ["south"]]
    found = rows_of(athena, ask("SELECT id FROM registered WHERE site = 'north' ORDER BY 1"))
    assert found == [["id"], ["a"], ["c"]]
    ask("INSERT INTO registered VALUES ('d', 'east/west: 50%')")
    places = [
        each["StorageDescriptor"]["Location"]
        for each in client("glue").get_partitions(DatabaseName="lake", TableName="registered")["Partitions"]
    ]
    assert "s3://lake/registered/site=east%2Fwest%3A 50%25/" in places
    assert rows_of(athena, ask("SELECT id FROM registered WHERE site LIKE 'east%'")) == [["id"], ["d"]]
    refused = ask("INSERT INTO registered VALUES ('d', CAST(NULL AS varchar))")
    assert "whose key is null" in refused["Status"]["StateChangeReason"]


@pytest.mark.source("https://trino.io/docs/current/sql/insert.html")
@pytest.mark.parametrize(
    "values", ["SELECT 'x'", "SELECT 'x', 'y', 1.5e0, now(), true, '2026-08-03'", "SELECT 1, 'north'"]
)
def test_an_insert_whose_columns_do_not_fit_writes_nothing(ask: Ask, s3: Any, values: str) -> None:
    table = "registered" if values.endswith("'north'") else "visits"

    query = ask(f"INSERT INTO {table} {values}")

    assert query["Status"]["StateChangeReason"].startswith(
        "TYPE_MISMATCH: Insert query has mismatched column"
    )
    assert "Contents" not in s3.list_objects_v2(Bucket="lake", Prefix="visits/day=2026-08-03/")


@pytest.mark.source(f"{GUIDE}/ctas-insert-into.html")
def test_an_insert_writes_a_hundred_partitions_at_most(ask: Ask) -> None:
    sql = "INSERT INTO registered SELECT 'x', CAST(n AS varchar) FROM UNNEST(sequence(1, {})) AS t (n)"

    query = ask(sql.format(101))

    assert query["Status"]["StateChangeReason"].startswith("HIVE_TOO_MANY_OPEN_PARTITIONS")


@pytest.mark.source(f"{GUIDE}/security-iam-athena.html")
def test_a_query_has_the_rights_of_who_asks(
    athena: Any, ask: Ask, client_with: Callable[..., Client], days: tuple[str, str]
) -> None:
    reader = client_with(*READS)("athena")

    assert rows_of(reader, ask("SELECT count(*) FROM visits WHERE dt = '2026-11-20'", api=reader))[1] == ["5"]


@pytest.mark.source(f"{GUIDE}/security-iam-athena.html")
@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        (1, "Permission denied on S3 path|Access denied when writing output"),
        (2, "Permission denied on S3 path: s3://lake/visits/day=2026-11-20/a/1"),
        (3, "Access denied when writing output to url: s3://lake/answers/"),
        (4, "Insufficient permissions to execute the query. .*glue:GetDatabase"),
    ],
)
def test_a_right_that_is_missing_ends_the_query_by_its_name(
    ask: Ask, client_with: Callable[..., Client], days: tuple[str, str], missing: int, reason: str
) -> None:
    reader = client_with(*(each for number, each in enumerate(READS) if number != missing))("athena")

    query = ask("SELECT count(*) FROM visits WHERE dt = '2026-11-20'", api=reader)

    assert query["Status"]["State"] == "FAILED"
    assert re.match(reason, query["Status"]["StateChangeReason"])


@pytest.mark.source(
    "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html"
)
def test_a_role_asks_only_workgroups_that_it_may(
    ask: Ask, client_with: Callable[..., Client], refusal: Callable[..., Any]
) -> None:
    reader = client_with(*READS)("athena")
    other = ask("SELECT 1", WorkGroup="free", ResultConfiguration={"OutputLocation": "s3://lake/answers/"})

    for call, given in (
        (reader.start_query_execution, {"QueryString": "SELECT 1", "WorkGroup": "free"}),
        (reader.get_query_execution, {"QueryExecutionId": other["QueryExecutionId"]}),
        (reader.get_query_results, {"QueryExecutionId": other["QueryExecutionId"]}),
    ):
        error = refusal(call, **given)
        assert error.response["Error"]["Code"] == "AccessDeniedException"
        assert "workgroup/free" in error.response["Error"]["Message"]


@pytest.mark.source(
    f"{API}/API_StartQueryExecution.html#athena-StartQueryExecution-request-ClientRequestToken"
)
def test_the_same_request_with_the_same_token_is_one_query(athena: Any, refusal: Callable[..., Any]) -> None:
    given = {"WorkGroup": "analysts", "ClientRequestToken": "t" * 32}

    first, again = (athena.start_query_execution(QueryString="SELECT 1", **given) for _ in range(2))

    assert first["QueryExecutionId"] == again["QueryExecutionId"]
    error = refusal(athena.start_query_execution, QueryString="SELECT 2", **given)
    assert error.response["Error"]["Message"] == "Idempotent parameters do not match"


@pytest.mark.source(f"{API}/API_StopQueryExecution.html")
def test_a_query_can_be_stopped(athena: Any, until: Callable[..., Any]) -> None:
    started = athena.start_query_execution(QueryString=ENDLESS, WorkGroup="analysts")["QueryExecutionId"]

    def state() -> str:
        return str(athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]["State"])

    until(lambda: state() == "RUNNING")
    athena.stop_query_execution(QueryExecutionId=started)

    assert until(lambda: state() == "CANCELLED")
    assert started in athena.list_query_executions(WorkGroup="analysts")["QueryExecutionIds"]


@pytest.mark.source(f"{API}/API_GetQueryResults.html")
def test_an_answer_is_read_in_pages(athena: Any, ask: Ask) -> None:
    query = ask("SELECT n FROM UNNEST(sequence(1, 5)) AS t (n) ORDER BY n")["QueryExecutionId"]

    pages = list(
        athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=query, PaginationConfig={"PageSize": 4}
        )
    )

    texts = [[row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] for page in pages]
    assert texts == [["n", "1", "2", "3"], ["4", "5"]]


@pytest.mark.source(f"{STATES}/connect-athena.html")
def test_a_state_machine_waits_for_a_query_and_has_its_description(
    run: Callable[..., Any], days: tuple[str, str], athena: Any
) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Arguments": {
            "QueryString": "SELECT count(*) FROM visits WHERE dt = '2026-11-20'",
            "QueryExecutionContext": {"Database": "lake"},
            "WorkGroup": "analysts",
        },
        "TimeoutSeconds": 60,
        "Output": "{% $states.result.QueryExecution.QueryExecutionId %}",
        "Next": "Results",
    }
    results = {
        "Type": "Task",
        "Resource": "arn:aws:states:::athena:getQueryResults",
        "Arguments": {"QueryExecutionId": "{% $states.input %}"},
        "Output": "{% $states.result.ResultSet.Rows[1].Data[0].VarCharValue %}",
        "End": True,
    }

    ended = run({"Ask": task, "Results": results}, {})

    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", "5")


@pytest.mark.source(f"{STATES}/connect-to-resource.html#connect-sync")
def test_a_query_that_fails_fails_its_state_and_the_cause_is_its_description(run: Callable[..., Any]) -> None:
    arguments = {"QueryString": "SELECT 1 FROM lake.nothing", "WorkGroup": "analysts"}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Arguments": arguments,
        "Catch": [
            {
                "ErrorEquals": ["States.TaskFailed"],
                "Output": "{% $parse($states.errorOutput.Cause) %}",
                "Next": "Say",
            }
        ],
        "End": True,
    }
    say = {"Type": "Pass", "Output": "{% $states.input.Status.StateChangeReason %}", "End": True}

    ended = run({"Ask": task, "Say": say}, {})

    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]).startswith("TABLE_NOT_FOUND")
    refused = run({"Ask": {**task, "Arguments": {**arguments, "WorkGroup": "nobodys"}, "Catch": []}}, {})
    assert (refused["status"], refused["error"]) == ("FAILED", "Athena.InvalidRequestException")


@pytest.mark.source(f"{STATES}/connect-to-resource.html#connect-sync")
def test_a_state_that_is_over_stops_its_query(
    run: Callable[..., Any], athena: Any, until: Callable[..., Any]
) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
        "Arguments": {"QueryString": f"{ENDLESS} AND x > 1", "WorkGroup": "analysts"},
        "TimeoutSeconds": 1,
        "End": True,
    }

    ended = run({"Ask": task}, {})

    assert (ended["status"], ended["error"]) == ("FAILED", "States.Timeout")

    def stopped() -> bool:
        ids = athena.list_query_executions(WorkGroup="analysts")["QueryExecutionIds"]
        found = athena.batch_get_query_execution(QueryExecutionIds=ids[:10])["QueryExecutions"]
        return [each["Status"]["State"] for each in found if each["Query"].endswith("x > 1")] == ["CANCELLED"]

    assert until(stopped)
