"""How moto's topics publish and subscribe, and why we change it."""

import uuid
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.sns import models as sns_models
from moto.sns import responses as sns_responses
from moto.sns.exceptions import SNSInvalidParameter

from sightline_local.cloud.patches import original_of, replace


def publish_with(publish: Callable[..., str]) -> None:
    """Moto calls its own Lambda, filters by the whole structured message, and signs without the subject."""

    def own(
        self: Any,
        message: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        *,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> str:
        return publish(self, message, subject, message_attributes, message_structure)

    replace(sns_models.Topic, "publish", own)


def ask_web_servers_first(ask: Callable[[Any], None], confirm: Callable[[str, str], str | None]) -> None:
    """To moto every subscription is confirmed at once, and every token confirms it."""
    original = original_of(sns_models.SNSBackend, "subscribe")

    def subscribe(self: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
        known = self._find_subscription(topic_arn, endpoint, protocol)
        subscription = original(self, topic_arn, endpoint, protocol)
        if protocol in ("http", "https") and known is None:
            ask(subscription)
        return subscription

    def confirm_subscription(self: Any) -> Any:
        arn = confirm(self._get_param("TopicArn"), self._get_param("Token"))
        if arn is None:
            raise SNSInvalidParameter("Token")
        return ActionResult({"SubscriptionArn": arn})

    replace(sns_models.SNSBackend, "subscribe", subscribe)
    replace(sns_responses.SNSResponse, "confirm_subscription", confirm_subscription)


def name_subscriptions_as_they_are() -> None:
    """Moto gives a subscription another ARN at every start; nobody else has its topic and endpoint."""
    original = original_of(sns_models.Subscription, "__init__")

    def init(self: Any, account_id: str, topic: Any, endpoint: str, protocol: str) -> None:
        original(self, account_id, topic, endpoint, protocol)
        self.arn = f"{topic.arn}:{uuid.uuid5(uuid.NAMESPACE_URL, f'{topic.arn}/{protocol}/{endpoint}')}"

    replace(sns_models.Subscription, "__init__", init)
