"""The local Cognito: a signing key of this machine's own, and the public half to verify tokens with."""

import json
from typing import Any

from joserfc.jwk import RSAKey
from moto.cognitoidp.models import cognitoidp_backends

from sightline_local.cloud.patches import users
from sightline_local.state import Facts

_KIND = "cognito.signing-key"
_KEY_BITS = 2048
_KEY_ID = "dummy"  # moto writes this id into the header of every token


class UnknownIssuerError(LookupError):
    """No user pool of this machine has this issuer."""


class TokenKeys:
    """The key pair of one start of the runtime, or the one kept from the first start: tokens stay good."""

    def __init__(self, facts: Facts | None = None) -> None:
        facts = facts or Facts.none()
        kept = facts.get(_KIND, _KEY_ID)
        self._private = RSAKey.import_key(json.loads(kept)) if kept else _new_key()
        if kept is None:
            facts.put(_KIND, _KEY_ID, json.dumps(self._private.as_dict(private=True)).encode())
        self.public: dict[str, Any] = {"keys": [self._private.as_dict(private=False)]}

    def install(self) -> None:
        """Make the pools sign with this key; before a pool is made."""
        users.sign_tokens_with(self._private, self.public)

    def jwks(self, issuer: str) -> dict[str, Any]:
        """The public keys of a pool by its issuer URL; UnknownIssuerError for a pool that is not here."""
        for by_region in cognitoidp_backends.values():
            for region, backend in by_region.items():
                for pool_id in backend.user_pools:
                    if issuer == f"https://cognito-idp.{region}.amazonaws.com/{pool_id}":
                        return self.public
        raise UnknownIssuerError(issuer)


def _new_key() -> RSAKey:
    key = RSAKey.generate_key(_KEY_BITS, {"alg": "RS256", "use": "sig"}, private=True)
    return RSAKey.import_key({**key.as_dict(private=True), "kid": _KEY_ID})
