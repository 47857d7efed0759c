"""HTTP → devices: register, read, change, start, stop and remove them, and lend a camera its credentials."""

import secrets
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_HTTP
from aws_lambda_powertools.metrics import MetricUnit

from sightline.aws import client
from sightline.clock import utc_now
from sightline.devices.dynamo import DynamoDeviceStore
from sightline.devices.model import Device
from sightline.devices.request import ChangeRequest, RegisterRequest
from sightline.devices.service import Devices, Outcome
from sightline.devices.stepfunctions import StepFunctionsLifecycle
from sightline.devices.sts import StsCameraRole
from sightline.paging import read_page_request
from sightline.problems import Answer, answer, answer_errors_as_problems, read_body
from sightline.settings import Settings

logger = Logger()
app = APIGatewayHttpResolver()
answer_errors_as_problems(app)


class DevicesApiSettings(Settings):
    devices_table: str
    device_lifecycle_arn: str
    camera_role_arn: str
    default_engine: str


@cache
def devices() -> Devices:
    settings = DevicesApiSettings.from_env()
    return Devices(
        store=DynamoDeviceStore(client("dynamodb"), settings.devices_table),
        lifecycle=StepFunctionsLifecycle(client("stepfunctions"), settings.device_lifecycle_arn),
        camera_role=StsCameraRole(client("sts"), settings.camera_role_arn),
        default_engine=settings.default_engine,
        clock=utc_now,
        new_id=lambda: f"device-{secrets.token_hex(8)}",
    )


@app.post("/devices")
def register() -> Answer:
    request = read_body(app.current_event, RegisterRequest)
    outcome = devices().register(request, app.current_event.headers.get("idempotency-key"))
    return told("DeviceRegistered", outcome, {"Location": f"/devices/{outcome.device.device_id}"})


@app.get("/devices")
def page() -> Answer:
    query = app.current_event.query_string_parameters
    found = devices().page(read_page_request(query.get("limit"), query.get("cursor")))
    return answer(HTTPStatus.OK, found.to_json(Device.to_json))


@app.patch("/devices/<device_id>")
def change(device_id: str) -> Answer:
    changed = devices().change(device_id, read_body(app.current_event, ChangeRequest))
    return answer(HTTPStatus.OK, changed.to_json())


@app.post("/devices/<device_id>/credentials")
def lend_credentials(device_id: str) -> Answer:
    return answer(
        HTTPStatus.OK, devices().lend_credentials(device_id).to_json(), {"Cache-Control": "no-store"}
    )


@app.get("/devices/<device_id>")
def read(device_id: str) -> Answer:
    return answer(HTTPStatus.OK, devices().read(device_id).to_json())


@app.delete("/devices/<device_id>")
def remove(device_id: str) -> Answer:
    return told("DeviceRemoved", devices().remove(device_id))


@app.post("/devices/<device_id>/start")
def start(device_id: str) -> Answer:
    return told("DeviceStarted", devices().start(device_id))


@app.post("/devices/<device_id>/stop")
def stop(device_id: str) -> Answer:
    return told("DeviceStopped", devices().stop(device_id))


def told(metric: str, outcome: Outcome, headers: dict[str, str] | None = None) -> Answer:
    """202 and a metric when something was set in motion, 200 when there was nothing to do."""
    device = outcome.device
    if outcome.accepted:
        with single_metric(name=metric, unit=MetricUnit.Count, value=1):
            logger.info("request accepted", action=device.action, device_id=device.device_id)
    return answer(HTTPStatus.ACCEPTED if outcome.accepted else HTTPStatus.OK, device.to_json(), headers)


@logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
