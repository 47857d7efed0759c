"""Where a template's references lead: parameters and pseudo parameters, then what has been made."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sightline_local.template.intrinsics import (
    NO_VALUE,
    IntrinsicError,
    UnresolvedReference,
    holds,
    references,
)


@dataclass(frozen=True, slots=True)
class StackIdentity:
    """What the pseudo parameters say."""

    name: str
    region: str
    account: str
    partition: str = "aws"
    url_suffix: str = "amazonaws.com"

    @property
    def stack_id(self) -> str:
        """The stack's ARN; constant, because a local stack is made once per start."""
        unique = "00000000-0000-4000-8000-000000000000"
        return f"arn:{self.partition}:cloudformation:{self.region}:{self.account}:stack/{self.name}/{unique}"

    def pseudo_parameters(self) -> dict[str, Any]:
        return {
            "AWS::AccountId": self.account,
            "AWS::NoValue": NO_VALUE,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": self.stack_id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": self.url_suffix,
        }


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that exists: what Ref gives, and what GetAtt gives."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class TemplateScope:
    """Looks references up. `made` grows as the stack is deployed; a known resource not in it is awaited."""

    values: Mapping[str, Any]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any]
    logical_ids: Collection[str]
    made: dict[str, Made] = field(default_factory=dict)
    _being_decided: list[str] = field(default_factory=list)

    def ref(self, name: str) -> Any:
        if name in self.values:
            return self.values[name]
        return self._made(name).physical_id

    def attribute(self, logical_id: str, attribute: str) -> Any:
        made = self._made(logical_id)
        if attribute not in made.attributes:
            raise IntrinsicError(f"{logical_id} has no attribute {attribute} here")
        return made.attributes[attribute]

    def condition(self, name: str) -> bool:
        if not isinstance(name, str) or name not in self.conditions:
            raise IntrinsicError(f"there is no condition {name}")
        if name in self._being_decided:
            raise IntrinsicError(
                f"conditions wait for each other: {' -> '.join((*self._being_decided, name))}"
            )
        self._being_decided.append(name)
        try:
            return holds(self.conditions[name], self)
        finally:
            self._being_decided.pop()

    def mapping(self, name: str, first: str, second: str) -> Any:
        try:
            return self.mappings[name][first][second]
        except KeyError:
            raise IntrinsicError(f"Fn::FindInMap: there is no {name}.{first}.{second}") from None

    def resources_in(self, value: Any) -> dict[str, set[str]]:
        """The resources that a value refers to, each with the attributes that it wants of it."""
        found: dict[str, set[str]] = {}
        for name, attribute in references(value):
            if name not in self.values:
                found.setdefault(name, set()).update([attribute] if attribute else [])
        return found

    def _made(self, logical_id: str) -> Made:
        if logical_id not in self.logical_ids:
            raise IntrinsicError(f"nothing in the template is named {logical_id}")
        if logical_id not in self.made:
            raise UnresolvedReference
        return self.made[logical_id]
