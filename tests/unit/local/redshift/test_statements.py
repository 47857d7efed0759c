"""Statements as analysts write them, with what they give."""

from typing import Any

import pytest

from sightline_local.cloud.redshift.database import Database
from sightline_local.cloud.redshift.session import Session

ROWS = (
    "CREATE TABLE seen (id VARCHAR(9), device VARCHAR(9), person VARCHAR(9), at TIMESTAMP, n DECIMAL(6, 3))",
    """INSERT INTO seen VALUES
        ('s1', 'gate', 'ann', '2026-11-22 20:00:00', 91.5),
        ('s2', 'door', 'ann', '2026-11-22 20:05:00', 95),
        ('s3', 'gate', 'bob', '2026-11-22 20:30:00', 82.25),
        ('s4', 'gate', NULL, '2026-11-23 00:10:00', NULL)""",
    "CREATE TABLE devices (id VARCHAR(9) PRIMARY KEY, site VARCHAR(9))",
    "INSERT INTO devices VALUES ('gate', 'north'), ('door', 'south')",
)
QUERIES: dict[str, list[tuple[Any, ...]]] = {
    "SELECT device, COUNT(*) AS c FROM seen GROUP BY device HAVING COUNT(*) > 1": [("gate", 3)],
    """SELECT d.site, COUNT(DISTINCT s.person) FROM seen s JOIN devices d ON d.id = s.device
       GROUP BY 1 ORDER BY 1""": [
        ("north", 2),
        ("south", 1),
    ],
    "WITH a AS (SELECT id FROM seen WHERE person = 'ann') SELECT COUNT(*) FROM a": [(2,)],
    "SELECT person FROM seen ORDER BY person DESC LIMIT 1": [(None,)],
    "SELECT person FROM seen ORDER BY person LIMIT 1 OFFSET 1": [("ann",)],
    "SELECT TOP 1 id FROM seen ORDER BY at DESC": [("s4",)],
    "SELECT device FROM seen EXCEPT SELECT 'door'": [("gate",)],
    "SELECT device FROM seen MINUS SELECT 'door'": [("gate",)],
    "SELECT device FROM seen INTERSECT SELECT 'door'": [("door",)],
    "SELECT id FROM devices UNION ALL SELECT id FROM devices ORDER BY 1 LIMIT 1": [("door",)],
    "SELECT DISTINCT site FROM devices WHERE id IN (SELECT device FROM seen) ORDER BY 1": [
        ("north",),
        ("south",),
    ],
    "SELECT id FROM devices d WHERE NOT EXISTS (SELECT 1 FROM seen s WHERE s.device = d.id)": [],
    "SELECT id FROM seen WHERE device ILIKE 'G%' AND at BETWEEN '2026-11-22' AND '2026-11-23'": [
        ("s1",),
        ("s3",),
    ],
    "SELECT id FROM seen WHERE device ~ '^do' OR person = 'nobody'": [("s2",)],
    "SELECT id FROM seen WHERE at >= DATEADD(hour, 4, '2026-11-22 20:00:00'::TIMESTAMP)": [("s4",)],
    "SELECT DATE_TRUNC('day', at)::DATE::VARCHAR, COUNT(*) FROM seen GROUP BY 1 ORDER BY 1": [
        ("2026-11-22", 3),
        ("2026-11-23", 1),
    ],
    "SELECT SUM(CASE WHEN n >= 90 THEN 1 ELSE 0 END) * 100 / COUNT(*) FROM seen": [(50,)],
    "SELECT id FROM seen QUALIFY ROW_NUMBER() OVER (PARTITION BY person ORDER BY at DESC) = 1 ORDER BY id": [
        ("s2",),
        ("s3",),
        ("s4",),
    ],
    """SELECT person, DATEDIFF(minute, LAG(at) OVER (PARTITION BY person ORDER BY at), at) AS gap
       FROM seen QUALIFY gap IS NOT NULL""": [("ann", 5)],
    "SELECT SUM(COUNT(*)) OVER (ORDER BY device) FROM seen GROUP BY device ORDER BY 1": [(1,), (4,)],
    "SELECT device, person, COUNT(*) FROM seen GROUP BY ROLLUP (device, person) ORDER BY 3 DESC LIMIT 1": [
        (None, None, 4)
    ],
    "SELECT n * 2 AS twice, twice + 1 AS more FROM seen WHERE id = 's2'": [(190, 191)],
    "SELECT NVL(person, 'unknown') || '@' || device FROM seen WHERE id = 's4'": [("unknown@gate",)],
    "SELECT EXTRACT(hour FROM at), DATE_PART(minute, at) FROM seen WHERE id = 's3'": [(20, 30)],
    "SELECT site FROM devices WHERE id = (SELECT device FROM seen WHERE id = 's1')": [("north",)],
}


@pytest.fixture(scope="module")
def session() -> Session:
    session = Session(Database("dev"), "admin", lambda _session, _sql: 0)
    session.run(ROWS)
    return session


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_gives_its_rows(session: Session, sql: str) -> None:
    assert session.run([sql])[0].rows == QUERIES[sql]


def test_rows_are_loaded_changed_and_removed() -> None:
    session = Session(Database("dev"), "admin", lambda _session, _sql: 0)
    session.run(ROWS)
    results = session.run(
        [
            "CREATE TEMP TABLE fresh (LIKE seen)",
            "INSERT INTO fresh SELECT * FROM seen WHERE device = 'gate'",
            "UPDATE seen SET n = f.n + 1 FROM fresh f WHERE f.id = seen.id AND f.n IS NOT NULL",
            "DELETE FROM seen USING devices WHERE devices.id = seen.device AND devices.site = 'south'",
            "INSERT INTO seen (id, at) VALUES ('s5', GETDATE()), ('s6', SYSDATE)",
            "DELETE FROM seen WHERE person IS NULL",
            "SELECT id, n FROM seen ORDER BY id",
        ]
    )
    assert [result.count for result in results] == [0, 3, 2, 1, 2, 3, 0]
    assert [tuple(map(str, row)) for row in results[-1].rows] == [("s1", "92.500"), ("s3", "83.250")]
