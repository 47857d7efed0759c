"""From parameters of the event source mapping operations to settings, and back."""

import uuid
from collections.abc import Mapping as Params
from typing import Any

from sightline_local.cloud.constraints import check_input
from sightline_local.cloud.service import ServiceError
from sightline_local.event_pattern import InvalidPattern
from sightline_local.triggers.filters import check_filters
from sightline_local.triggers.mapping import Mapping, MappingSettings
from sightline_local.triggers.on_failure import ACTIONS_BY_SERVICE, service_of

# Parameter of the API → field of the settings.
_FIELDS = {
    "Enabled": "enabled",
    "BatchSize": "batch_size",
    "MaximumBatchingWindowInSeconds": "batching_window_seconds",
    "BisectBatchOnFunctionError": "bisects",
    "MaximumRetryAttempts": "max_retries",
    "MaximumRecordAgeInSeconds": "max_age_seconds",
    "ParallelizationFactor": "parallelization",
}
_EVERY_SOURCE = {
    *("UUID", "EventSourceArn", "FunctionName", "Enabled", "BatchSize", "MaximumBatchingWindowInSeconds"),
    *("FilterCriteria", "FunctionResponseTypes"),
}
_EMULATED = {
    "kinesis": {
        *_EVERY_SOURCE,
        *("StartingPosition", "StartingPositionTimestamp", "BisectBatchOnFunctionError", "DestinationConfig"),
        *("MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "ParallelizationFactor"),
    },
    "sqs": {*_EVERY_SOURCE, "ScalingConfig"},
}
_STREAMS_ONLY = _EMULATED["kinesis"] - _EVERY_SOURCE
_BATCH_SIZE_OF_QUEUE = 10


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValueException", message)


def new_settings(params: Params[str, Any], function_arn: str) -> MappingSettings:
    """Settings of a new mapping; ServiceError in Lambda's words, or with the name of what is not emulated."""
    check_input("lambda", "CreateEventSourceMapping", dict(params), error="ValidationException")
    source = str(params.get("EventSourceArn", ""))
    service = _service_of_source(source)
    _check_names(params, service)
    if service == "kinesis":
        _check_start(params)
    settings = MappingSettings(
        uuid=str(uuid.uuid4()),
        function_arn=function_arn,
        source_arn=source,
        starting_position=params.get("StartingPosition", ""),
        starting_timestamp=params.get("StartingPositionTimestamp"),
        **{
            **({"batch_size": _BATCH_SIZE_OF_QUEUE} if service == "sqs" else {}),
            **changes(params, service),
        },
    )
    return checked(settings)


def changes(params: Params[str, Any], service: str) -> dict[str, Any]:
    """The fields that these parameters set."""
    _check_names(params, service)
    found = {field: params[name] for name, field in _FIELDS.items() if name in params}
    if "FunctionResponseTypes" in params:
        found["reports_failures"] = "ReportBatchItemFailures" in params["FunctionResponseTypes"]
    if "DestinationConfig" in params:
        found["on_failure"] = _destination(params["DestinationConfig"])
    if "FilterCriteria" in params:
        found["filters"] = _filters(params["FilterCriteria"], service)
    if "ScalingConfig" in params:
        found["maximum_concurrency"] = params["ScalingConfig"].get("MaximumConcurrency")
    return found


def checked(settings: MappingSettings) -> MappingSettings:
    """The settings, if they go together."""
    needs_window = settings.service == "sqs" and settings.batch_size > _BATCH_SIZE_OF_QUEUE
    if needs_window and settings.batching_window_seconds < 1:
        raise invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    return settings


def described(mapping: Mapping) -> dict[str, Any]:
    """EventSourceMappingConfiguration of the API."""
    settings = mapping.settings
    filters = [{"Pattern": pattern} for pattern in settings.filters]
    return {
        "UUID": settings.uuid,
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.batching_window_seconds,
        **(_of_stream(settings) if settings.service == "kinesis" else _of_queue(settings)),
        **({"FilterCriteria": {"Filters": filters}} if filters else {}),
        "EventSourceArn": settings.source_arn,
        "FunctionArn": settings.function_arn,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if settings.reports_failures else [],
        "LastModified": mapping.last_modified,
        "LastProcessingResult": mapping.last_result,
        "State": "Enabled" if settings.enabled else "Disabled",
        "StateTransitionReason": "USER_INITIATED",
        "EventSourceMappingArn": settings.arn,
    }


def _of_stream(settings: MappingSettings) -> dict[str, Any]:
    destination = {"Destination": settings.on_failure} if settings.on_failure else {}
    return {
        "StartingPosition": settings.starting_position,
        "StartingPositionTimestamp": settings.starting_timestamp,
        "BisectBatchOnFunctionError": settings.bisects,
        "MaximumRetryAttempts": settings.max_retries,
        "MaximumRecordAgeInSeconds": settings.max_age_seconds,
        "ParallelizationFactor": settings.parallelization,
        "TumblingWindowInSeconds": 0,
        "DestinationConfig": {"OnFailure": destination},
    }


def _of_queue(settings: MappingSettings) -> dict[str, Any]:
    most = settings.maximum_concurrency
    return {"ScalingConfig": {"MaximumConcurrency": most}} if most else {}


def _service_of_source(source: str) -> str:
    service = source.split(":")[2] if source.count(":") >= 5 else ""
    if service == "sqs" and source.endswith(".fifo"):
        raise invalid(f"The local runtime maps standard queues only, not {source}")
    if service not in _EMULATED or (service == "kinesis" and source.count("/") != 1):
        raise invalid(
            f"The local runtime maps Kinesis data streams and SQS queues only, not {source or 'nothing'}"
        )
    return service


def _check_names(params: Params[str, Any], service: str) -> None:
    given = {name for name, value in params.items() if value not in (None, [], {}, "", 0)}
    if foreign := sorted(given & _STREAMS_ONLY if service == "sqs" else ()):
        raise invalid(f"Unsupported {foreign[0]} parameter for given event source mapping type.")
    if unknown := sorted(given - _EMULATED[service]):
        raise invalid(f"The local runtime does not emulate {', '.join(unknown)} of event source mappings")


def _check_start(params: Params[str, Any]) -> None:
    if "StartingPosition" not in params:
        raise invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
            "constraint: Member must not be null."
        )
    if (params["StartingPosition"] == "AT_TIMESTAMP") != ("StartingPositionTimestamp" in params):
        raise invalid("StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it")


def _destination(config: Params[str, Any]) -> str | None:
    if config.get("OnSuccess"):
        raise invalid("An event source mapping has no OnSuccess destination")
    arn = config.get("OnFailure", {}).get("Destination")
    if arn and (arn.count(":") < 5 or service_of(arn) not in ACTIONS_BY_SERVICE):
        raise invalid(f"The local runtime sends to S3, SQS and SNS only, not to {arn}")
    return arn or None


def _filters(criteria: Params[str, Any], service: str) -> tuple[str, ...]:
    patterns = tuple(each.get("Pattern", "") for each in criteria.get("Filters") or ())
    try:
        check_filters(patterns, service)
    except InvalidPattern as error:
        raise invalid(f"Invalid filter pattern definition. ({error})") from error
    return patterns
