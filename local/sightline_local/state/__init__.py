"""What a runtime with a data directory keeps, so that it goes on where it was after any end."""

from sightline_local.state.facts import Facts, FactsNotKeptError

__all__ = ["Facts", "FactsNotKeptError"]
