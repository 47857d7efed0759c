"""Requests to web servers that are still to be made, and the tokens that confirm subscriptions, as facts."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sightline_local.cloud.sns.message import Message
from sightline_local.state import Facts

_POST, _TOKEN = "sns.post", "sns.token"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Of a subscription, what is needed when its endpoint does not answer."""

    arn: str
    protocol: str
    endpoint: str
    attributes: dict[str, str]

    @classmethod
    def of(cls, subscription: Any) -> "Subscriber":
        """From moto's subscription, as it is now."""
        policy = subscription.attributes.get("RedrivePolicy")
        attributes = {"RedrivePolicy": policy} if policy else {}
        return cls(subscription.arn, subscription.protocol, subscription.endpoint, attributes)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a request tells, to whom, with which version of the signature."""

    message: Message
    subscriber: Subscriber
    version: str


@dataclass(frozen=True, slots=True)
class Post:
    """One request on its way; `notice` is None for one that only asks for confirmation."""

    post_id: str
    url: str
    headers: dict[str, str]
    body: str
    moment: datetime
    attempt: int = 0
    notice: Notice | None = field(default=None, repr=False)


class KeptPosts:
    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def all(self) -> Iterator[Post]:
        for _, value in self._facts.all(_POST):
            yield _read(json.loads(value))

    def keep(self, post: Post) -> None:
        self._facts.put(_POST, post.post_id, json.dumps(asdict(post), default=datetime.isoformat).encode())

    def ended(self, post: Post) -> None:
        self._facts.delete(_POST, [post.post_id])


class KeptTokens:
    """One for each subscription of a web server: the last one that it was sent."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def all(self) -> dict[str, str]:
        """Token → ARN of the subscription."""
        return {token.decode(): arn for arn, token in self._facts.all(_TOKEN)}

    def keep(self, subscription_arn: str, token: str) -> None:
        self._facts.put(_TOKEN, subscription_arn, token.encode())

    def is_known(self, subscription_arn: str) -> bool:
        return self._facts.get(_TOKEN, subscription_arn) is not None


def _read(members: dict[str, Any]) -> Post:
    notice = members["notice"]
    if notice:
        told = notice["message"]
        message = Message(**told | {"published_at": datetime.fromisoformat(told["published_at"])})
        notice = Notice(message, Subscriber(**notice["subscriber"]), notice["version"])
    return Post(**members | {"moment": datetime.fromisoformat(members["moment"]), "notice": notice})
