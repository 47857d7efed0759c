"""What an application can be doing.

https://docs.aws.amazon.com/managed-flink/latest/apiv2/API_ApplicationDetail.html
"""

from enum import StrEnum

from sightline.errors import DomainError


class Status(StrEnum):
    DELETING = "DELETING"
    STARTING = "STARTING"
    STOPPING = "STOPPING"
    READY = "READY"
    RUNNING = "RUNNING"
    UPDATING = "UPDATING"
    AUTOSCALING = "AUTOSCALING"
    FORCE_STOPPING = "FORCE_STOPPING"
    ROLLING_BACK = "ROLLING_BACK"
    MAINTENANCE = "MAINTENANCE"
    ROLLED_BACK = "ROLLED_BACK"


class NotRunningError(DomainError):
    """The application cannot be brought to run, or to stop."""
