"""What a caller may ask about presence, checked at the door."""

from collections.abc import Mapping

from sightline.presence.model import MOST_SITE_SIGNS, PresenceSearch
from sightline.timeline import check_parameters, read_choice, read_id, refuse


def read_search(query: Mapping[str, str]) -> PresenceSearch:
    """The filters of GET /presence; RejectedError names the one that is wrong or unknown."""
    check_parameters(query, ("site", "device_id", "person_id", "on_site"))
    site = query.get("site")
    if site is not None and not 1 <= len(site) <= MOST_SITE_SIGNS:
        refuse("site", f"must be 1 to {MOST_SITE_SIGNS} characters")
    on_site = read_choice(query, "on_site", ("true", "false"))
    return PresenceSearch(
        site,
        read_id(query, "device_id"),
        read_id(query, "person_id"),
        None if on_site is None else on_site == "true",
    )
