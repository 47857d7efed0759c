"""How Lambda describes a function."""

from typing import Any

from sightline_local.functions.spec import FunctionSpec


def configuration_of(spec: FunctionSpec) -> dict[str, Any]:
    """FunctionConfiguration of the API."""
    return {
        "FunctionName": spec.name,
        "FunctionArn": spec.arn,
        "Runtime": spec.runtime,
        "Role": spec.role_arn,
        "Handler": spec.handler,
        "Description": spec.description,
        "Timeout": int(spec.timeout_seconds),
        "MemorySize": spec.memory_mb,
        "Version": "$LATEST",
        "Environment": {"Variables": dict(spec.environment)},
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{spec.name}"},
    }
