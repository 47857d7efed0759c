"""Everything that we change inside moto 5.2.5: a module for each concern, one small function for each change.

Each function says what moto does and AWS does not; it changes that by `replace`, and `undo` takes all of it
back. Moto's internals move between versions, so the version is pinned, and each change has a contract test
that fails loudly when its hook has moved, or when moto does not need it any more: tests/contract/local.
"""

from typing import Any

_originals: dict[tuple[int, str], tuple[Any, str, Any]] = {}


def original_of(owner: Any, name: str) -> Any:
    """Moto's own `owner.name`, also when it is patched already."""
    kept = _originals.setdefault((id(owner), name), (owner, name, _as_it_stands(owner, name)))[2]
    return kept.__func__ if isinstance(kept, staticmethod) else kept


def _as_it_stands(owner: Any, name: str) -> Any:
    return vars(owner).get(name) or getattr(owner, name)  # `getattr` would unwrap a static method


def replace(owner: Any, name: str, new: Any) -> None:
    original_of(owner, name)
    setattr(owner, name, new)


def undo() -> None:
    """Give moto back what was replaced."""
    for owner, name, original in _originals.values():
        setattr(owner, name, original)
    _originals.clear()
