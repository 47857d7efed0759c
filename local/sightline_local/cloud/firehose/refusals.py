"""How Firehose refuses."""

from sightline_local.cloud.service import ServiceError


def invalid(message: str) -> ServiceError:
    return ServiceError("InvalidArgumentException", message)


def not_emulated(what: str) -> ServiceError:
    return invalid(f"The local runtime does not emulate {what} of a delivery stream")
