"""What can go wrong for the person who runs the runtime: each is one line that says what to fix."""

from pathlib import Path


class LocalRuntimeError(Exception):
    """Every error that a user of the runtime is meant to read; `str()` of it is one line."""


class TemplateError(LocalRuntimeError):
    """The template cannot be deployed here. Raised before anything is made."""

    def __init__(
        self,
        problem: str,
        *,
        file: Path | None = None,
        line: int | None = None,
        logical_id: str | None = None,
    ) -> None:
        place = f"{file.name}:{line}: " if file and line else f"{file.name}: " if file else ""
        subject = f"{logical_id}: " if logical_id else ""
        super().__init__(f"{place}{subject}{problem}")
        self.problem = problem
        self.file = file
        self.line = line
        self.logical_id = logical_id


class PortInUseError(LocalRuntimeError):
    """Another program listens on a port that the runtime was told to use."""

    def __init__(self, port: int, option: str) -> None:
        super().__init__(
            f"port {port} is in use; end the program that uses it or choose another with {option}"
        )
        self.port = port
        self.option = option


class DeployError(LocalRuntimeError):
    """The emulated cloud refused a resource of the template."""

    def __init__(self, logical_id: str, resource_type: str, reason: str) -> None:
        super().__init__(f"{logical_id} ({resource_type}) could not be made: {reason}")
        self.logical_id = logical_id
