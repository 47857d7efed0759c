"""What a function is, and what an invocation of it gave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A deployed function, as `Functions.register` takes it."""

    name: str
    arn: str
    handler: str  # "handler.lambda_handler"
    code_dir: Path
    layer_dirs: tuple[Path, ...]
    environment: Mapping[str, str]
    role_arn: str
    memory_mb: int = 128
    timeout_seconds: float = 3
    runtime: str = "python3.13"
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def search_path(self) -> list[str]:
        """Its code, then each layer (the layer's `python` folder, where it has one)."""
        layers = [folder / "python" if (folder / "python").is_dir() else folder for folder in self.layer_dirs]
        return [str(self.code_dir), *map(str, layers)]


@dataclass(frozen=True, slots=True)
class InvokeResult:
    """The answer of a function. With `error`, the payload is AWS's error object."""

    payload: bytes
    error: bool
    request_id: str
    log_tail: bytes = b""  # the last 4 KB of what the invocation logged


class FunctionNotFound(Exception):  # noqa: N818  the name of the thing
    """No function of this name is deployed."""


class TooManyInvocations(Exception):  # noqa: N818  as AWS's TooManyRequestsException
    """Every sandbox of the function stayed busy."""


class InvocationRefused(Exception):  # noqa: N818  as AWS's AccessDenied
    """No permission of the function lets this service invoke it."""
