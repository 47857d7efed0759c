"""SNS: subscriptions with their attributes, and which of them are confirmed."""

from collections.abc import Callable
from typing import Any, TypeVar

from moto.sns.models import Subscription, sns_backends

from sightline_local.cloud.calls import Call
from sightline_local.cloud.patches import topics
from sightline_local.state.changes import Changes
from sightline_local.state.encoding import decode, encode
from sightline_local.state.facts import Facts

T = TypeVar("T")


class Subscriptions:
    """Those of the template are made anew and told whether they were confirmed; others are made here."""

    def __init__(self, facts: Facts, account: str, region: str) -> None:
        self._account = account
        self._region = region
        self._changes = Changes(facts, "sns.subscription")
        self._of_template: set[str] = set()

    def install(self) -> None:
        topics.name_subscriptions_as_they_are()

    def after(self, call: Call | None = None) -> None:
        if call is not None and call.operation.startswith("Publish"):
            return  # every other call may touch any of them
        self._changes.keep(
            {arn: encode(self._described(each)) for arn, each in list(self._backend().subscriptions.items())}
        )

    def after_each(self, visited: Callable[..., T]) -> Callable[..., T]:
        """The same function, with what it changes kept: a link in a message is no call."""

        def kept(*arguments: Any) -> T:
            answer = visited(*arguments)
            self.after()
            return answer

        return kept

    def restore(self) -> list[str]:
        backend, homeless = self._backend(), set()
        self._of_template = set(backend.subscriptions)
        for arn, fact in self._changes.restored():
            kept = decode(fact)
            self._changes.found(arn, fact)
            if arn in backend.subscriptions:
                _tell_confirmed(backend.subscriptions[arn], kept["attributes"])
            elif kept["of_template"]:
                continue  # the template has it no more: it is gone, as on AWS
            elif topic := backend.topics.get(kept["topic"]):
                backend.subscriptions[arn] = self._made(topic, kept)
            else:
                homeless.add(f"topic {kept['topic'].rpartition(':')[2]}")
        return sorted(homeless)

    def begin(self) -> None:
        self.after()

    def _backend(self) -> Any:
        return sns_backends[self._account][self._region]

    def _described(self, subscription: Any) -> dict[str, Any]:
        return {
            "topic": subscription.topic.arn,
            "endpoint": subscription.endpoint,
            "protocol": subscription.protocol,
            "attributes": subscription.attributes,
            "of_template": subscription.arn in self._of_template,
        }

    def _made(self, topic: Any, kept: dict[str, Any]) -> Subscription:
        subscription = Subscription(self._account, topic, kept["endpoint"], kept["protocol"])
        subscription.attributes = kept["attributes"]
        return subscription


def _tell_confirmed(subscription: Any, kept: dict[str, Any]) -> None:
    if "PendingConfirmation" in kept:
        subscription.attributes["PendingConfirmation"] = kept["PendingConfirmation"]
