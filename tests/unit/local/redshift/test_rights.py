"""What users of a database may do.

https://docs.aws.amazon.com/redshift/latest/dg/r_Privileges.html
"""

from collections.abc import Callable

import pytest

from sightline_local.cloud.redshift.database import Database
from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError
from sightline_local.cloud.redshift.session import Session

Run = Callable[..., int]
ROLE = "IAMR:apply"


@pytest.fixture
def database() -> Database:
    return Database("dev")


@pytest.fixture
def admin(database: Database) -> Run:
    session = Session(database, "admin", lambda _session, _sql: 0)

    def run(*statements: str) -> int:
        return len(session.run(list(statements))[-1].rows)

    run(
        "CREATE SCHEMA stg",
        "CREATE TABLE stg.rows (n INTEGER)",
        "CREATE TABLE facts (n INTEGER)",
        "CREATE VIEW seen AS SELECT n FROM stg.rows",
    )
    return run


@pytest.fixture
def apply(database: Database, admin: Run) -> Run:
    """As a role that came in by IAM."""
    database.know(ROLE)
    session = Session(database, ROLE, lambda _session, _sql: 0, is_super=False)

    def run(*statements: str) -> int:
        return len(session.run(list(statements))[-1].rows)

    return run


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("CREATE SCHEMA mine", "permission denied for database"),
        ("CREATE TABLE stg.mine (a INTEGER)", "permission denied for schema stg"),
        ("SELECT * FROM stg.rows", "permission denied for schema stg"),
        ("SELECT * FROM facts", "permission denied for relation facts"),
        ("WITH f AS (SELECT * FROM facts) SELECT * FROM f", "permission denied for relation facts"),
        ("INSERT INTO facts VALUES (1)", "permission denied for relation facts"),
        ("UPDATE facts SET n = 1", "permission denied for relation facts"),
        ("DELETE FROM facts", "permission denied for relation facts"),
        ("TRUNCATE facts", "must be owner of relation facts"),
        ("DROP TABLE facts", "must be owner of relation facts"),
        ("ALTER TABLE facts ADD COLUMN m INTEGER", "must be owner of relation facts"),
        ("CREATE OR REPLACE VIEW seen AS SELECT 1 AS n", "must be owner of relation seen"),
        ("CREATE TABLE mine AS SELECT n FROM facts", "permission denied for relation facts"),
        ("GRANT SELECT ON facts TO PUBLIC", "permission denied for relation facts"),
        ("CREATE USER other PASSWORD 'Secret12'", "only superusers create users"),
    ],
)
def test_a_user_may_nothing_with_what_others_own(apply: Run, statement: str, refusal: str) -> None:
    with pytest.raises(SqlError, match=refusal):
        apply(statement)


def test_a_user_may_everything_with_its_own_in_the_public_schema(apply: Run) -> None:
    apply(
        "CREATE TABLE mine (a INTEGER)",
        "INSERT INTO mine VALUES (1)",
        "UPDATE mine SET a = 2",
        "CREATE VIEW shown AS SELECT a FROM mine",
        "CREATE TEMP TABLE passing AS SELECT a FROM shown",
        "INSERT INTO mine SELECT a FROM passing",
        "ALTER TABLE mine ADD COLUMN b INTEGER",
        "TRUNCATE mine",
        "DROP VIEW shown",
        "DROP TABLE mine",
    )


def test_everybody_sees_the_errors_of_loads(apply: Run) -> None:
    assert apply("SELECT * FROM sys_load_error_detail") == 0


def test_a_grant_lets_a_user_until_it_is_revoked(admin: Run, apply: Run) -> None:
    admin(f'GRANT USAGE ON SCHEMA stg TO "{ROLE}"', f'GRANT SELECT, INSERT ON TABLE stg.rows TO "{ROLE}"')
    apply("INSERT INTO stg.rows VALUES (1)")
    assert apply("SELECT * FROM stg.rows") == 1
    admin("REVOKE ALL PRIVILEGES ON stg.rows FROM " + f'"{ROLE}"')
    with pytest.raises(SqlError, match="permission denied for relation rows"):
        apply("SELECT * FROM stg.rows")


def test_all_tables_of_a_schema_are_those_of_now(admin: Run, apply: Run) -> None:
    admin("GRANT USAGE ON SCHEMA stg TO PUBLIC", "GRANT ALL ON ALL TABLES IN SCHEMA stg TO PUBLIC")
    apply("SELECT * FROM stg.rows")
    admin("CREATE TABLE stg.later (n INTEGER)")
    with pytest.raises(SqlError, match="permission denied for relation later"):
        apply("SELECT * FROM stg.later")


def test_a_view_shows_what_its_reader_may_not_read(admin: Run, apply: Run) -> None:
    admin("GRANT SELECT ON seen TO PUBLIC")
    assert apply("SELECT * FROM seen") == 0


def test_merge_needs_what_it_does(admin: Run, apply: Run) -> None:
    merge = (
        "MERGE INTO facts USING stg.rows AS s ON facts.n = s.n WHEN MATCHED THEN UPDATE SET n = s.n"
        " WHEN NOT MATCHED THEN INSERT (n) VALUES (s.n)"
    )
    admin("GRANT USAGE ON SCHEMA stg TO PUBLIC", "GRANT SELECT ON stg.rows TO PUBLIC")
    admin("GRANT SELECT, INSERT ON facts TO PUBLIC")
    with pytest.raises(SqlError, match="permission denied for relation facts"):
        apply(merge)
    admin("GRANT UPDATE ON facts TO PUBLIC")
    apply(merge)


def test_what_is_dropped_leaves_no_grant_to_its_successor(admin: Run, apply: Run) -> None:
    admin("GRANT SELECT ON facts TO PUBLIC", "DROP TABLE facts", "CREATE TABLE facts (n INTEGER)")
    with pytest.raises(SqlError, match="permission denied for relation facts"):
        apply("SELECT * FROM facts")


def test_a_grant_of_a_transaction_that_failed_is_none(admin: Run, apply: Run) -> None:
    with pytest.raises(SqlError):
        admin("GRANT SELECT ON facts TO PUBLIC", "SELECT * FROM nowhere")
    with pytest.raises(SqlError, match="permission denied for relation facts"):
        apply("SELECT * FROM facts")


def test_grants_are_to_users_that_there_are(admin: Run, database: Database) -> None:
    with pytest.raises(SqlError, match='user "IAMR:other" does not exist'):
        admin('GRANT SELECT ON facts TO "IAMR:other"')
    admin('CREATE USER "IAMR:other" PASSWORD DISABLE', 'GRANT SELECT ON facts TO "IAMR:other"')
    admin("CREATE USER Loader WITH PASSWORD 'Secret12'")
    assert database.password_of("loader") == "Secret12"
    assert database.password_of("IAMR:other") is None
    with pytest.raises(SqlError, match='user "loader" already exists'):
        admin("CREATE USER loader PASSWORD 'Secret12'")


@pytest.mark.parametrize(
    "statement",
    [
        "GRANT SELECT ON facts TO ROLE reader",
        "GRANT SELECT ON facts TO GROUP readers",
        "GRANT EXECUTE ON FUNCTION f TO PUBLIC",
        "CREATE USER a PASSWORD 'x' CREATEDB",
    ],
)
def test_roles_groups_and_functions_are_refused_by_name(admin: Run, statement: str) -> None:
    with pytest.raises(NotEmulatedError):
        admin(statement)


@pytest.mark.parametrize(
    "statement", ["GRANT USAGE ON facts TO PUBLIC", "GRANT SELECT ON SCHEMA stg TO PUBLIC"]
)
def test_a_privilege_must_be_one_of_its_kind(admin: Run, statement: str) -> None:
    with pytest.raises(SqlError, match="invalid privilege type"):
        admin(statement)


@pytest.mark.parametrize(
    "password",
    [
        "Short1",
        "x" * 62 + "A1b",
        "alllower1",
        "ALLUPPER1",
        "NoDigitsHere",
        "With/Slash1",
        "With@Sign1",
        "With Space1",
    ],
)
def test_a_password_that_redshift_does_not_take_is_refused(admin: Run, password: str) -> None:
    with pytest.raises(SqlError, match="a password must"):
        admin(f"CREATE USER someone PASSWORD '{password}'")
