"""What is refused of SQL, and what DuckDB is given instead of it."""

import pytest

from sightline_local.cloud.redshift.database import Database
from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError
from sightline_local.cloud.redshift.session import Session
from sightline_local.cloud.redshift.translation import translate


@pytest.fixture
def session() -> Session:
    return Session(Database("dev"), "admin", lambda _session, _sql: 0)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABEL nonsense (a INT)",
        "CREATE EXTERNAL SCHEMA k FROM KINESIS IAM_ROLE default",
        "UNLOAD ('SELECT 1') TO 's3://b/' IAM_ROLE default",
        "CALL procedure()",
        "ALTER TABLE a APPEND FROM b",
        "LOCK a",
        "BEGIN",
        "PRAGMA version",
        "SET statement_timeout TO 5",
    ],
)
def test_what_is_not_emulated_is_refused_by_name(statement: str) -> None:
    with pytest.raises(NotEmulatedError, match="the local Redshift does not know"):
        translate(statement, {})


@pytest.mark.parametrize(
    "statement",
    [
        "SELEC 1",
        "SELECT 'open",
        "",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t (a FANCYTYPE)",
        "CREATE TABLE t (a VARCHAR(70000))",
        "CREATE TABLE t (a CHAR(5000))",
        "CREATE TABLE t (a DECIMAL(39, 2))",
        "CREATE TABLE t (a INT, a INT)",
        "CREATE TABLE t (a INT ENCODE gzip)",
        "CREATE TABLE t (a INT) DISTSTYLE SOME",
        "CREATE TABLE t (a INT) DISTSTYLE KEY",
        "CREATE TABLE t (a INT DISTKEY, b INT DISTKEY)",
        "CREATE OR REPLACE TABLE t (a INT)",
        "CREATE TABLE t (a INT) INTERLEAVED SORTKEY (a, a, a, a, a, a, a, a, a)",
        "ALTER TABLE t ADD COLUMN a INT NOT NULL",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",
        "SELECT :a",
        "SELECT COUNT(*) FILTER (WHERE a > 1) FROM t",
        "SELECT DISTINCT ON (a) a, b FROM t",
        "SELECT a FROM (VALUES (1), (2)) AS v (a)",
        "SELECT a FROM t EXCEPT ALL SELECT a FROM u",
        "SELECT a FROM t INTERSECT ALL SELECT a FROM u",
        "SELECT a FROM t WHERE a IS DISTINCT FROM 1",
        "SELECT SUM(a) OVER w FROM t WINDOW w AS (ORDER BY a)",
        "SELECT a FROM t, LATERAL (SELECT 1) AS u",
        "SELECT a FROM t TABLESAMPLE (10 PERCENT)",
        "SELECT ARRAY[1, 2]",
        "SELECT {'a': 1}",
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (1) RETURNING a",
        "CREATE TABLE t (a INT CHECK (a > 0))",
        "CREATE INDEX i ON t (a)",
    ],
)
def test_what_redshift_refuses_is_refused(statement: str) -> None:
    with pytest.raises(SqlError):
        translate(statement, {})


@pytest.mark.parametrize(
    "statement",
    [
        "VACUUM SORT ONLY t",
        "ANALYZE t",
        "COMMENT ON TABLE t IS 'x'",
        "REFRESH MATERIALIZED VIEW mv",
    ],
)
def test_what_concerns_storage_is_accepted_without_effect(statement: str) -> None:
    assert translate(statement, {}).sql == ()


def test_physical_clauses_are_taken_out_and_texts_that_look_like_them_stay() -> None:
    sql = """CREATE TABLE t (a VARCHAR(20) DEFAULT 'ENCODE zstd' ENCODE zstd DISTKEY SORTKEY)
             DISTSTYLE KEY BACKUP NO"""
    assert translate(sql, {}).sql[0] == (
        "CREATE TABLE t (a VARCHAR DEFAULT 'ENCODE zstd' CHECK (strlen(a) <= 20))"
    )


def test_what_is_inside_of_a_cast_is_translated_too() -> None:
    (sql,) = translate("SELECT (GETDATE()::DATE)::VARCHAR(4) AS year", {}).sql
    assert sql == "SELECT LEFT(CAST((CAST(CAST(NOW() AS TIMESTAMP) AS DATE)) AS TEXT), 4) AS year"


def test_the_comment_before_a_statement_is_no_part_of_it() -> None:
    assert translate("-- how many\n/* rows */ SELECT 1 AS n;", {}).gives == "rows"


def test_names_in_quotes_keep_their_case_when_the_session_says_so() -> None:
    assert translate('SELECT "A" FROM T', {}).sql == ('SELECT "a" FROM t',)
    assert translate('SELECT "A" FROM T', {}, case_sensitive=True).sql == ('SELECT "A" FROM t',)


def test_a_table_made_from_a_query_has_its_keys_checked(session: Session) -> None:
    session.run(["CREATE TABLE t DISTKEY (a) SORTKEY (a) AS SELECT 1 AS a"])
    with pytest.raises(SqlError, match="named in sort key does not exist"):
        session.run(["CREATE TABLE u SORTKEY (b) AS SELECT 1 AS a"])
    assert session.run(["SELECT a FROM t"])[0].rows == [(1,)]


def test_a_table_that_is_there_is_left_alone_with_if_not_exists(session: Session) -> None:
    session.run(
        ["CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)", "CREATE TABLE IF NOT EXISTS t (b INT)"]
    )
    assert session.run(["SELECT a FROM t"])[0].rows == [(1,)]
    with pytest.raises(SqlError, match='relation "t" already exists'):
        session.run(["CREATE TABLE t (a INT)"])


def test_a_temporary_table_belongs_to_its_session(session: Session) -> None:
    session.run(["CREATE TEMP TABLE mine (a INT)"])
    other = Session(session.database, "admin", lambda _session, _sql: 0)
    with pytest.raises(SqlError, match='relation "mine" does not exist'):
        other.run(["SELECT * FROM mine"])


def test_a_temporary_table_hides_one_of_the_same_name(session: Session) -> None:
    session.run(["CREATE TABLE t (a INT)", "CREATE TEMP TABLE t (b INT)", "INSERT INTO t (b) VALUES (1)"])
    assert session.run(["SELECT b FROM t"])[0].rows == [(1,)]
    assert session.run(["SELECT a FROM public.t"])[0].rows == []


def test_a_materialized_view_is_a_view_that_is_never_behind(session: Session) -> None:
    session.run(
        [
            "CREATE TABLE t (a INT)",
            "CREATE MATERIALIZED VIEW mv SORTKEY (n) AUTO REFRESH YES AS SELECT COUNT(*) n FROM t",
            "INSERT INTO t VALUES (1)",
            "REFRESH MATERIALIZED VIEW mv",
        ]
    )
    assert session.run(["SELECT n FROM mv"])[0].rows == [(1,)]
    session.run(["DROP MATERIALIZED VIEW mv"])


def test_a_view_without_schema_binding_is_a_view(session: Session) -> None:
    session.run(["CREATE TABLE t (a INT)", "CREATE VIEW v AS SELECT a FROM public.t WITH NO SCHEMA BINDING"])
    assert session.run(["SELECT a FROM v"])[0].rows == []


def test_a_view_holds_on_to_its_tables_unless_it_binds_late(session: Session) -> None:
    session.run(
        [
            "CREATE SCHEMA stg",
            "CREATE TABLE stg.t (a INT)",
            "CREATE TABLE t (a INT)",
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE VIEW w AS SELECT a FROM v",
            "CREATE VIEW late AS SELECT a FROM public.t WITH NO SCHEMA BINDING",
            "DROP TABLE stg.t",
        ]
    )
    with pytest.raises(SqlError, match="cannot drop table t because other objects depend on it"):
        session.run(["DROP TABLE t"])
    session.run(["DROP TABLE t CASCADE"])
    with pytest.raises(SqlError, match='relation "w" does not exist'):
        session.run(["SELECT * FROM w"])
    session.run(["CREATE TABLE t (a INT)", "SELECT a FROM late"])


def test_a_view_is_replaced_by_one_with_the_same_columns_only(session: Session) -> None:
    session.run(["CREATE TABLE t (a INT, b INT)", "CREATE VIEW v AS SELECT a FROM t"])
    session.run(["CREATE OR REPLACE VIEW v AS SELECT b AS a FROM t"])
    for columns in ("a, b", "b", "a::BIGINT AS a"):
        with pytest.raises(SqlError, match="cannot change the names or types"):
            session.run([f"CREATE OR REPLACE VIEW v AS SELECT {columns} FROM t"])


def test_tables_change_by_alter_table(session: Session) -> None:
    session.run(
        [
            "CREATE TABLE t (a VARCHAR(5))",
            "INSERT INTO t VALUES ('x')",
            "ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7 ENCODE az64",
            "ALTER TABLE t RENAME COLUMN b TO c",
            "ALTER TABLE t RENAME TO u",
        ]
    )
    assert session.run(["SELECT a, c FROM u"])[0].rows == [("x", 7)]
    session.run(["ALTER TABLE u DROP COLUMN c"])


def test_the_search_path_says_where_a_bare_name_is_looked_up(session: Session) -> None:
    session.run(["CREATE SCHEMA stg", "SET search_path TO stg, public", "CREATE TABLE t (a INT)"])
    assert session.run(["SELECT * FROM stg.t"])[0].rows == []


def test_no_statement_reads_a_file_of_this_machine(session: Session) -> None:
    with pytest.raises(SqlError):
        session.run(["SELECT * FROM '/etc/passwd'"])


def test_what_is_cancelled_ends(session: Session) -> None:
    session.cancel()
    with pytest.raises(SqlError, match="cancelled on user's request"):
        session.run(["SELECT 1"])
