"""Schedules: EventBridge Scheduler (its own API and roles) and the scheduled rules of EventBridge."""

from sightline_local.cloud.scheduler.rules import ScheduledRules
from sightline_local.cloud.scheduler.service import SchedulerService

__all__ = ["ScheduledRules", "SchedulerService"]
