"""The door for delivery streams, and who may come in."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sightline_local.cloud.redshift import CopyFailed, Redshift, SqlError, Warehouse
from sightline_local.iam import ADMIN_CREDENTIALS, Caller, Credentials, TrustDenied
from sightline_local.state import Facts

HOST = "sights.123456789012.us-east-1.redshift-serverless.amazonaws.com"
URL = f"jdbc:redshift://{HOST}:5439/dev"
FIREHOSE = Credentials("ASIAFIREHOSE", "secret", "token")
ROLE = "arn:aws:iam::123456789012:role/load"
SIGHTS = Warehouse(
    name="sights",
    arn="arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/1",
    host=HOST,
    port=5439,
    storage="namespace-sights",
    database="dev",
    admin="admin",
    password="pass",
    roles=(ROLE,),
    is_public=True,
)
COPY = "COPY rows (n) FROM 's3://b/manifest' CREDENTIALS 'aws_iam_role=arn:firehose' MANIFEST JSON 'auto';"


class S3:
    """Objects by bucket/key; remembers whose keys read them."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.readers: list[Credentials] = []

    def client(self, _service: str, credentials: Credentials) -> "S3":
        self.readers.append(credentials)
        return self

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803  boto3's names
        return {"Body": io.BytesIO(self.objects[f"{Bucket}/{Key}"])}


class Sessions:
    """Lends the one role to the principals that it trusts."""

    trusted = ("redshift.amazonaws.com",)

    def assume(self, _role: str, _name: str, *, service_principal: str) -> Credentials:
        if service_principal not in self.trusted:
            raise TrustDenied(service_principal)
        return ADMIN_CREDENTIALS


@pytest.fixture
def s3() -> S3:
    manifest = {"entries": [{"url": "s3://b/rows", "mandatory": True}]}
    return S3({"b/manifest": json.dumps(manifest).encode(), "b/rows": b'{"n": 1}{"n": 2}'})


@pytest.fixture
def redshift(s3: S3) -> Redshift:
    made = Redshift(Sessions(), s3)  # type: ignore[arg-type]  # fakes of what it needs
    made.find.append(lambda name, is_serverless: SIGHTS if is_serverless and name == "sights" else None)
    session = made.connect(SIGHTS, "dev", "admin", "pass")
    session.run(["CREATE TABLE rows (n INTEGER)"])
    session.close()
    return made


@pytest.fixture
def copy(redshift: Redshift) -> Callable[..., int]:
    def copy(**changed: Any) -> int:
        given = {"jdbc_url": URL, "user": "admin", "password": "pass", "statement": COPY}
        return redshift.copy(**{**given, **changed}, credentials=FIREHOSE)

    return copy


def count(redshift: Redshift) -> int:
    session = redshift.connect(SIGHTS, "dev", "admin", "pass")
    value = session.run(["SELECT COUNT(*) FROM rows"])[0].rows[0][0]
    session.close()
    return int(value)


def test_a_delivery_stream_loads_with_its_own_keys(
    redshift: Redshift, s3: S3, copy: Callable[..., int]
) -> None:
    assert copy() == 2
    assert count(redshift) == 2
    assert set(s3.readers) == {FIREHOSE}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"jdbc_url": "jdbc:postgresql://x:1/dev"}, "no JDBC URL"),
        ({"jdbc_url": URL.replace("sights.", "other.")}, "cannot be reached"),
        ({"jdbc_url": URL.replace(":5439", ":5440")}, "cannot be reached"),
        ({"jdbc_url": URL.replace("/dev", "/prod")}, 'database "prod" does not exist'),
        ({"password": "wrong"}, 'password authentication failed for user "admin"'),
        ({"user": "nobody"}, 'password authentication failed for user "nobody"'),
        ({"statement": COPY.replace("rows", "others", 1)}, 'relation "others" does not exist'),
        ({"statement": COPY.replace("(n)", "(m)")}, 'column "m" of relation "rows" does not exist'),
        ({"statement": COPY.replace("'auto'", "'auto' BZIP2")}, "COPY option BZIP2"),
    ],
)
def test_a_copy_that_fails_says_why_and_loads_nothing(
    redshift: Redshift, copy: Callable[..., int], changed: dict[str, str], reason: str
) -> None:
    with pytest.raises(CopyFailed, match=reason):
        copy(**changed)
    assert count(redshift) == 0


def test_a_delivery_stream_does_not_reach_a_warehouse_that_is_not_public(redshift: Redshift) -> None:
    redshift.find[:] = [lambda _name, _is_serverless: replace(SIGHTS, is_public=False)]
    with pytest.raises(CopyFailed, match="not publicly accessible"):
        redshift.copy(jdbc_url=URL, user="admin", password="pass", statement=COPY, credentials=FIREHOSE)


def test_a_database_whose_warehouse_the_template_has_no_more_is_named(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.sqlite")
    redshift = Redshift(Sessions(), S3({}), facts)  # type: ignore[arg-type]  # fakes of what it needs
    redshift.storages.append(lambda: ["namespace-sights"])
    redshift.connect(SIGHTS, "dev", "admin", "pass").close()
    redshift.connect(replace(SIGHTS, storage="namespace-old"), "dev", "admin", "pass").close()
    assert redshift.homeless() == ["database of namespace-old"]
    redshift.close()
    facts.close()


def test_an_iam_identity_comes_in_with_the_password_that_it_was_lent(redshift: Redshift) -> None:
    caller = Caller(
        "ASIA",
        "arn:aws:sts::123456789012:assumed-role/apply/session",
        "arn:aws:iam::123456789012:role/apply",
        "",
    )
    user, password = redshift.lend(SIGHTS, caller)
    assert user == "IAMR:apply"
    redshift.connect(SIGHTS, "dev", user, password).close()
    with pytest.raises(SqlError, match="password authentication failed"):
        redshift.connect(SIGHTS, "dev", user, "guess")


@pytest.mark.parametrize(
    ("warehouse", "role", "refused"),
    [
        (SIGHTS, f"'{ROLE}'", False),
        (SIGHTS, "'arn:aws:iam::123456789012:role/stranger'", True),
        (SIGHTS, "default", True),
        (replace(SIGHTS, default_role=ROLE), "default", False),
    ],
)
def test_copy_reads_with_a_role_of_the_warehouse_or_not_at_all(
    redshift: Redshift, warehouse: Warehouse, role: str, refused: bool
) -> None:
    sql = f"COPY rows FROM 's3://b/manifest' IAM_ROLE {role} MANIFEST JSON 'auto'"
    session = redshift.connect(warehouse, "dev", "admin", "pass")
    if refused:
        with pytest.raises(SqlError, match=r"not authorized to assume|needs IAM_ROLE"):
            session.run([sql])
    else:
        assert session.run([sql])[0].count == 2
    session.close()


def test_a_role_that_does_not_trust_redshift_is_not_assumed(
    redshift: Redshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sessions, "trusted", ())
    session = redshift.connect(SIGHTS, "dev", "admin", "pass")
    with pytest.raises(SqlError, match="is not authorized to assume IAM Role"):
        session.run([f"COPY rows FROM 's3://b/manifest' IAM_ROLE '{ROLE}' MANIFEST JSON 'auto'"])
