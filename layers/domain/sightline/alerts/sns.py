"""The alerts topic."""

import json
from dataclasses import dataclass
from typing import Any

from sightline.alerts.model import Notification
from sightline.outages import any_failure_means_later


@dataclass(frozen=True, slots=True)
class SnsAlertSink:
    """`client` is a boto3 SNS client."""

    client: Any
    topic_arn: str

    def publish(self, notification: Notification) -> None:
        with any_failure_means_later("the alerts topic"):
            self.client.publish(
                TopicArn=self.topic_arn,
                Subject=notification.subject,
                Message=_message(notification),
                MessageStructure="json",
                MessageAttributes={
                    name: {
                        "DataType": "String" if isinstance(value, str) else "Number",
                        "StringValue": str(value),
                    }
                    for name, value in notification.attributes.items()
                },
            )


def _message(notification: Notification) -> str:
    """Programs (queues, functions, webhooks) get `default`; people get words."""
    texts = {"default": notification.body, "sms": notification.subject}
    if notification.text:
        texts["email"] = notification.text
    return json.dumps(texts, ensure_ascii=False)
