"""What the policies of a running stack allow and nobody needed, and what was denied."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sightline_local.iam.authorizer import Authorizer
from sightline_local.iam.policy_set import Clause, PolicySet
from sightline_local.iam.usage import Usage

_OF_AWS = "arn:aws:iam::aws:policy/"


@dataclass(frozen=True, slots=True)
class StatementUse:
    """One statement; the actions and resources are those that nothing was in need of, as it writes them."""

    policy: str
    index: int
    sid: str
    effect: str
    used: bool
    unused_actions: tuple[str, ...]
    unused_resources: tuple[str, ...]

    def line(self) -> str:
        name = self.sid or f"statement {self.index + 1}"
        if not self.used:
            actions = ", ".join(self.unused_actions) or "all but its NotAction"
            return f"never used: {self.policy}, {name} ({self.effect} {actions})"
        unused = ", ".join(self.unused_actions + self.unused_resources)
        return f"partly used: {self.policy}, {name}: not {unused}"


@dataclass(frozen=True, slots=True)
class OwnerUse:
    """The policies of one role or resource."""

    arn: str
    statements: tuple[StatementUse, ...]

    def lines(self) -> Iterator[str]:
        for statement in self.statements:
            if statement.policy.startswith(_OF_AWS):
                continue  # nobody here can narrow it
            if not statement.used or statement.unused_actions or statement.unused_resources:
                yield statement.line()


@dataclass(frozen=True, slots=True)
class Denied:
    who: str
    action: str
    resource: str
    because: str
    times: int

    def line(self) -> str:
        times = "once" if self.times == 1 else f"{self.times} times"
        return f"denied {times}: {self.action} on {self.resource} {self.because}"


@dataclass(frozen=True, slots=True)
class IamReport:
    roles: tuple[OwnerUse, ...]
    resources: tuple[OwnerUse, ...]  # queues, topics and buckets with a policy
    denied: tuple[Denied, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """For a person: only what is worth a look."""
        denials: dict[str, list[str]] = {}
        for denial in self.denied:
            denials.setdefault(denial.who, []).append(denial.line())
        for owner in (*self.roles, *self.resources):
            found = [*owner.lines(), *denials.pop(owner.arn, [])]
            yield from _block(owner.arn, found or ["everything was used, nothing denied"])
        for who, lines in denials.items():
            yield from _block(who, lines)


def report(authorizer: Authorizer) -> IamReport:
    """What the authorizer has seen since it was made; roles and resources that are gone are left out."""
    usage = authorizer.usage
    denied = [
        Denied(each.who, each.action, each.resource, each.because, times) for each, times in usage.denials()
    ]
    return IamReport(
        tuple(_owner(arn, sets, usage) for arn, sets in sorted(authorizer.role_policies().items())),
        tuple(_owner(each.owner, [each], usage) for each in authorizer.resource_policies.all()),
        tuple(sorted(denied, key=lambda each: (each.who, each.action, each.resource))),
    )


def _owner(arn: str, sets: Iterable[PolicySet], usage: Usage) -> OwnerUse:
    return OwnerUse(arn, tuple(_use(clause, usage) for each in sets for clause in each.clauses()))


def _use(clause: Clause, usage: Usage) -> StatementUse:
    statement, needed = clause.statement, usage.of(clause)
    actions = () if statement.actions_negated else statement.actions
    resources = () if statement.resources_negated else statement.resources
    return StatementUse(
        clause.policy,
        clause.index,
        statement.sid,
        "Allow" if statement.allows else "Deny",
        needed is not None,
        tuple(each for each in actions if needed is None or each not in needed.actions),
        tuple(each for each in resources if needed is None or each not in needed.resources),
    )


def _block(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield title
    yield from (f"  {line}" for line in lines)
