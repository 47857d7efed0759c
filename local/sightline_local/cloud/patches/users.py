"""What moto's user pools sign with, and are called."""

import base64
import hashlib
import itertools
import json
from typing import Any

from moto.cognitoidp import models as cognito_models
from moto.cognitoidp import responses as cognito_responses

from sightline_local.cloud.patches import original_of, replace


def sign_tokens_with(private_key: Any, public_keys: dict[str, Any]) -> None:
    """Moto signs with a private key that everybody can read in its source: tokens that anyone could forge."""
    original = original_of(cognito_models.CognitoIdpUserPool, "__init__")

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.json_web_key = private_key

    replace(cognito_models.CognitoIdpUserPool, "__init__", init)
    replace(cognito_responses.CognitoIdpJsonWebKeyResponse, "json_web_key", json.dumps(public_keys))


def name_pools_alike_at_every_start() -> None:
    """Moto makes the ids of pools and clients at random: no token and no user would outlive a restart."""

    def generate_id(_strategy: str | None, place: str, name: Any, settings: Any) -> str:
        of_a_client = "_" in place  # in the place of the region stands the pool's id
        called = (settings or {}).get("ClientName") if of_a_client else name
        numbered = (f"{place}/{called}/{number}" for number in itertools.count())
        ids = (
            base64.b32encode(hashlib.sha256(text.encode()).digest())[:26].decode().lower()
            for text in numbered
        )
        return next(each for each in ids if not _is_taken(each))

    replace(cognito_models, "generate_id", generate_id)


def _is_taken(short_id: str) -> bool:
    pools = [
        pool
        for by_region in cognito_models.cognitoidp_backends.values()
        for backend in by_region.values()
        for pool in backend.user_pools.values()
    ]
    return any(pool.id.endswith(f"_{short_id}") or short_id in pool.clients for pool in pools)
