"""The JWT authorizer of HTTP APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from sightline_local.triggers.http_routes import JwtAuthorizer

Jwks = Callable[[str], dict[str, Any]]


class Unauthorized(Exception):  # noqa: N818  the status that it becomes
    """401: no token, or one that is not good here."""


class Forbidden(Exception):  # noqa: N818  the status that it becomes
    """403: a good token without the scope that the route asks for."""


def verified_claims(
    authorizer: JwtAuthorizer, scopes: tuple[str, ...], header: str, jwks: Jwks
) -> dict[str, Any]:
    """The claims of the token in the header (with or without `Bearer`); raise Unauthorized or Forbidden."""
    token = header.removeprefix("Bearer ").removeprefix("bearer ").strip()
    if not token:
        raise Unauthorized("there is no token")
    claims = _signed_claims(token, authorizer, jwks)
    _check_claims(claims, authorizer)
    granted = set(str(claims.get("scope", claims.get("scp", ""))).split())
    if scopes and not granted & set(scopes):
        raise Forbidden("the token has none of the route's scopes")
    return claims


def as_event(claims: dict[str, Any]) -> dict[str, str]:
    """The claims as the event shows them: every value is text."""
    return {name: _text(value) for name, value in claims.items()}


def _signed_claims(token: str, authorizer: JwtAuthorizer, jwks: Jwks) -> dict[str, Any]:
    try:
        keys: Any = KeySet.import_key_set(jwks(authorizer.issuer))  # type: ignore[arg-type]
        return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)
    except (JoseError, LookupError, ValueError) as error:
        raise Unauthorized("the token's signature is not one of the issuer's") from error


def _check_claims(claims: dict[str, Any], authorizer: JwtAuthorizer) -> None:
    if claims.get("iss") != authorizer.issuer:
        raise Unauthorized("another issuer's token")
    # Access tokens of Cognito have no aud; their client_id stands in for it.
    audience = claims.get("aud", claims.get("client_id"))
    for_whom = audience if isinstance(audience, list) else [audience]
    if not set(for_whom) & set(authorizer.audience):
        raise Unauthorized("a token for another audience")
    now = time.time()
    if not _is_number(claims.get("exp")) or claims["exp"] <= now:
        raise Unauthorized("the token has expired")
    if any(
        name in claims and not (_is_number(claims[name]) and claims[name] <= now) for name in ("nbf", "iat")
    ):
        raise Unauthorized("the token is of the future")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
