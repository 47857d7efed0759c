"""Sightings after they were seen: kept for some days, found again, joined to journeys."""
