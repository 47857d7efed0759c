"""Keeps things that are few by comparing them with what was kept last."""

from collections.abc import Mapping
from threading import Lock

from sightline_local.state.facts import Facts


class Changes:
    """Of one kind of fact. What was never `found` here is left alone: it has lost its home, not its worth."""

    def __init__(self, facts: Facts, kind: str) -> None:
        self._facts = facts
        self._kind = kind
        self._kept: dict[str, bytes] = {}
        self._lock = Lock()

    def restored(self) -> list[tuple[str, bytes]]:
        """Everything that was kept, homeless or not."""
        return self._facts.all(self._kind)

    def found(self, key: str, fact: bytes) -> None:
        """This one is at home again; when it is not there any more, it is forgotten."""
        self._kept[key] = fact

    def keep(self, present: Mapping[str, bytes]) -> None:
        """All that there is now: keep what is new or different, forget what is gone."""
        with self._lock:
            changed = {key: fact for key, fact in present.items() if self._kept.get(key) != fact}
            gone = self._kept.keys() - present.keys()
            if changed or gone:
                with self._facts.transaction():
                    self._facts.put_many(self._kind, changed.items())
                    self._facts.delete(self._kind, gone)
            self._kept = dict(present)
