"""The queries that were started: kept over a restart, forgotten after 45 days."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sightline_local.cloud.athena.executions import QueryExecution, QueryExecutions
from sightline_local.cloud.service import ServiceError
from sightline_local.state import Facts

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "facts"


def a_query(**more: Any) -> QueryExecution:
    given: dict[str, Any] = {"submitted_at": NOW, **more}
    return QueryExecution(query="SELECT 1", kind="SELECT", workgroup="w", output="s3://b/", **given)


def test_a_query_that_ended_is_described_after_a_restart(file: Path) -> None:
    facts = Facts(file)
    ended = a_query(state="SUCCEEDED", completed_at=NOW, columns=[("n", "BIGINT")], scanned=7)
    QueryExecutions(facts, lambda: NOW).add(ended, None, {})
    facts.close()

    assert QueryExecutions(Facts(file), lambda: NOW).get(ended.id) == ended


def test_a_query_that_was_running_has_failed_after_a_restart(file: Path) -> None:
    facts = Facts(file)
    running = a_query(state="RUNNING")
    QueryExecutions(facts, lambda: NOW).add(running, None, {})
    facts.close()

    found = QueryExecutions(Facts(file), lambda: NOW).get(running.id)

    assert (found.state, found.reason) == ("FAILED", "The local runtime ended while the query ran")


def test_queries_are_forgotten_after_45_days(file: Path) -> None:
    moment = NOW
    executions = QueryExecutions(Facts(file), lambda: moment)
    old = executions.add(a_query(state="FAILED"), None, {})
    moment = NOW + timedelta(days=46)

    new = executions.add(a_query(submitted_at=moment), None, {})

    assert executions.ids("w") == [new.id]
    with pytest.raises(ServiceError, match="was not found"):
        executions.get(old.id)
    assert QueryExecutions(Facts.none(), lambda: NOW).ids("w") == []
