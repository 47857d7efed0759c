"""AWS::Lambda: functions and layers from folders of this machine, permissions, event source mappings."""

from collections.abc import Mapping
from typing import Any

from sightline_local.deploy.resource_type import (
    CARRIED,
    WITHOUT_EFFECT,
    Checked,
    ListOf,
    OneOf,
    Place,
    ResourceType,
)
from sightline_local.deploy.site import Site
from sightline_local.event_pattern import InvalidPattern
from sightline_local.functions.spec import FunctionSpec
from sightline_local.template.sam import local_path
from sightline_local.template.scope import Made
from sightline_local.template.template import Resource
from sightline_local.triggers.filters import check_syntax

# Whatever is written, a function runs on the Python that runs the runtime, on this machine's processor.
_PYTHONS = OneOf(("python3.11", "python3.12", "python3.13"))
_CPUS = WITHOUT_EFFECT


def _make_function(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("FunctionName") or site.physical_name(resource.logical_id)
    arn = site.arn("lambda", f"function:{name}")
    variables = properties.get("Environment", {}).get("Variables", {})
    site.functions.register(
        FunctionSpec(
            name=name,
            arn=arn,
            handler=properties["Handler"],
            code_dir=local_path(resource.source, properties["Code"], "Resources", resource.origin),
            layer_dirs=tuple(_layer_folder(resource, site, layer) for layer in properties.get("Layers", [])),
            environment={key: _as_text(value) for key, value in variables.items()},
            role_arn=properties["Role"],
            memory_mb=int(properties.get("MemorySize", 128)),
            timeout_seconds=float(properties.get("Timeout", 3)),
            runtime=properties["Runtime"],
            description=properties.get("Description", ""),
            tags={tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])},
        )
    )
    if target := properties.get("DeadLetterConfig", {}).get("TargetArn"):
        site.functions.configure_async(arn, dead_letter=target)
    return Made(name, {"Arn": arn})


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _layer_folder(resource: Resource, site: Site, arn: str) -> Any:
    if arn not in site.layers:
        raise resource.error(f"the layer {arn} is not made by this template", "Layers")
    return site.layers[arn]


FUNCTION = ResourceType(
    name="AWS::Lambda::Function",
    accepts={
        "Architectures": _CPUS,
        "Code": {"S3Bucket": CARRIED, "S3Key": CARRIED},
        "DeadLetterConfig": {"TargetArn": CARRIED},
        "Description": CARRIED,
        "Environment": {"Variables": CARRIED},
        "FunctionName": CARRIED,
        "Handler": CARRIED,
        "Layers": CARRIED,
        "MemorySize": CARRIED,
        "PackageType": OneOf(("Zip",)),
        "Role": CARRIED,
        "Runtime": _PYTHONS,
        "Tags": CARRIED,
        "Timeout": CARRIED,
    },
    create=_make_function,
    attributes=frozenset({"Arn"}),
    required=frozenset({"Code", "Handler", "Role", "Runtime"}),
)


def _make_layer(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    name = properties.get("LayerName") or site.physical_name(resource.logical_id)
    arn = site.arn("lambda", f"layer:{name}:1")
    site.layers[arn] = local_path(resource.source, properties["Content"], "Resources", resource.origin)
    return Made(arn, {"LayerVersionArn": arn})


LAYER_VERSION = ResourceType(
    name="AWS::Lambda::LayerVersion",
    accepts={
        "CompatibleArchitectures": _CPUS,
        "CompatibleRuntimes": WITHOUT_EFFECT,  # each function's own Runtime is checked
        "Content": {"S3Bucket": CARRIED, "S3Key": CARRIED},
        "Description": WITHOUT_EFFECT,
        "LayerName": CARRIED,
    },
    create=_make_layer,
    attributes=frozenset({"LayerVersionArn"}),
    required=frozenset({"Content"}),
)


def _make_permission(resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    function = properties["FunctionName"]
    arn = function if function.startswith("arn:") else site.arn("lambda", f"function:{function}")
    statement_id = site.physical_name(resource.logical_id, longest=100)
    site.functions.permissions.add(
        arn,
        statement_id,
        action=properties["Action"],
        principal=properties["Principal"],
        source_arn=properties.get("SourceArn"),
        source_account=properties.get("SourceAccount"),
    )
    return Made(statement_id, {"Id": statement_id})


PERMISSION = ResourceType(
    name="AWS::Lambda::Permission",
    accepts={
        "Action": OneOf(("lambda:InvokeFunction",)),
        "FunctionName": CARRIED,
        "Principal": CARRIED,
        "SourceAccount": CARRIED,
        "SourceArn": CARRIED,
    },
    create=_make_permission,
    attributes=frozenset({"Id"}),
    required=frozenset({"Action", "FunctionName", "Principal"}),
)


_WHOLE_NUMBERS = frozenset(
    (
        *("BatchSize", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds"),
        *("MaximumRetryAttempts", "ParallelizationFactor"),
    )
)


def _make_mapping(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    given = dict(properties)
    for name in _WHOLE_NUMBERS & given.keys():  # a parameter's value is a text
        given[name] = int(given[name])
    if "Enabled" in given:
        given["Enabled"] = str(given["Enabled"]).lower() == "true"
    if most := given.get("ScalingConfig", {}).get("MaximumConcurrency"):
        given["ScalingConfig"] = {"MaximumConcurrency": int(most)}
    mapping = site.client("lambda").create_event_source_mapping(**given)
    arn = mapping.get("EventSourceMappingArn") or site.arn(
        "lambda", f"event-source-mapping:{mapping['UUID']}"
    )
    return Made(mapping["UUID"], {"Id": mapping["UUID"], "EventSourceMappingArn": arn})


def _check_pattern(resource: Resource, value: Any, place: Place) -> None:
    try:
        check_syntax(str(value))
    except InvalidPattern as error:
        raise resource.error(f"FilterCriteria: {error}", *place) from error


EVENT_SOURCE_MAPPING = ResourceType(
    name="AWS::Lambda::EventSourceMapping",
    accepts={
        **dict.fromkeys(
            (
                *("BatchSize", "BisectBatchOnFunctionError", "Enabled", "EventSourceArn", "FunctionName"),
                *("FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds"),
                *("MaximumRetryAttempts", "ParallelizationFactor", "StartingPosition"),
                "StartingPositionTimestamp",
            ),
            CARRIED,
        ),
        "DestinationConfig": {"OnFailure": {"Destination": CARRIED}},
        "FilterCriteria": {"Filters": ListOf({"Pattern": Checked(_check_pattern)})},
        "ScalingConfig": {"MaximumConcurrency": CARRIED},
    },
    create=_make_mapping,
    attributes=frozenset({"Id", "EventSourceMappingArn"}),
    required=frozenset({"EventSourceArn", "FunctionName"}),
)


def _make_invoke_config(_resource: Resource, properties: Mapping[str, Any], site: Site) -> Made:
    destinations = properties.get("DestinationConfig", {})
    settings = {
        "max_retries": int(properties.get("MaximumRetryAttempts", 2)),
        "max_age_seconds": int(properties.get("MaximumEventAgeInSeconds", 6 * 3600)),
        "on_failure": destinations.get("OnFailure", {}).get("Destination"),
        "on_success": destinations.get("OnSuccess", {}).get("Destination"),
    }
    site.functions.configure_async(properties["FunctionName"], **settings)
    return Made(f"{properties['FunctionName']}|{properties['Qualifier']}")


EVENT_INVOKE_CONFIG = ResourceType(
    name="AWS::Lambda::EventInvokeConfig",
    accepts={
        "DestinationConfig": {"OnFailure": {"Destination": CARRIED}, "OnSuccess": {"Destination": CARRIED}},
        "FunctionName": CARRIED,
        "MaximumEventAgeInSeconds": CARRIED,
        "MaximumRetryAttempts": CARRIED,
        "Qualifier": OneOf(("$LATEST",)),
    },
    create=_make_invoke_config,
    required=frozenset({"FunctionName", "Qualifier"}),
)
