"""SNS's publishing: moto keeps topics and subscriptions, what a message does is ours.

`Notifications` takes the place of moto's `Topic.publish`: message structure, filter policies, the documents
of each protocol with a real signature, asynchronous invocation of functions, delivery to HTTP endpoints.
"""

from sightline_local.cloud.sns.delivery import Notifications
from sightline_local.cloud.sns.signing import Signer

__all__ = ["Notifications", "Signer"]
