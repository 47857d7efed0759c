"""Which statements of the policies were needed, and what was denied: the ground of the IAM report."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Lock

from sightline_local.iam.patterns import glob_matches
from sightline_local.iam.policy import Request, Statement, resource_matches
from sightline_local.iam.policy_set import Clause

_MOST_DENIALS = 1000  # distinct ones; a loop that asks for ever new objects must not fill the memory


@dataclass(frozen=True, slots=True)
class Needed:
    """The actions and resources of one statement, as written in it, that a request was in need of."""

    actions: set[str] = field(default_factory=set)
    resources: set[str] = field(default_factory=set)

    def is_all_of(self, statement: Statement) -> bool:
        return len(self.actions) == len(statement.actions) and len(self.resources) == len(statement.resources)


@dataclass(frozen=True, slots=True)
class Denial:
    who: str  # the ARN of a role, or a service principal
    action: str
    resource: str
    because: str


class Usage:
    """Told by the authorizer of each new verdict and of each denial; a repeated allowance adds nothing."""

    def __init__(self) -> None:
        self._needed: dict[tuple[str, str, int], Needed] = {}
        self._denied: dict[Denial, int] = {}
        self._lock = Lock()

    def note(self, clauses: Iterable[Clause], request: Request) -> None:
        """These statements applied to the request."""
        with self._lock:
            for clause in clauses:
                needed = self._needed.setdefault((clause.owner, clause.policy, clause.index), Needed())
                if needed.is_all_of(clause.statement):
                    continue
                needed.actions.update(
                    text
                    for text in clause.statement.actions
                    if glob_matches(text, request.action, ignore_case=True)
                )
                needed.resources.update(
                    text for text in clause.statement.resources if resource_matches(text, request)
                )

    def note_denial(self, denial: Denial) -> None:
        with self._lock:
            if denial in self._denied or len(self._denied) < _MOST_DENIALS:
                self._denied[denial] = self._denied.get(denial, 0) + 1

    def of(self, clause: Clause) -> Needed | None:
        """What of the statement was needed; None when it never applied."""
        return self._needed.get((clause.owner, clause.policy, clause.index))

    def denials(self) -> list[tuple[Denial, int]]:
        """Each with how often."""
        with self._lock:
            return list(self._denied.items())
