"""Where resources are made: the emulated cloud, and the parts of the runtime that a template fills."""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sightline_local.functions.permissions import Permissions
from sightline_local.functions.spec import FunctionSpec
from sightline_local.state import Facts
from sightline_local.template.scope import StackIdentity


class FunctionRegistry(Protocol):
    @property
    def permissions(self) -> Permissions: ...

    def register(self, spec: FunctionSpec) -> None: ...

    def configure_async(self, name_or_arn: str, **settings: object) -> None: ...


class HttpApis(Protocol):
    def serve(self, api_id: str, openapi: Mapping[str, Any]) -> None:
        """Begin to answer the routes of an HTTP API."""
        ...


class ScheduledRules(Protocol):
    def add(self, rule_arn: str, expression: str, targets: Sequence[dict[str, Any]]) -> None:
        """Begin to call the targets; InvalidExpression when the expression is none."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that the making of a resource may need."""

    stack: StackIdentity
    client: Callable[[str], Any]  # boto3 client of a service in the emulated cloud, as administrator
    functions: FunctionRegistry
    http_apis: HttpApis
    layers: dict[str, Path] = field(default_factory=dict)  # layer version ARN -> its folder
    rules: ScheduledRules | None = None
    facts: Facts = field(default_factory=Facts.none)  # what is made once and kept, as generated secrets

    def secret(self, wanted: Mapping[str, str]) -> str:
        """The text of a secret, by the parameters of GetSecretValue."""
        return str(self.client("secretsmanager").get_secret_value(**wanted)["SecretString"])

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this stack's account and region."""
        stack = self.stack
        return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resource}"

    def physical_name(self, logical_id: str, longest: int = 64) -> str:
        """A name as CloudFormation makes it (stack-LogicalId-SUFFIX), but the same at every start."""
        digest = hashlib.sha256(f"{self.stack.name}/{logical_id}".encode()).digest()
        suffix = base64.b32encode(digest).decode()[:12]
        return f"{self.stack.name}-{logical_id}"[: longest - 13] + f"-{suffix}"
