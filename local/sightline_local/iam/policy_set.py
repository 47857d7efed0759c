"""The policies of one owner (a role, a queue, a session), sorted by the actions that they speak of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sightline_local.iam.policy import Request, Statement


@dataclass(frozen=True, slots=True)
class Clause:
    """A statement and where it stands: the number within the policy, the policy within its owner."""

    owner: str  # the ARN of the role or of the resource
    policy: str
    index: int
    statement: Statement


@dataclass(frozen=True, slots=True, eq=False)
class Clauses:
    """Those that name one action. `keys` of the context are all that their verdict depends on besides."""

    clauses: tuple[Clause, ...]
    keys: tuple[str, ...]

    def applying(self, request: Request) -> list[Clause]:
        return [clause for clause in self.clauses if clause.statement.applies_to_action(request)]


NO_CLAUSES = Clauses((), ())


@dataclass(frozen=True, slots=True, eq=False)
class PolicySet:
    """Never changes: another document is another set, so that what is remembered about one stays true."""

    owner: str
    policies: Mapping[str, tuple[Statement, ...]]  # by the policy's name
    _by_action: dict[str, Clauses] = field(default_factory=dict)

    def about(self, action: str) -> Clauses:
        found = self._by_action.get(action)
        if found is None:
            found = self._by_action[action] = self._naming(action)
        return found

    def clauses(self) -> Iterable[Clause]:
        for policy, statements in self.policies.items():
            for index, statement in enumerate(statements):
                yield Clause(self.owner, policy, index, statement)

    def _naming(self, action: str) -> Clauses:
        clauses = tuple(clause for clause in self.clauses() if clause.statement.names_action(action))
        keys: set[str] = set().union(*(clause.statement.keys for clause in clauses))
        return Clauses(clauses, tuple(sorted(keys))) if clauses else NO_CLAUSES


def single(owner: str, policy: str, statements: tuple[Statement, ...]) -> PolicySet:
    """The set of an owner with one policy."""
    return PolicySet(owner, {policy: statements})
