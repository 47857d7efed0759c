"""Tokens that are good, and every way in which they are not."""

import time
from functools import cache
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from sightline_local.triggers.http_routes import JwtAuthorizer
from sightline_local.triggers.jwt_authorizer import Forbidden, Unauthorized, as_event, verified_claims

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool"
AUTHORIZER = JwtAuthorizer(ISSUER, ("the-client",), "authorization")


@cache
def key(name: str) -> RSAKey:
    generated = RSAKey.generate_key(2048, private=True)
    return RSAKey.import_key({**generated.as_dict(private=True), "kid": name})


def jwks(issuer: str) -> dict[str, Any]:
    if issuer != ISSUER:
        raise LookupError(issuer)
    return {"keys": [key("ours").as_dict(private=False)]}


def token(signed_by: str = "ours", **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "client_id": "the-client", "exp": now + 60, "iat": now, "sub": "u", **changes}
    present = {name: value for name, value in claims.items() if value is not None}
    signed: str = jwt.encode({"alg": "RS256", "kid": "ours"}, present, key(signed_by))
    return signed


def verify(header: str, *scopes: str) -> dict[str, Any]:
    return verified_claims(AUTHORIZER, scopes, header, jwks)


def test_a_good_token_gives_its_claims() -> None:
    assert verify(f"Bearer {token()}")["sub"] == "u"


def test_the_word_bearer_may_be_left_out() -> None:
    assert verify(token())["sub"] == "u"


def test_an_id_token_names_its_audience_in_aud() -> None:
    assert verify(token(aud="the-client", client_id=None))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere"},
        {"client_id": "another"},
        {"aud": "another"},
        {"client_id": None},
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
    ],
    ids=["iss", "client", "aud", "no client", "expired", "no exp", "wrong exp", "not yet", "to be issued"],
)
def test_a_token_with_a_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        verify(f"Bearer {token(**changes)}")


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer x.y.z", "Basic dXNlcjpwYXNz"])
def test_what_is_no_token_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized):
        verify(header)


def test_a_token_that_somebody_else_signed_is_refused() -> None:
    with pytest.raises(Unauthorized):
        verify(token(signed_by="theirs"))


def test_an_unsigned_token_is_refused() -> None:
    head, body, _ = token().split(".")
    with pytest.raises(Unauthorized):
        verify(f"eyJhbGciOiJub25lIn0.{body}.")
    with pytest.raises(Unauthorized):
        verify(f"{head}.{body}.")


def test_a_route_with_scopes_wants_one_of_them() -> None:
    assert verify(token(scope="read write"), "write", "admin")
    with pytest.raises(Forbidden):
        verify(token(scope="read"), "write")


def test_every_claim_is_text_in_the_event() -> None:
    assert as_event({"exp": 1, "email_verified": True, "cognito:groups": ["a", "b"]}) == {
        "exp": "1",
        "email_verified": "true",
        "cognito:groups": "[a b]",
    }
