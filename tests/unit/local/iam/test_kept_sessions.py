"""Keys that were lent stay good through a restart, and end when they were to end."""

from datetime import timedelta
from pathlib import Path

import pytest

from sightline_local.cloud.cognito import TokenKeys
from sightline_local.iam.sessions import ExpiredToken, Sessions, UnknownKey
from sightline_local.state import Facts, FactsNotKeptError

ACCOUNT, REGION = "123456789012", "us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/camera"
POLICY = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
}


def test_a_session_is_the_same_after_a_restart(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.sqlite")
    before = Sessions(ACCOUNT, REGION, facts)
    lent = before._begin(ROLE, "gate", POLICY, timedelta(hours=1))
    known = before.caller_of(lent.access_key, lent.session_token)
    facts.close()

    facts = Facts(tmp_path / "facts.sqlite")
    after = Sessions(ACCOUNT, REGION, facts)

    assert after.caller_of(lent.access_key, lent.session_token) == known
    assert known.session_policy == POLICY
    assert after.credentials_of(lent.access_key) == lent
    with pytest.raises(UnknownKey):
        after.caller_of(lent.access_key, "another token")
    facts.close()


def test_a_session_that_ended_is_expired_and_a_day_later_forgotten(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.sqlite")
    before = Sessions(ACCOUNT, REGION, facts)
    ended = before._begin(ROLE, "gate", None, timedelta(hours=-1))
    before._begin(ROLE, "gate", None, timedelta(hours=-25))

    after = Sessions(ACCOUNT, REGION, facts)
    with pytest.raises(ExpiredToken):
        after.caller_of(ended.access_key, ended.session_token)
    latest = after._begin(ROLE, "gate", None, timedelta(hours=1))

    assert {key for key, _ in facts.all("iam.session")} == {ended.access_key, latest.access_key}
    facts.close()


def test_keys_that_cannot_be_kept_are_not_lent(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.sqlite")
    sessions = Sessions(ACCOUNT, REGION, facts)
    facts._db.execute("PRAGMA query_only = 1")

    with pytest.raises(FactsNotKeptError):
        sessions._begin(ROLE, "gate", None, timedelta(hours=1))

    assert sessions._sessions == {}
    facts.close()


def test_tokens_of_the_last_start_can_be_verified(tmp_path: Path) -> None:
    facts = Facts(tmp_path / "facts.sqlite")

    first, second = TokenKeys(facts), TokenKeys(facts)

    assert first.public == second.public
    assert TokenKeys().public != first.public
    facts.close()
