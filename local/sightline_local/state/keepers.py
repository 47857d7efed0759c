"""Whoever keeps facts, in the order in which they need each other when a runtime starts again."""

from typing import Protocol


class Keeper(Protocol):
    """A part of the runtime whose state is kept.

    A start deploys the template anew, lets every keeper restore what it kept, and then lets everything
    begin that runs by itself. Without a data directory it is the same, with nothing to restore.
    """

    def restore(self) -> list[str]:
        """Fill in what was kept; name the resources that have facts and are not here any more."""
        ...

    def begin(self) -> None:
        """Run what runs by itself: everything is restored now."""
        ...


class Keepers:
    """All of them: those that hold resources before those that hold their contents."""

    def __init__(self) -> None:
        self._keepers: list[Keeper] = []
        self.aside: tuple[str, ...] = ()  # resources whose state is kept and that are not in the stack now

    def add(self, *keepers: Keeper) -> None:
        self._keepers += keepers

    def restore(self) -> None:
        """Restore all; what has no place in the template any more stays kept, `aside`."""
        homeless = {name for keeper in self._keepers for name in keeper.restore()}
        self.aside = tuple(sorted(homeless))

    def begin(self) -> None:
        for keeper in self._keepers:
            keeper.begin()
