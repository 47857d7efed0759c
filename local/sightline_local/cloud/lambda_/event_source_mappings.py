"""The event source mapping operations: Create, Get, List, Update, Delete."""

from dataclasses import replace
from typing import Any

from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.lambda_.mapping_parameters import (
    changes,
    checked,
    described,
    invalid,
    new_settings,
)
from sightline_local.cloud.service import ServiceError
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionNotFound
from sightline_local.iam import TrustDenied
from sightline_local.triggers.mapping import Mapping, MappingSettings, SourceRefused
from sightline_local.triggers.mappings import Mappings


class EventSourceMappings:
    """Parameters of the API in, answers of the API out."""

    def __init__(self, functions: Functions, mappings: Mappings) -> None:
        self._functions = functions
        self._mappings = mappings

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        function_arn = self._function_arn(params["FunctionName"])
        settings = new_settings(params, function_arn)
        twin = self._mappings.find(function_arn=function_arn, source_arn=settings.source_arn)
        if twin:
            raise _conflict(settings, twin[0].settings.uuid)
        try:
            mapping = self._mappings.create(settings)
        except (SourceRefused, TrustDenied) as error:
            raise invalid(str(error)) from error
        return {**described(mapping), "State": "Creating"}

    def get(self, params: dict[str, Any]) -> dict[str, Any]:
        return described(self._find(params["UUID"]))

    def list(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("FunctionName")
        found = self._mappings.find(
            function_arn=self._function_arn(name) if name else None, source_arn=params.get("EventSourceArn")
        )
        return {"EventSourceMappings": [described(mapping) for mapping in found]}

    def update(self, params: dict[str, Any]) -> dict[str, Any]:
        check_input("lambda", "UpdateEventSourceMapping", dict(params), error="ValidationException")
        mapping = self._find(params["UUID"])
        former = mapping.settings
        if "FunctionName" in params and self._function_arn(params["FunctionName"]) != former.function_arn:
            raise invalid("The local runtime does not move a mapping to another function")
        settings = checked(replace(former, **changes(params, former.service)))
        try:
            self._mappings.change(mapping, settings)
        except (SourceRefused, TrustDenied) as error:
            raise invalid(str(error)) from error
        return {**described(mapping), "State": "Updating"}

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        mapping = self._find(params["UUID"])
        self._mappings.delete(params["UUID"])
        return {**described(mapping), "State": "Deleting"}

    def function_of(self, mapping_uuid: str) -> str | None:
        mapping = self._mappings.get(mapping_uuid)
        return mapping.settings.function_arn if mapping else None

    def _find(self, mapping_uuid: str) -> Mapping:
        mapping = self._mappings.get(mapping_uuid)
        if mapping is None:
            raise ServiceError("ResourceNotFoundException", "The resource you requested does not exist.")
        return mapping

    def _function_arn(self, name: str) -> str:
        try:
            return self._functions.spec(name).arn
        except FunctionNotFound as error:
            raise ServiceError("ResourceNotFoundException", f"Function not found: {name}") from error


def _conflict(settings: MappingSettings, twin: str) -> ServiceError:
    pair = f'(" {settings.source_arn} ") and function (" {settings.function_arn} ")'
    what = (
        f"An event source mapping with SQS arn {pair} already exists."
        if settings.service == "sqs"
        else f"The event source arn {pair} provided mapping already exists."
    )
    return ServiceError(
        "ResourceConflictException",
        f"{what} Please update or delete the existing mapping with UUID {twin}",
    )
