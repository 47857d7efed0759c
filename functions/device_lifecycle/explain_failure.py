"""Lifecycle task: an error of AWS → a sentence that says what to fix, and what of this start goes again."""

from typing import Any

from aws_lambda_powertools import Logger

from sightline.devices.failure import explain, made_by_this_start

logger = Logger()


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    plan, failure = event["plan"], event["failure"]
    reason = explain(failure["Error"], failure.get("Cause"))
    logger.warning("device did not start", device_id=plan["device_id"], error=failure["Error"], reason=reason)
    return {"plan": plan | made_by_this_start(failure["Error"], event["made"]), "reason": reason}
