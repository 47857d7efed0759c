"""Cognito: users with their passwords and groups, tokens that can be refreshed, secrets of clients."""

import time
from collections.abc import Iterator
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, UserStatus, cognitoidp_backends
from moto.cognitoidp.utils import flatten_attrs

from sightline_local.cloud.calls import Call
from sightline_local.cloud.patches import users
from sightline_local.state.changes import Changes
from sightline_local.state.encoding import decode, encode, simple_attributes
from sightline_local.state.facts import Facts

_USER, _TOKEN, _CLIENT = "cognito.user", "cognito.token", "cognito.client"
_LIFETIMES = {"access": 3600.0, "refresh": 30 * 86400.0}  # the second is Cognito's default


class Users:
    """Pools and clients come from the template, or from calls that are repeated; here is what they hold."""

    def __init__(self, facts: Facts, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._users = Changes(facts, _USER)
        self._tokens = Changes(facts, _TOKEN)
        self._clients = Changes(facts, _CLIENT)
        self._since: dict[str, float] = {}  # token → when it was given

    def install(self) -> None:
        users.name_pools_alike_at_every_start()

    def after(self, call: Call) -> None:  # noqa: ARG002  any call may touch any user
        self._users.keep({key: encode(user) for key, user in self._present_users()})
        self._tokens.keep({key: encode(token) for key, token in self._present_tokens()})
        self._clients.keep(
            {
                f"{pool.id}/{client.id}": encode(client.secret)
                for pool in self._pools().values()
                for client in pool.clients.values()
            }
        )

    def restore(self) -> list[str]:
        homeless = set()
        for changes, restore_one in (
            (self._clients, _restore_client),
            (self._users, _restore_user),
            (self._tokens, self._restore_token),
        ):
            for key, fact in changes.restored():
                pool_id, _, name = key.partition("/")
                if pool := self._pools().get(pool_id):
                    restore_one(pool, name, decode(fact))
                    changes.found(key, fact)
                else:
                    homeless.add(f"user pool {pool_id}")
        return sorted(homeless)

    def begin(self) -> None: ...

    def _pools(self) -> Any:
        return cognitoidp_backends[self._account][self._region].user_pools

    def _present_users(self) -> Iterator[tuple[str, Any]]:
        for pool in list(self._pools().values()):
            for user in list(pool.users.values()):
                groups = sorted(group.group_name for group in user.groups)
                values = simple_attributes(user)
                yield (
                    f"{pool.id}/{user.username}",
                    {"values": values, "attributes": user.attributes, "groups": groups},
                )

    def _present_tokens(self) -> Iterator[tuple[str, Any]]:
        now = time.time()
        for pool in list(self._pools().values()):
            for kind, tokens in (("access", pool.access_tokens), ("refresh", pool.refresh_tokens)):
                for token, whose in list(tokens.items()):
                    yield f"{pool.id}/{kind}/{token}", [whose, self._since.setdefault(token, now)]

    def _restore_token(self, pool: Any, name: str, kept: list[Any]) -> None:
        kind, _, token = name.partition("/")
        whose, given = kept
        if given + _LIFETIMES[kind] > time.time():
            self._since[token] = given
            tokens = pool.access_tokens if kind == "access" else pool.refresh_tokens
            tokens[token] = None if whose is None else tuple(whose)


def _restore_client(pool: Any, name: str, secret: str) -> None:
    if client := pool.clients.get(name):
        client.secret = secret


def _restore_user(pool: Any, name: str, kept: dict[str, Any]) -> None:
    user = CognitoIdpUser(pool.id, name, None, "", kept["attributes"])
    vars(user).update(kept["values"])
    user.status = UserStatus(kept["values"]["status"])
    user.attributes, user.attribute_lookup = kept["attributes"], flatten_attrs(kept["attributes"])
    for group_name in kept["groups"]:
        if group := pool.groups.get(group_name):
            group.users.add(user)
            user.groups.add(group)
    pool.users[user.username] = user
