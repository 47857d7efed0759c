"""SUPER: documents in a column, and ways into them."""

from typing import Any

import pytest

from sightline_local.cloud.redshift.database import Database
from sightline_local.cloud.redshift.session import Session

DOCUMENT = '{"device": {"id": "gate"}, "boxes": [{"left": 0.5, "tags": ["a"]}, {"left": 1}], "Mixed": 1}'


@pytest.fixture
def session() -> Session:
    session = Session(Database("dev"), "admin", lambda _session, _sql: 0)
    insert = f"INSERT INTO rows SELECT 1, JSON_PARSE('{DOCUMENT}')"
    session.run(["CREATE TABLE rows (n INTEGER, payload SUPER)", insert])
    return session


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("r.payload.device.id::VARCHAR", "gate"),
        ("payload.device.id::VARCHAR(2)", "ga"),
        ("r.payload.boxes[0].left::DOUBLE PRECISION", 0.5),
        ("r.payload.boxes[1].left::DECIMAL(3, 1) * 2", 2),
        ("r.payload.boxes[0].tags[0]::VARCHAR", "a"),
        ("r.payload.nowhere.at.all::VARCHAR", None),
        ("r.payload.boxes[7]::VARCHAR", None),
        ("r.payload.device", '{"id":"gate"}'),
        ("JSON_TYPEOF(r.payload.boxes)", "array"),
        ('r.payload."Mixed"::INTEGER', None),
        ("r.n", 1),
    ],
)
def test_a_way_leads_to_the_value_or_to_null(session: Session, expression: str, value: Any) -> None:
    assert session.run([f"SELECT {expression} AS v FROM rows r"])[0].rows == [(value,)]


def test_mixed_case_is_found_by_a_session_that_is_sensitive_to_case(session: Session) -> None:
    found = session.run(
        [
            "SET enable_case_sensitive_identifier TO true",
            'SELECT r.payload."Mixed"::INTEGER AS v FROM rows r',
        ]
    )
    assert found[1].rows == [(1,)]


def test_the_items_of_a_list_are_rows(session: Session) -> None:
    sql = "SELECT r.n, b.left::DOUBLE PRECISION AS l FROM rows r, r.payload.boxes b ORDER BY 2"
    assert session.run([sql])[0].rows == [(1, 0.5), (1, 1.0)]


def test_items_of_items_are_rows_in_a_view_too(session: Session) -> None:
    view = "CREATE VIEW tags AS SELECT t::VARCHAR AS tag FROM rows r, r.payload.boxes b, b.tags t"
    assert session.run([view, "SELECT tag FROM tags WHERE tag = 'a'"])[1].rows == [("a",)]


def test_a_table_without_super_is_left_alone(session: Session) -> None:
    session.run(["CREATE SCHEMA payload", "CREATE TABLE payload.plain (a INTEGER)"])
    assert session.run(["SELECT payload.plain.a FROM payload.plain"])[0].rows == []
