"""The event source mapping operations: parameters to settings, settings to answers."""

import uuid
from collections.abc import Mapping as Params
from dataclasses import replace
from typing import Any

from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.service import ServiceError
from sightline_local.functions.invoker import Functions
from sightline_local.functions.spec import FunctionNotFound
from sightline_local.iam import AccessDenied, TrustDenied
from sightline_local.triggers.kinesis import KinesisMappings, Mapping
from sightline_local.triggers.mapping import MappingSettings
from sightline_local.triggers.on_failure import ACTIONS_BY_SERVICE, service_of
from sightline_local.triggers.records import StreamGone

# Parameter of the API → field of the settings.
_FIELDS = {
    "Enabled": "enabled",
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "batching_window_seconds",
    "BisectBatchOnFunctionError": "bisects",
    "MaximumRetryAttempts": "max_retries",
    "MaximumRecordAgeInSeconds": "max_age_seconds",
}
_EMULATED = {
    *_FIELDS,
    "UUID",
    "EventSourceArn",
    "FunctionName",
    "StartingPosition",
    "StartingPositionTimestamp",
    "DestinationConfig",
    "FunctionResponseTypes",
    "ParallelizationFactor",
}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)


class EventSourceMappings:
    """Create, Get, List, Update, Delete."""

    def __init__(self, functions: Functions, mappings: KinesisMappings) -> None:
        self._functions = functions
        self._mappings = mappings

    def create(self, params: dict[str, Any]) -> dict[str, Any]:
        _check("CreateEventSourceMapping", params)
        function_arn = self._function_arn(params["FunctionName"])
        settings = _settings(params, function_arn)
        twin = self._mappings.find(function_arn=function_arn, stream_arn=settings.stream_arn)
        if twin:
            raise ServiceError(
                "ResourceConflictException",
                f'The event source arn (" {settings.stream_arn} ") and function (" {function_arn} ") '
                f"provided mapping already exists. Please update or delete the existing mapping with UUID "
                f"{twin[0].settings.uuid}",
            )
        return {**_described(self._begin(settings)), "State": "Creating"}

    def get(self, params: dict[str, Any]) -> dict[str, Any]:
        return _described(self._find(params["UUID"]))

    def list(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("FunctionName")
        found = self._mappings.find(
            function_arn=self._function_arn(name) if name else None, stream_arn=params.get("EventSourceArn")
        )
        return {"EventSourceMappings": [_described(mapping) for mapping in found]}

    def update(self, params: dict[str, Any]) -> dict[str, Any]:
        _check("UpdateEventSourceMapping", params)
        mapping = self._find(params["UUID"])
        if (
            "FunctionName" in params
            and self._function_arn(params["FunctionName"]) != mapping.settings.function_arn
        ):
            raise _invalid("The local runtime does not move a mapping to another function")
        mapping.change(replace(mapping.settings, **_changes(params)))
        return {**_described(mapping), "State": "Updating"}

    def delete(self, params: dict[str, Any]) -> dict[str, Any]:
        mapping = self._find(params["UUID"])
        self._mappings.delete(params["UUID"])
        return {**_described(mapping), "State": "Deleting"}

    def function_of(self, mapping_uuid: str) -> str | None:
        mapping = self._mappings.get(mapping_uuid)
        return mapping.settings.function_arn if mapping else None

    def _begin(self, settings: MappingSettings) -> Mapping:
        try:
            return self._mappings.create(settings)
        except StreamGone as error:
            raise _invalid(str(error)) from error
        except (AccessDenied, TrustDenied) as error:
            raise _invalid(
                f"Cannot access stream {settings.stream_arn}. Please ensure the role can perform the "
                "GetRecords, GetShardIterator, DescribeStream, ListShards, and ListStreams Actions on your "
                f"stream in IAM, and can write to the destination ({error})"
            ) from error

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


def _check(operation: str, params: Params[str, Any]) -> None:
    check_input("lambda", operation, dict(params), error="ValidationException")
    if unknown := sorted(name for name in params.keys() - _EMULATED if params[name] not in (None, [], {})):
        raise _invalid(f"The local runtime does not emulate {', '.join(unknown)} of event source mappings")
    if params.get("ParallelizationFactor", 1) != 1:
        raise _invalid("The local runtime emulates ParallelizationFactor 1 only")


def _settings(params: Params[str, Any], function_arn: str) -> MappingSettings:
    source = str(params.get("EventSourceArn", ""))
    if source.split(":")[2:3] != ["kinesis"] or source.count("/") != 1:
        raise _invalid(f"The local runtime maps Kinesis data streams only, not {source or 'nothing'}")
    if "StartingPosition" not in params:
        raise _invalid("StartingPosition is required for a Kinesis event source")
    if (params["StartingPosition"] == "AT_TIMESTAMP") != ("StartingPositionTimestamp" in params):
        raise _invalid("StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it")
    return MappingSettings(
        uuid=str(uuid.uuid4()),
        function_arn=function_arn,
        stream_arn=source,
        starting_position=params["StartingPosition"],
        starting_timestamp=params.get("StartingPositionTimestamp"),
        **_changes(params),
    )


def _changes(params: Params[str, Any]) -> dict[str, Any]:
    """The fields that these parameters set."""
    changes = {field: params[name] for name, field in _FIELDS.items() if name in params}
    if "FunctionResponseTypes" in params:
        changes["reports_failures"] = "ReportBatchItemFailures" in params["FunctionResponseTypes"]
    if "DestinationConfig" in params:
        changes["on_failure"] = _destination(params["DestinationConfig"])
    return changes


def _destination(config: Params[str, Any]) -> str | None:
    if config.get("OnSuccess"):
        raise _invalid("An event source mapping has no OnSuccess destination")
    arn = config.get("OnFailure", {}).get("Destination")
    if arn and (arn.count(":") < 5 or service_of(arn) not in ACTIONS_BY_SERVICE):
        raise _invalid(f"The local runtime sends to S3, SQS and SNS only, not to {arn}")
    return arn or None


def _described(mapping: Mapping) -> dict[str, Any]:
    """EventSourceMappingConfiguration of the API."""
    settings = mapping.settings
    return {
        "UUID": settings.uuid,
        "StartingPosition": settings.starting_position,
        "StartingPositionTimestamp": settings.starting_timestamp,
        **{name: getattr(settings, field) for name, field in _FIELDS.items() if name != "Enabled"},
        "ParallelizationFactor": 1,
        "TumblingWindowInSeconds": 0,
        "EventSourceArn": settings.stream_arn,
        "FunctionArn": settings.function_arn,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if settings.reports_failures else [],
        "DestinationConfig": {
            "OnFailure": {"Destination": settings.on_failure} if settings.on_failure else {}
        },
        "LastModified": mapping.last_modified,
        "LastProcessingResult": mapping.last_result,
        "State": "Enabled" if settings.enabled else "Disabled",
        "StateTransitionReason": "USER_INITIATED",
        "EventSourceMappingArn": settings.arn,
    }
