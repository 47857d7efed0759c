"""What a caller may ask about sightings, checked at the door."""

from collections.abc import Mapping

from sightline.history.model import SightingSearch
from sightline.timeline import Window, check_parameters, read_id, read_window


def read_search(query: Mapping[str, str]) -> SightingSearch:
    """The filters of GET /sightings; RejectedError names the one that is wrong or unknown."""
    check_parameters(query, ("device_id", "person_id", "from", "to"))
    return SightingSearch(read_id(query, "device_id"), read_id(query, "person_id"), read_window(query))


def read_journey_window(query: Mapping[str, str]) -> Window:
    """The filters of GET /people/{person_id}/journey."""
    check_parameters(query, ("from", "to"))
    return read_window(query)
