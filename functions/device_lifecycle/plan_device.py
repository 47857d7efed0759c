"""Lifecycle task: a request → the names and settings of its device, and whether it is still wanted."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from sightline.aws import client
from sightline.devices.dynamo import DynamoDeviceStore
from sightline.devices.model import Action
from sightline.devices.plan import LifecycleRequest, Place, plan
from sightline.settings import Settings

logger = Logger()


class PlanDeviceSettings(Settings):
    devices_table: str
    stack_name: str


@cache
def settings() -> PlanDeviceSettings:
    return PlanDeviceSettings.from_env()


@cache
def store() -> DynamoDeviceStore:
    return DynamoDeviceStore(client("dynamodb"), settings().devices_table)


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    request = LifecycleRequest(event["device_id"], Action(event["action"]), int(event["generation"]))
    # The function's own ARN tells where the stack lives: arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME.
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    place = Place(settings().stack_name, partition, region, account)
    planned = plan(request, store().find(request.device_id), place)
    logger.info(
        "lifecycle planned", device_id=request.device_id, asked=request.action, action=planned["action"]
    )
    return planned
