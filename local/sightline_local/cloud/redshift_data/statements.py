"""The statements that were submitted: what became of them, and for a day what they gave."""

import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from sightline_local.state import Facts

if TYPE_CHECKING:
    from sightline_local.cloud.redshift.session import Result

_KIND = "redshift-data.statement"
_KEPT_FOR = timedelta(hours=24)
_ENDED = frozenset(("FINISHED", "FAILED", "ABORTED"))


@dataclass(slots=True)
class Part:
    """One SQL statement of a submission."""

    sql: str
    status: str = "SUBMITTED"
    result: "Result | None" = None
    error: str | None = None
    seconds: float = 0.0


@dataclass(slots=True)
class Statement:
    """One submission: a statement, or a batch of them in one transaction."""

    owner: str  # who may ask for it: the role, whatever its session is called
    place: dict[str, str]  # WorkgroupName or ClusterIdentifier, Database, SecretArn
    parts: list[Part]
    created_at: datetime
    is_batch: bool = False
    name: str | None = None
    parameters: list[dict[str, str]] = field(default_factory=list)
    user: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "SUBMITTED"
    error: str | None = None
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    number: int = 0

    @property
    def is_ended(self) -> bool:
        return self.status in _ENDED

    def to_fact(self) -> bytes:
        """Everything but results."""
        parts = [
            {"sql": p.sql, "status": p.status, "error": p.error, "seconds": p.seconds} for p in self.parts
        ]
        kept = {name: getattr(self, name) for name in _KEPT}
        kept |= {name: getattr(self, name).isoformat() for name in _MOMENTS}
        return json.dumps({**kept, "parts": parts}).encode()


_KEPT = ("owner", "place", "is_batch", "name", "parameters", "user", "id", "status", "error", "number")
_MOMENTS = ("created_at", "updated_at")


def _from_fact(fact: bytes) -> Statement:
    kept: dict[str, Any] = json.loads(fact)
    parts = [Part(**part) for part in kept.pop("parts")]
    kept |= {name: datetime.fromisoformat(kept[name]) for name in _MOMENTS}
    statement = Statement(**kept, parts=parts)
    if not statement.is_ended:
        statement.status, statement.error = "FAILED", "ERROR: the local runtime ended while the statement ran"
        for part in statement.parts:
            part.status = "ABORTED"
    return statement


class Statements:
    """Safe for threads; `now` is the runtime's clock."""

    def __init__(self, facts: Facts, now: Callable[[], datetime]) -> None:
        self._facts = facts
        self._now = now
        self._lock = Lock()
        self._numbers = itertools.count(1)
        self._statements: dict[str, Statement] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self._restore()

    def add(self, statement: Statement, token: str | None) -> Statement:
        """Keep it, or return the one that was submitted with the same token."""
        with self._lock:
            self._forget_old()
            if token and (known := self._tokens.get((statement.owner, token))):
                return self._statements[known]
            statement.number = next(self._numbers)
            self._statements[statement.id] = statement
            if token:
                self._tokens[statement.owner, token] = statement.id
        self.keep(statement)
        return statement

    def keep(self, statement: Statement) -> None:
        statement.updated_at = self._now()
        self._facts.put(_KIND, statement.id, statement.to_fact())

    def get(self, statement_id: str, owner: str | None) -> Statement | None:
        """The owner's statement; None as owner is the administrator, who sees all."""
        found = self._statements.get(statement_id)
        return found if found and owner in (None, found.owner) else None

    def all(self, owner: str | None) -> Iterator[Statement]:
        """The newest first."""
        for statement in sorted(self._statements.values(), key=lambda each: each.number, reverse=True):
            if owner in (None, statement.owner):
                yield statement

    def _restore(self) -> None:
        """What was submitted before; its results are gone, and what ran has failed."""
        for _key, fact in self._facts.all(_KIND):
            statement = _from_fact(fact)
            self._statements[statement.id] = statement
        self._numbers = itertools.count(max((s.number for s in self._statements.values()), default=0) + 1)

    def _forget_old(self) -> None:
        limit = self._now() - _KEPT_FOR
        old = [each.id for each in self._statements.values() if each.is_ended and each.updated_at < limit]
        for statement_id in old:
            del self._statements[statement_id]
        self._tokens = {token: known for token, known in self._tokens.items() if known in self._statements}
        if old:
            self._facts.delete(_KIND, old)
