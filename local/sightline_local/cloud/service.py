"""What an emulated AWS service looks like to the gateway."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sightline_local.iam.callers import Caller


class ServiceError(Exception):
    """An error that the caller of an AWS operation receives; `code` is the name in the service's model."""

    def __init__(self, code: str, message: str, status: int = 400, **members: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members  # further members of the modelled error, by their names in the model


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An answer that bypasses the output model: payload operations whose headers matter, and streams."""

    body: bytes | Iterable[bytes] = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventStream:
    """An answer that lasts: events by their names in the model, until the iterator ends.

    A ServiceError of the iterator is the last event. `cancel` ends it, from whatever thread.
    """

    events: Iterator[tuple[str, dict[str, Any]]]
    cancel: Callable[[], None]


class Service(Protocol):
    """Operations of one AWS service.

    `params` is parsed by the botocore input model: PascalCase members as boto3 callers write them, blobs as
    bytes, timestamps as aware datetimes. The answer is serialised by the botocore output model.
    """

    def handle(
        self, operation: str, params: dict[str, Any], caller: Caller
    ) -> dict[str, Any] | RawResponse | EventStream: ...


@runtime_checkable
class ResolvesResources(Protocol):
    """A service may complete parameters for IAM: a stream's name to its ARN, a mapping to its function."""

    def resolve(self, operation: str, params: dict[str, Any]) -> dict[str, Any]: ...


@runtime_checkable
class SpeaksJson(Protocol):
    """A service that takes and gives the JSON of the wire: blobs are base64, times epoch seconds."""

    speaks_json: bool


@runtime_checkable
class SharesWithMoto(Protocol):
    """A service that answers only some calls itself; moto answers the others."""

    def serves(self, operation: str, params: dict[str, Any]) -> bool: ...


def unknown_operation(service: str, operation: str) -> ServiceError:
    """The refusal of an operation that the local runtime does not emulate."""
    return ServiceError(
        "UnknownOperationException",
        f"The local runtime does not emulate {service}:{operation}",
        status=501,
    )
