"""The Data API: statements are asked about until they have ended."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sightline.errors import UnavailableError
from sightline.warehouse.model import StatementFailedError
from sightline.warehouse.redshift_data import Place, RedshiftWarehouse


class DataApi:
    """Answers one description after the other, the last one for ever."""

    def __init__(self, *descriptions: dict[str, Any], pages: tuple[dict[str, Any], ...] = ()) -> None:
        self.descriptions, self.pages = list(descriptions), list(pages)
        self.calls: list[dict[str, Any]] = []

    def batch_execute_statement(self, **call: Any) -> dict[str, str]:
        self.calls.append(call)
        return {"Id": "1"}

    execute_statement = batch_execute_statement

    def describe_statement(self, **_call: Any) -> dict[str, Any]:
        return self.descriptions.pop(0) if len(self.descriptions) > 1 else self.descriptions[0]

    def get_statement_result(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        return self.pages.pop(0)


def warehouse(api: Any, pauses: list[float] | None = None, **place: str) -> RedshiftWarehouse:
    where = Place(**{"workgroup": "w", "cluster": "", "database": "d", "secret_arn": "s", **place})
    pauses = [] if pauses is None else pauses
    return RedshiftWarehouse(api, where, pauses.append, patience_seconds=10)


def test_a_workgroup_or_a_cluster_is_named_never_both() -> None:
    api = DataApi({"Status": "FINISHED"})
    warehouse(api).run(["SELECT 1"])
    warehouse(api, workgroup="", cluster="c").run(["SELECT 1"])
    same = {"Sqls": ["SELECT 1"], "Database": "d", "SecretArn": "s"}
    assert api.calls == [{**same, "WorkgroupName": "w"}, {**same, "ClusterIdentifier": "c"}]


def test_it_waits_longer_and_longer_and_counts_what_each_statement_changed() -> None:
    pauses: list[float] = []
    parts = {"SubStatements": [{"ResultRows": 3}, {"ResultRows": -1}]}
    api = DataApi({"Status": "SUBMITTED"}, {"Status": "STARTED"}, {"Status": "FINISHED", **parts})
    assert warehouse(api, pauses).run(["a", "b"]) == [3, 0]
    assert pauses == [0.1, pytest.approx(0.15)]


def test_a_statement_that_fails_says_why_in_one_line() -> None:
    api = DataApi({"Status": "FAILED", "Error": 'ERROR: relation "x"\n  does not exist'})
    with pytest.raises(StatementFailedError, match=r'^ERROR: relation "x" does not exist$'):
        warehouse(api).run(["SELECT * FROM x"])


def test_patience_ends() -> None:
    pauses: list[float] = []
    with pytest.raises(UnavailableError, match="did not finish"):
        warehouse(DataApi({"Status": "STARTED"}), pauses).run(["SELECT 1"])
    assert 10 < sum(pauses) < 14


def test_rows_of_all_pages_come_by_the_names_of_their_columns() -> None:
    columns = [{"name": "id"}, {"name": "text"}]
    first = {"ColumnMetadata": columns, "Records": [[{"longValue": 1}, {"isNull": True}]], "NextToken": "n"}
    second = {"ColumnMetadata": columns, "Records": [[{"longValue": 2}, {"stringValue": "x"}]]}
    api = DataApi({"Status": "FINISHED"}, pages=(first, second))
    assert warehouse(api).query("SELECT …") == [{"id": 1, "text": None}, {"id": 2, "text": "x"}]
    assert api.calls[1:] == [{"Id": "1"}, {"Id": "1", "NextToken": "n"}]


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        ("ValidationException", 400, StatementFailedError),
        ("ThrottlingException", 400, UnavailableError),
        ("InternalServerException", 500, UnavailableError),
        ("AccessDeniedException", 400, ClientError),
    ],
)
def test_a_refused_call_is_wrong_or_comes_later(code: str, status: int, raised: type[Exception]) -> None:
    class Refusing(DataApi):
        def batch_execute_statement(self, **_call: Any) -> dict[str, str]:
            answer: Any = {
                "Error": {"Code": code, "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": status},
            }
            raise ClientError(answer, "BatchExecuteStatement")

    with pytest.raises(raised):
        warehouse(Refusing()).run(["SELECT 1"])
