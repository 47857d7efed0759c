"""The local Cognito: a signing key of its own for every start, and the public half to verify tokens with."""

from typing import Any

from joserfc.jwk import RSAKey
from moto.cognitoidp.models import cognitoidp_backends

from sightline_local.cloud import patches

_KEY_BITS = 2048
_KEY_ID = "dummy"  # moto writes this id into the header of every token


class UnknownIssuerError(LookupError):
    """No user pool of this machine has this issuer."""


class TokenKeys:
    """The key pair of one start of the runtime."""

    def __init__(self) -> None:
        key = RSAKey.generate_key(_KEY_BITS, {"alg": "RS256", "use": "sig"}, private=True)
        self._private = RSAKey.import_key({**key.as_dict(private=True), "kid": _KEY_ID})
        self.public: dict[str, Any] = {"keys": [self._private.as_dict(private=False)]}

    def install(self) -> None:
        """Make the pools sign with this key; before a pool is made."""
        patches.sign_tokens_with(self._private, self.public)

    def jwks(self, issuer: str) -> dict[str, Any]:
        """The public keys of a pool by its issuer URL; UnknownIssuerError for a pool that is not here."""
        for by_region in cognitoidp_backends.values():
            for region, backend in by_region.items():
                for pool_id in backend.user_pools:
                    if issuer == f"https://cognito-idp.{region}.amazonaws.com/{pool_id}":
                        return self.public
        raise UnknownIssuerError(issuer)
