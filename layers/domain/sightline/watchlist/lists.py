"""Watchlists: make, change and remove them; nobody stays on a list that is gone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sightline.errors import ConflictError, NotFoundError
from sightline.paging import Page, PageRequest
from sightline.watchlist.model import DEFAULT_WATCHLIST_ID, Catalogue, Watchlist
from sightline.watchlist.ports import Catalogues
from sightline.watchlist.service import WRITE_ATTEMPTS, Enrolment


@dataclass(frozen=True, slots=True)
class Watchlists:
    """The verbs of the lists; each is safe to repeat."""

    catalogues: Catalogues
    enrolment: Enrolment

    def add(self, watchlist: Watchlist) -> tuple[Watchlist, bool]:
        """The list, and whether it is new: an id that is taken answers the list that has it."""
        watchlist.check()
        before = self._write(
            lambda now: now if watchlist.watchlist_id in now.lists else now.having(watchlist)
        )
        known = before.lists.get(watchlist.watchlist_id)
        return known or watchlist, known is None

    def get(self, watchlist_id: str) -> Watchlist:
        return _found(self.catalogues.read(), watchlist_id)

    def page(self, request: PageRequest) -> Page[Watchlist]:
        lists = self.catalogues.read().lists
        left = sorted(key for key in lists if request.after is None or key > request.after)
        keys = left[: request.limit]
        return Page(tuple(lists[key] for key in keys), keys[-1] if len(left) > len(keys) else None)

    def change(self, watchlist_id: str, changes: Mapping[str, Any]) -> Watchlist:
        before = self._write(lambda now: now.having(_changed(now, watchlist_id, changes)))
        return _changed(before, watchlist_id, changes)

    def remove(self, watchlist_id: str, *, detach: bool) -> None:
        """People are taken off the list before it goes, and whoever was put on it meanwhile afterwards."""
        if watchlist_id == DEFAULT_WATCHLIST_ID:
            raise ConflictError("The built-in list cannot be removed.")
        if detach:
            self._detach(watchlist_id)
        self.get(watchlist_id)
        count = len(self.enrolment.people.on_watchlist(watchlist_id))
        if count and not detach:
            are = "person is" if count == 1 else "people are"
            raise ConflictError(f"{count} {are} on this list; ?detach=true takes them off it.")
        self._write(lambda now: now.without(watchlist_id))
        self._detach(watchlist_id)

    def _detach(self, watchlist_id: str) -> None:
        for person in self.enrolment.people.on_watchlist(watchlist_id):
            self.enrolment.change_with_faces(person, lambda now: now.without_watchlist(watchlist_id))

    def _write(self, change: Callable[[Catalogue], Catalogue]) -> Catalogue:
        """Write the changed catalogue; the one before is answered."""
        for _ in range(WRITE_ATTEMPTS):
            before = self.catalogues.read()
            after = change(before)
            if after is before or self.catalogues.save(after):
                return before
        raise ConflictError("The watchlists are being changed by somebody else; try again.")


def _found(catalogue: Catalogue, watchlist_id: str) -> Watchlist:
    watchlist = catalogue.lists.get(watchlist_id)
    if watchlist is None:
        raise NotFoundError("There is no such watchlist.")
    return watchlist


def _changed(catalogue: Catalogue, watchlist_id: str, changes: Mapping[str, Any]) -> Watchlist:
    watchlist = replace(_found(catalogue, watchlist_id), **changes)
    watchlist.check()
    return watchlist
