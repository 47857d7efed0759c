"""The queries that were started: what became of them, for 45 days. Their answers lie in S3."""

import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from sightline_local.cloud.athena.errors import invalid
from sightline_local.state import Facts

_KIND = "athena.query"
_KEPT_FOR = timedelta(days=45)
_MOMENTS = ("submitted_at", "completed_at")
_ENDED = frozenset(("SUCCEEDED", "FAILED", "CANCELLED"))


@dataclass(slots=True)
class QueryExecution:
    """`columns` are (name, DuckDB's type); `scanned` is in bytes, times are in ms."""

    query: str
    kind: str  # SELECT or INSERT
    workgroup: str
    output: str  # the folder
    submitted_at: datetime
    encryption: dict[str, str] = field(default_factory=dict)
    database: str | None = None
    catalog: str | None = None
    parameters: list[str] = field(default_factory=list)
    scan_limit: int | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    reason: str | None = None
    category: int | None = None
    completed_at: datetime | None = None
    queued: int = 0
    ran: int = 0
    scanned: int = 0
    columns: list[tuple[str, str]] = field(default_factory=list)
    updated: int | None = None
    manifest: str | None = None

    @property
    def is_ended(self) -> bool:
        return self.state in _ENDED

    @property
    def answer_url(self) -> str:
        return f"{self.output}{self.id}{'.csv' if self.kind == 'SELECT' else ''}"

    def to_fact(self) -> bytes:
        moments = {
            name: value and value.isoformat() for name in _MOMENTS if (value := getattr(self, name)) or True
        }
        return json.dumps({**asdict(self), **moments}).encode()


def _from_fact(fact: bytes) -> QueryExecution:
    kept: dict[str, Any] = json.loads(fact)
    kept |= {name: kept[name] and datetime.fromisoformat(kept[name]) for name in _MOMENTS}
    kept["columns"] = [(name, kind) for name, kind in kept["columns"]]
    execution = QueryExecution(**kept)
    if not execution.is_ended:
        execution.state, execution.reason = "FAILED", "The local runtime ended while the query ran"
    return execution


class QueryExecutions:
    """Safe for threads; `now` is the runtime's clock."""

    def __init__(self, facts: Facts, now: Callable[[], datetime]) -> None:
        self._facts = facts
        self._now = now
        self._lock = Lock()
        self._known = {key: _from_fact(fact) for key, fact in facts.all(_KIND)}
        self._tokens: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}

    def add(self, execution: QueryExecution, token: str | None, request: dict[str, Any]) -> QueryExecution:
        """Keep it, or give the one that the same request with the same token started."""
        with self._lock:
            self._forget_old()
            key = execution.workgroup, token or ""
            if token and (earlier := self._tokens.get(key)):
                if earlier[1] != request:
                    raise invalid("Idempotent parameters do not match")
                return self._known[earlier[0]]
            self._known[execution.id] = execution
            if token:
                self._tokens[key] = execution.id, request
        self.keep(execution)
        return execution

    def keep(self, execution: QueryExecution) -> None:
        self._facts.put(_KIND, execution.id, execution.to_fact())

    def get(self, execution_id: str) -> QueryExecution:
        found = self._known.get(execution_id)
        if found is None:
            raise invalid(f"QueryExecution {execution_id} was not found")
        return found

    def ids(self, workgroup: str) -> list[str]:
        """The newest first."""
        found = [each for each in list(self._known.values()) if each.workgroup == workgroup]
        return [each.id for each in sorted(found, key=lambda each: each.submitted_at, reverse=True)]

    def _forget_old(self) -> None:
        limit = self._now() - _KEPT_FOR
        old = [each.id for each in self._known.values() if each.is_ended and each.submitted_at < limit]
        for execution_id in old:
            del self._known[execution_id]
        self._tokens = {key: each for key, each in self._tokens.items() if each[0] in self._known}
        if old:
            self._facts.delete(_KIND, old)
