"""The text of a COPY."""

import pytest

from sightline_local.cloud.redshift.copy_command import DEFAULT_ROLE, read_copy
from sightline_local.cloud.redshift.errors import NotEmulatedError, SqlError


def test_everything_that_is_said_is_read() -> None:
    command = read_copy(
        """COPY Stg."Rows" (Id, seen_at) FROM 's3://b/manifest' IAM_ROLE 'arn:role' MANIFEST GZIP
           FORMAT AS JSON 's3://b/paths' TIMEFORMAT AS 'epochsecs' DATEFORMAT 'auto' MAXERROR AS 10
           TRUNCATECOLUMNS BLANKSASNULL EMPTYASNULL ROUNDEC ACCEPTINVCHARS AS '^' COMPUPDATE OFF
           STATUPDATE ON REGION AS 'us-east-1' NOLOAD;"""
    )
    assert (command.schema, command.table, command.columns) == ("stg", "rows", ("id", "seen_at"))
    assert (command.source, command.role, command.json) == ("s3://b/manifest", "arn:role", "s3://b/paths")
    assert (command.time_format, command.date_format, command.max_errors) == ("epochsecs", "auto", 10)
    assert command.is_manifest
    assert command.gzip
    assert command.truncates
    assert command.blanks_as_null
    assert command.empty_as_null
    assert command.rounds
    assert command.only_checks
    assert command.invalid_character == "^"


def test_what_is_not_said_has_redshifts_default() -> None:
    command = read_copy("copy t from 's3://b/k' iam_role default json 'auto ignorecase'")
    assert (command.role, command.json, command.columns) == (DEFAULT_ROLE, "auto ignorecase", None)
    assert command.max_errors == 0
    assert not command.gzip


def test_a_flag_takes_nothing_of_the_option_behind_it() -> None:
    command = read_copy(
        "COPY t FROM 's3://b/k' CREDENTIALS 'aws_iam_role=arn' JSON 'auto' GZIP TIMEFORMAT 'auto'"
    )
    assert command.gzip is True
    assert command.time_format == "auto"
    assert command.role == "arn"


@pytest.mark.parametrize(
    "rest",
    [
        "JSON 'auto' NOT_AN_OPTION",
        "JSON 'auto' BZIP2",
        "JSON 'noshred'",
        "CSV",
        "FORMAT AS PARQUET",
        "DELIMITER '|'",
        "",
        "CREDENTIALS 'aws_access_key_id=a;aws_secret_access_key=b' JSON 'auto'",
    ],
)
def test_an_option_that_is_not_emulated_is_refused_by_name(rest: str) -> None:
    with pytest.raises(NotEmulatedError):
        read_copy(f"COPY t FROM 's3://b/k' {rest}")


@pytest.mark.parametrize(
    "text",
    ["COPY t", "COPY t FROM x", "COPY t FROM 's3://b/k' JSON 'auto' MAXERROR 100001", "COPY t (a FROM 'x'"],
)
def test_what_is_no_copy_is_refused(text: str) -> None:
    with pytest.raises(SqlError):
        read_copy(text)
